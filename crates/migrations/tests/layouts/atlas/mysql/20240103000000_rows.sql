-- atlas:delimiter //
INSERT INTO customer (id, name) VALUES (2, 'one // two')//
INSERT INTO customer (id, name) VALUES (3, 'x');
//
