-- Who buys. A comment may stand before the first directive,
  -- also an indented one.

-- migrate:up
CREATE TABLE customer (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    name varchar(200) NOT NULL -- migrate:down is only a comment here
);
 -- migrate:down neither, since it is indented
INSERT INTO customer (name) VALUES ('Ada; of the mill'), ('Grace -- harbour');

-- migrate:down
DROP TABLE customer;
