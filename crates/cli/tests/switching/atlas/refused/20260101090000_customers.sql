-- atlas:txtar

-- checks.sql --
SELECT count(*) = 0 FROM sqlite_master;

-- migration.sql --
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
