DELIMITER //
INSERT INTO customer (id, name) VALUES (4, 'y')//
DELIMITER ;
INSERT INTO customer (id, name) VALUES (5, 'z');
