-- no-transaction, as the database asks for it
CREATE INDEX CONCURRENTLY purchase_buyer ON purchase (buyer);
