CREATE TABLE IF NOT EXISTS run (event varchar(100) NOT NULL);
INSERT INTO run VALUES ('beforeMigrate');
