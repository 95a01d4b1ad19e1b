PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "flyway_schema_history" (
    "installed_rank" INT NOT NULL PRIMARY KEY,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INT,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
    "execution_time" INT NOT NULL,
    "success" BOOLEAN NOT NULL
);
INSERT INTO flyway_schema_history VALUES(1,'1','customers','SQL','V1__customers.sql',-2137661270,'','2026-11-22 06:16:31.897',2,1);
INSERT INTO flyway_schema_history VALUES(2,'2','orders','SQL','V2__orders.sql',-902975430,'','2026-11-22 06:16:31.922',3,1);
INSERT INTO flyway_schema_history VALUES(3,NULL,'prices','SQL','R__prices.sql',-1548741411,'','2026-11-22 06:16:31.942',0,1);
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar(200) NOT NULL
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    placed_at timestamp NOT NULL
);
CREATE INDEX "flyway_schema_history_s_idx" ON "flyway_schema_history" ("success");
CREATE VIEW prices AS SELECT id, 'EUR' AS currency FROM orders;
COMMIT;
