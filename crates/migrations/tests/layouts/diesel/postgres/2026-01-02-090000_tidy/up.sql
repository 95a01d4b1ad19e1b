CREATE INDEX CONCURRENTLY supplier_name ON supplier (name);
