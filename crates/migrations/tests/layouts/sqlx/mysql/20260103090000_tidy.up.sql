-- no-transaction, as the database asks for it
CREATE INDEX purchase_buyer ON purchase (buyer);
