PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'customers','2026-11-22 06:16:29',1,X'8571d89304ff2148d101ea51b38fcf9e385a64288736c878d267b9701383757fadb461b847e5751c89efaa821abf03aa',9435612);
INSERT INTO _sqlx_migrations VALUES(2,'orders','2026-11-22 06:16:29',1,X'65ad2614e10c47f6ae2de29b8c2f2c00f2d42f4cf601cc331be86a1beb5b959fc54a1cdd2c16038dec581d7b15c11170',25128363);
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
