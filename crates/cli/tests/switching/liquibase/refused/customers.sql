--liquibase formatted sql

--changeset ada:customers
CREATE TABLE customers (
    id ${id} PRIMARY KEY,
    email varchar(200) NOT NULL
);
--rollback DROP TABLE customers;
