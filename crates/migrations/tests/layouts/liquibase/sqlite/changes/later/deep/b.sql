--liquibase formatted sql
--changeset zoe:1
INSERT INTO colour (name) VALUES ('blue');
--rollback DELETE FROM colour WHERE name = 'blue';
