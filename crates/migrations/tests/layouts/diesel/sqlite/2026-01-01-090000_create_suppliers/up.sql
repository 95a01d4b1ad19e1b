CREATE TABLE supplier (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO supplier (name) VALUES ('Kiln; and sons');
