DROP INDEX supplier_name ON supplier;
