CREATE TABLE purchase (id bigint PRIMARY KEY);
