-- The application of the previous release goes on writing `email`; the new one reads `email_key`.
ALTER TABLE customers ADD COLUMN email_key varchar(320);
-- forerun:allow pg-index-concurrently "few customers, and the file is for databases without CONCURRENTLY as well"
CREATE INDEX customers_by_email_key ON customers (email_key);
