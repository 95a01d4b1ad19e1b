-- migrate:up
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);

-- migrate:down
DROP TABLE customers;
