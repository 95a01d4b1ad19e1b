DROP INDEX customers_by_email_key;
ALTER TABLE customers DROP COLUMN email_key;
