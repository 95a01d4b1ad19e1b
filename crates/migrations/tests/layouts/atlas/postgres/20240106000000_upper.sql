-- atlas:txmode file

UPDATE customer SET name = upper(name);
