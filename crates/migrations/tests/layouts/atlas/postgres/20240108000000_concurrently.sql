-- atlas:txmode none

CREATE INDEX CONCURRENTLY order_customer ON customer_order (customer_id);
