-- migrate:up transaction:false
CREATE INDEX customer_name ON customer (name);
--  migrate:down   transaction:false   colour:blue
DROP INDEX customer_name ON customer;
