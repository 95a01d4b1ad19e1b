CREATE TABLE purchase (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    buyer varchar(200) NOT NULL,
    total integer NOT NULL DEFAULT 0
);
INSERT INTO purchase (buyer, total) VALUES ('Ada; twice', 4100);
