-- no-transaction
DROP INDEX purchase_buyer ON purchase;
