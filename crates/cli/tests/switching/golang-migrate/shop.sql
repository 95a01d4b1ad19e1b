PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (version uint64,dirty bool);
INSERT INTO schema_migrations VALUES(2,0);
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    placed_at timestamp NOT NULL
);
CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
COMMIT;
