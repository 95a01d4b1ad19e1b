CREATE TABLE shelf (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    label varchar(100) NOT NULL -- painted on; seen from afar
);
INSERT INTO shelf (label) VALUES ('left; upper'), ('right -- lower');
