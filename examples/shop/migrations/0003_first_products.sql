-- forerun:data

INSERT INTO products (id, sku, title, price_cents) VALUES
    (1, 'MUG-BLUE', 'Blue mug', 1250),
    (2, 'MUG-RED', 'Red mug', 1250),
    (3, 'POT-1L', 'Tea pot, one litre', 3900);
