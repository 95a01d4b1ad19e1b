-- atlas:delimiter \n\n\n

CREATE TABLE customer_order (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL
)


INSERT INTO customer (id, name) VALUES (1, 'a;b')


