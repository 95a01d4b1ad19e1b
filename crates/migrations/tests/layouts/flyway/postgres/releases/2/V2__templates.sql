CREATE TABLE template (name text PRIMARY KEY, text text NOT NULL);
INSERT INTO template VALUES ('invoice', 'Dear ${name}, you owe us ${total}.');
