CREATE TABLE purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    buyer text NOT NULL,
    total integer NOT NULL DEFAULT 0
);
INSERT INTO purchase (buyer, total) VALUES ('Ada; twice', 4100);
