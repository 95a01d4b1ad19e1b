-- +goose Up
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
-- +goose StatementBegin
SELECT 1;

-- +goose Down
DROP TABLE customers;
