-- no-transaction
DROP INDEX CONCURRENTLY purchase_buyer;
