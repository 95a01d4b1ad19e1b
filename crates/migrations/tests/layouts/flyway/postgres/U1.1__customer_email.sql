-- undoes ${flyway:filename}
ALTER TABLE customer DROP COLUMN email;
