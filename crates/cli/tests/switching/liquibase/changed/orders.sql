--liquibase formatted sql

--changeset ada:orders
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    placed_at timestamp NOT NULL
);
--rollback DROP TABLE orders;

--changeset ada:orders-placed-at runInTransaction:false
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 SELECT count(*) FROM sqlite_master WHERE name = 'orders_placed_at'
CREATE INDEX orders_placed_at ON orders (placed_at);
--rollback DROP INDEX orders_placed_at;
