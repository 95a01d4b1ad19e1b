-- liquibase formatted sql
--property name:colour value:red
-- changeset zoe:1
CREATE TABLE colour (name varchar(20));
INSERT INTO colour (name) VALUES ('${colour}');
INSERT INTO colour (name) VALUES ('${no.such.colour}');
-- rollback DROP TABLE colour;
