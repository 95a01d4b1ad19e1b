CREATE OR REPLACE VIEW open_orders AS
SELECT "order".id, customer.name FROM "order" JOIN customer ON customer.id = "order".customer_id;
