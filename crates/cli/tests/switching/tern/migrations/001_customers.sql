CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
---- create above / drop below ----

DROP TABLE customers;
