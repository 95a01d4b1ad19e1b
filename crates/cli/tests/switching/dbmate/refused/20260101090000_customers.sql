CREATE TABLE customers (
    id integer PRIMARY KEY
);

-- migrate:up
CREATE TABLE addresses (
    id integer PRIMARY KEY
);

-- migrate:down
DROP TABLE addresses;
