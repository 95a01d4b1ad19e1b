
-- no-transaction is no directive here, since it is not at the start.
ALTER TABLE purchase ADD COLUMN paid integer NOT NULL DEFAULT 0;
