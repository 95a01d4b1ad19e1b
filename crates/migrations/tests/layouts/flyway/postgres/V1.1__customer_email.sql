ALTER TABLE customer ADD COLUMN email text;
COMMENT ON COLUMN customer.email IS 'a price of $${currency} is text, as is $1';
