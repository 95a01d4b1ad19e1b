CREATE TABLE purchase (
    id integer PRIMARY KEY,
    buyer text NOT NULL,
    total integer NOT NULL DEFAULT 0
);
INSERT INTO purchase (buyer, total) VALUES ('Ada; twice', 4100);
