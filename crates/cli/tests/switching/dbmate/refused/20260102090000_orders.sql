-- migrate:up
CREATE TABLE orders (
    id integer PRIMARY KEY
);
