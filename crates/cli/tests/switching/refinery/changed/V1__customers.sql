CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(320) NOT NULL
);
