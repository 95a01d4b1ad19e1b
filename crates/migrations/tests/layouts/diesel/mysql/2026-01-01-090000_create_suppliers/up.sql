CREATE TABLE supplier (id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(200) NOT NULL);
INSERT INTO supplier (name) VALUES ('Kiln; and sons');
