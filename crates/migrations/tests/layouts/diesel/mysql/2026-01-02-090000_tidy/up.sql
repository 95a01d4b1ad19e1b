CREATE INDEX supplier_name ON supplier (name);
