-- From format 1.
ALTER TABLE main.forerun_history ADD COLUMN unused_since varchar(255);
ALTER TABLE main.forerun_history ADD COLUMN deployment bigint;
UPDATE main.forerun_lock SET format = 2 WHERE name = 'runner';
