CREATE TABLE supplier (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO supplier (name) VALUES ('Kiln; and sons');
