CREATE INDEX CONCURRENTLY order_customer ON "order" (customer_id);
