-- forerun:data
INSERT INTO orders (id, user_id) VALUES (1, 1);
