-- Who buys. A comment may stand before the first directive,
  -- also an indented one.

-- migrate:up
CREATE TABLE customer (
    id integer PRIMARY KEY,
    name text NOT NULL -- migrate:down is only a comment here
);
 -- migrate:down neither, since it is indented
INSERT INTO customer (name) VALUES ('Ada; of the mill'), ('Grace -- harbour');

-- migrate:down
DROP TABLE customer;
