CREATE TABLE customer (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name varchar(100) NOT NULL
) ENGINE = #[engine] COMMENT = '#[Comment]';
