PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE `atlas_schema_revisions` (`version` text NOT NULL, `description` text NOT NULL, `type` integer NOT NULL DEFAULT 2, `applied` integer NOT NULL DEFAULT 0, `total` integer NOT NULL DEFAULT 0, `executed_at` datetime NOT NULL, `execution_time` integer NOT NULL, `error` text NULL, `error_stmt` text NULL, `hash` text NOT NULL, `partial_hashes` json NULL, `operator_version` text NOT NULL, PRIMARY KEY (`version`));
INSERT INTO atlas_schema_revisions VALUES('20260101090000','customers',2,1,1,'2026-11-22 06:13:21.04683892+00:00',136683,'','','i7XIKnpnaZyhKMQ/V2Lmh99E+jB4L37WKVKDa5rnebA=',X'5b2268313a32365666524731445376714c4433413646306b3370394131586b7839496738696e39726d455341423957493d225d','Atlas CLI - development');
INSERT INTO atlas_schema_revisions VALUES('20260102090000','orders',2,1,1,'2026-11-22 06:13:21.060669684+00:00',191785,'','','NQ13vAX90OiJmBZ4iWuBApWXobbsmJ3VSdWNMy9h6Zg=',X'5b2268313a763062753242614337794e474d67643564516b53476b594756384f615a3953676e3767337a6f7936464b673d225d','Atlas CLI - development');
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
