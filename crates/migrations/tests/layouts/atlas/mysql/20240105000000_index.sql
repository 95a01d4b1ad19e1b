-- atlas:txmode none
-- atlas:nolint

-- A comment of the statement
CREATE INDEX customer_name ON customer (name);
