-- The first table of the shop, as made by ${flyway:filename}.
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    greeting text NOT NULL DEFAULT '${greeting}'
);
