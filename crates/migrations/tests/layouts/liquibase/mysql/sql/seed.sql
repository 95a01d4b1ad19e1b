INSERT INTO customer (id, name, email) VALUES (1, 'Ann', 'ann@example.org');
INSERT INTO customer (id, name, email) VALUES (2, 'Bob', 'bob@example.org');
