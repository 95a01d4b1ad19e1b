CREATE TABLE stock (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text NOT NULL,
    labels text[] NOT NULL DEFAULT '{a,b}'
);
INSERT INTO stock (place) VALUES ('Shelf 1; left'), ('Shelf 2 -- right');

---- create above / drop below ----

DROP TABLE stock;
