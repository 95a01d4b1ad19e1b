PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations VALUES('20260101090000','2026-11-22 06:13:21');
INSERT INTO __diesel_schema_migrations VALUES('20260102090000','2026-11-22 06:13:21');
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    placed_at timestamp NOT NULL
);
COMMIT;
