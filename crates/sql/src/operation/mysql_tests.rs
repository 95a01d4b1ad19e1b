//! What statements of MySQL and MariaDB do, as read.

use super::operations;
use crate::Dialect::Mysql;

#[track_caller]
fn check(table: &[(&str, &str)]) {
    super::test_lines::check(Mysql, table);
}

#[test]
fn created_tables() {
    check(&[
        (
            "CREATE TABLE t (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, a varchar(20) DEFAULT NULL, KEY i (a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='it''s'",
            "table t (id bigint unsigned not-null numbered key[\"id\"], a varchar(20) default NULL, index i on t (a)) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT=it's",
        ),
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS d.t (a int)",
            "table d.t (a int) temporary if-not-exists",
        ),
        (
            "CREATE OR REPLACE TABLE t (a int)",
            "drop Table t if-exists; table t (a int)",
        ),
        (
            "CREATE TABLE t (a int KEY, b int UNIQUE, c int REFERENCES u, d int CHECK (d > 0), e serial)",
            "table t (a int key[\"a\"], b int unique[\"b\"], c int foreign[\"c\"]->u[], d int check(d > 0), e bigint unsigned not-null numbered unique[\"e\"])",
        ),
        (
            "CREATE TABLE t (a int, PRIMARY KEY (a, b(5)), UNIQUE KEY u (a), FULLTEXT f (a), SPATIAL INDEX (g), CONSTRAINT k FOREIGN KEY (a) REFERENCES u (b) ON DELETE CASCADE, CHECK (a > 0))",
            "table t (a int, key[\"a\", \"b\"], k:foreign[\"a\"]->u[\"b\"], check(a > 0), index u on t (a) unique, index f on t (a) FULLTEXT, index  on t (g) SPATIAL)",
        ),
        (
            "CREATE TABLE t (a timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), b int GENERATED ALWAYS AS (a + 1) STORED NOT NULL, c int AS (a * 2) PERSISTENT, d int AS (a) VIRTUAL INVISIBLE, e int INVISIBLE)",
            "table t (a timestamp(6) not-null on-update default CURRENT_TIMESTAMP(6), b int not-null as a + 1 stored, c int as a * 2 stored, d int invisible as a, e int invisible)",
        ),
        (
            "CREATE TABLE t (a int DEFAULT -1, b double DEFAULT 1e-5 NOT NULL, c bit(2) DEFAULT b'01' NULL, d json DEFAULT (json_object('a', 1)), e date DEFAULT '2020-01-01', f int DEFAULT NEXT VALUE FOR s, g text DEFAULT concat('a', 'b') COLLATE utf8mb4_bin, h bool DEFAULT TRUE COMMENT 'x')",
            "table t (a int default -1, b double not-null default 1e-5, c bit(2) null default b'01', d json default (json_object('a', 1)), e date default '2020-01-01', f int default NEXT VALUE FOR s, g text default concat('a', 'b') collate utf8mb4_bin, h tinyint(1) comment default TRUE)",
        ),
        (
            "CREATE TABLE t (g point NOT NULL SRID 4326, c text COMPRESSED = zlib, x int STORAGE DISK COLUMN_FORMAT FIXED NOT NULL)",
            "table t (g point not-null, c text, x int not-null)",
        ),
        ("CREATE TABLE t LIKE d.u", "table t () incomplete from d.u"),
        ("CREATE TABLE t (LIKE u)", "table t () incomplete from u"),
        ("CREATE TABLE t AS SELECT 1 AS 'a'", "table t () incomplete"),
        (
            "CREATE TABLE t (a int) ENGINE=MyISAM SELECT 1 AS a",
            "table t (a int) incomplete ENGINE=MyISAM",
        ),
        ("CREATE TABLE t (SELECT 1)", "table t () incomplete"),
        (
            "CREATE TABLE t (a int, b date) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1) ENGINE = InnoDB)",
            "table t (a int, b date) partitioned",
        ),
        (
            "CREATE TABLE t (a int) UNION=(u, v) DATA DIRECTORY='/x' WITH SYSTEM VERSIONING",
            "table t (a int) UNION=u, v DATA DIRECTORY=/x WITH SYSTEM VERSIONING=",
        ),
        (
            "CREATE TABLE t (s timestamp(6) GENERATED ALWAYS AS ROW START, e timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
            "table t (s timestamp(6) not-null as ROW START stored, e timestamp(6) not-null as ROW END stored) WITH SYSTEM VERSIONING=",
        ),
        (
            "CREATE TABLE `1 t` (`order` int, `a``b` int)",
            "table 1 t (order int, a`b int)",
        ),
    ]);
}

#[test]
fn types_have_one_name_for_all_spellings() {
    check(&[
        (
            "CREATE TABLE t (a integer(11) unsigned zerofill, b int4, c bool, d tinyint(1), e int8, f middleint, g int2)",
            "table t (a int(11) unsigned, b int, c tinyint(1), d tinyint(1), e bigint, f mediumint, g smallint)",
        ),
        (
            "CREATE TABLE t (a dec(10, 2), b numeric, c fixed(5), d real, e double precision, f float(30), g float(10), h float(7,4))",
            "table t (a decimal(10,2), b decimal, c decimal(5), d double, e double, f double, g float, h float(7,4))",
        ),
        (
            "CREATE TABLE t (a character varying(5), b char varying(6), c national varchar(7), d nchar(8), e nvarchar(9), f national character varying(2), g char CHARACTER SET latin1, h character)",
            "table t (a varchar(5), b varchar(6), c varchar(7) charset utf8mb3, d char(8) charset utf8mb3, e varchar(9) charset utf8mb3, f varchar(2) charset utf8mb3, g char charset latin1, h char)",
        ),
        (
            "CREATE TABLE t (a long, b long varchar, c long varbinary, d char(3) byte, e text ascii, f mediumtext binary, g clob)",
            "table t (a mediumtext, b mediumtext, c mediumblob, d binary(3), e text charset latin1, f mediumtext, g longtext)",
        ),
        (
            "CREATE TABLE t (a set('x', 'y') NOT NULL, b year, c uuid, d inet6, e geomcollection, f vector(3), g json)",
            "table t (a set(x,y) not-null, b year, c uuid, d inet6, e geometrycollection, f vector(3), g json)",
        ),
        (
            "CREATE TABLE t (a text CHARACTER SET binary, b varchar(5) charset BINARY)",
            "table t (a blob, b varbinary(5))",
        ),
        (
            "ALTER TABLE t MODIFY a mariadb_schema.date DEFAULT (CASE WHEN 1 THEN 2 END) NOT NULL",
            "t modify a: a date not-null default (CASE WHEN 1 THEN 2 END)",
        ),
    ]);
}

#[test]
fn other_objects() {
    check(&[
        (
            "CREATE UNIQUE INDEX i USING BTREE ON d.t (a, b(5) DESC) COMMENT 'lock' ALGORITHM=INPLACE LOCK NONE",
            "index i on d.t (a b) unique BTREE",
        ),
        (
            "CREATE OR REPLACE INDEX IF NOT EXISTS i ON t WAIT 5 (a)",
            "index i on t (a) if-not-exists",
        ),
        (
            "CREATE FULLTEXT INDEX i ON t (a)",
            "index i on t (a) FULLTEXT",
        ),
        ("DROP INDEX i ON t", "drop index i on t"),
        (
            "DROP INDEX IF EXISTS `PRIMARY` ON d.t ALGORITHM = COPY LOCK = SHARED",
            "d.t drop constraint PRIMARY if-exists",
        ),
        (
            "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW v (a) AS SELECT 1",
            "create View v or-replace",
        ),
        ("ALTER VIEW v AS SELECT 2", "create View v or-replace"),
        (
            "CREATE DEFINER = root@localhost TRIGGER IF NOT EXISTS g BEFORE INSERT ON d.t FOR EACH ROW SET @a = 1",
            "create Trigger g on d.t if-not-exists",
        ),
        (
            "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1 */",
            "create Trigger g on t",
        ),
        (
            "CREATE DEFINER=CURRENT_USER() PROCEDURE p() SELECT 1",
            "create Procedure p",
        ),
        (
            "CREATE AGGREGATE FUNCTION IF NOT EXISTS f RETURNS INT SONAME 'x'",
            "create Function f if-not-exists",
        ),
        (
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "create Event e",
        ),
        (
            "ALTER EVENT e ON SCHEDULE EVERY 1 DAY RENAME TO f",
            "rename Event e to f",
        ),
        ("ALTER EVENT e DISABLE", "create Event e or-replace"),
        (
            "CREATE DATABASE IF NOT EXISTS d CHARACTER SET utf8mb4",
            "create Database d if-not-exists",
        ),
        (
            "ALTER DATABASE d CHARACTER SET utf8mb4",
            "Database d other CHARACTER SET",
        ),
        ("ALTER SCHEMA d READ ONLY = 1", "Database d other READ ONLY"),
        ("CREATE SEQUENCE s START WITH 1", "create Sequence s"),
        ("ALTER SEQUENCE s RESTART 5", "Sequence s other RESTART"),
        (
            "CREATE OR REPLACE PACKAGE BODY p AS END",
            "create Package p or-replace",
        ),
        (
            "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y'",
            "create Other 4120",
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x')",
            "create Other s",
        ),
        ("ALTER SERVER s OPTIONS (USER 'y')", "Other s other OPTIONS"),
        (
            "CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'",
            "create Other u",
        ),
        ("CREATE FROB x", "opaque: CREATE FROB is not known"),
        ("ALTER PROCEDURE p COMMENT 'x'", "Procedure p other COMMENT"),
    ]);
}

#[test]
fn drops_and_renames() {
    check(&[
        ("DROP TABLE a", "drop Table a"),
        (
            "DROP TABLES IF EXISTS a, d.b CASCADE",
            "drop Table a if-exists; drop Table d.b if-exists",
        ),
        ("DROP TEMPORARY TABLE a", "Harmless"),
        (
            "DROP VIEW IF EXISTS v, w RESTRICT",
            "drop View v if-exists; drop View w if-exists",
        ),
        ("DROP TRIGGER IF EXISTS d.g", "drop Trigger d.g if-exists"),
        ("DROP PROCEDURE p", "drop Procedure p"),
        ("DROP FUNCTION IF EXISTS f", "drop Function f if-exists"),
        ("DROP EVENT e", "drop Event e"),
        ("DROP DATABASE d", "drop Database d"),
        ("DROP SEQUENCE s", "drop Sequence s"),
        ("DROP PREPARE s", "Harmless"),
        (
            "RENAME TABLE a TO b, d.c WAIT 5 TO d.e",
            "rename Table a to b; rename Table d.c to d.e",
        ),
        (
            "RENAME TABLES IF EXISTS a TO b",
            "rename Table a to b if-exists",
        ),
        ("TRUNCATE TABLE d.t", "truncate d.t"),
        ("TRUNCATE t WAIT 5", "truncate t"),
    ]);
}

#[test]
fn statements_that_change_rows() {
    check(&[
        ("INSERT INTO t VALUES (1), (2)", "insert t []"),
        (
            "INSERT IGNORE INTO d.t (a, `b`, t.c) VALUES (1, 2, 3) ON DUPLICATE KEY UPDATE a = 1",
            "insert d.t [\"a\", \"b\", \"c\"]",
        ),
        (
            "INSERT t SET a = 1, b = (SELECT 1 WHERE 2) ON DUPLICATE KEY UPDATE c = 1, d = 2",
            "insert t [\"a\", \"b\"]",
        ),
        ("INSERT INTO t (SELECT 1)", "insert t []"),
        (
            "INSERT INTO t PARTITION (p, q) (a) SELECT 1",
            "insert t [\"a\"]",
        ),
        ("REPLACE DELAYED INTO t () VALUES ()", "insert t []"),
        ("UPDATE t SET a = 1", "update t"),
        (
            "UPDATE LOW_PRIORITY t AS x SET x.a = 1, b = 2 WHERE x.c IN (1, 2) ORDER BY d LIMIT 5",
            "update t where x.c IN (1, 2)",
        ),
        (
            "UPDATE a JOIN d.b AS y ON a.id = y.id LEFT JOIN c USING (id) SET y.n = a.n WHERE a.z",
            "update d.b where a.z",
        ),
        ("UPDATE a, (SELECT 1 AS n) AS q SET n = q.n", "update a"),
        (
            "UPDATE (a JOIN b ON a.x = b.x), c SET a.y = 1, c.z = 2",
            "update a; update c",
        ),
        (
            "WITH q AS (SELECT 1 AS n) UPDATE t JOIN q SET t.a = q.n",
            "update t",
        ),
        ("DELETE FROM t", "delete t"),
        (
            "DELETE QUICK FROM d.t AS x WHERE a = 1 LIMIT 5",
            "delete d.t where a = 1",
        ),
        (
            "DELETE FROM t PARTITION (p) WHERE a RETURNING b",
            "delete t where a",
        ),
        (
            "DELETE x, b.* FROM a AS x JOIN b ON x.i = b.i WHERE x.j",
            "delete a where x.j; delete b where x.j",
        ),
        (
            "DELETE FROM x.*, d.b USING a AS x JOIN d.b WHERE 1",
            "delete a where 1; delete d.b where 1",
        ),
        (
            "DELETE FROM t FOR PORTION OF p FROM '2020-01-01' TO '2021-01-01' WHERE a = 1",
            "delete t where a = 1",
        ),
        (
            "DELETE HISTORY FROM t BEFORE SYSTEM_TIME '2020-01-01'",
            "delete t where SYSTEM_TIME '2020-01-01'",
        ),
        (
            "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE d.t FIELDS TERMINATED BY ',' IGNORE 1 LINES (a, @b, c) SET d = @b",
            "insert d.t [\"a\", \"c\"]",
        ),
        ("LOAD XML INFILE 'x' INTO TABLE t", "insert t []"),
    ]);
}

#[test]
fn settings() {
    check(&[
        ("SET lock_wait_timeout = 5", "set lock_wait_timeout = 5"),
        (
            "SET SESSION sql_mode = 'A,B', @@global.max_connections = 1 + 2, @@x := 3, @Y = (SELECT 1), local z = DEFAULT",
            "set sql_mode = 'A,B'; set max_connections = 1 + 2; set x = 3; set @y = (SELECT 1); set z = DEFAULT",
        ),
        (
            "SET PERSIST innodb_lock_wait_timeout = 1",
            "set innodb_lock_wait_timeout = 1",
        ),
        (
            "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
            "set names = utf8mb4 COLLATE utf8mb4_bin",
        ),
        ("SET CHARACTER SET latin1", "set character set = latin1"),
        (
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "set transaction = ISOLATION LEVEL READ COMMITTED",
        ),
        ("SET PASSWORD FOR a = 'x'", "privileges"),
        ("SET DEFAULT ROLE a TO b", "privileges"),
        ("SET ROLE r", "set role = r"),
        (
            "SET STATEMENT max_statement_time = 1, lock_wait_timeout = 2 FOR ALTER TABLE t ADD a int",
            "set max_statement_time = 1; set lock_wait_timeout = 2; t add a int",
        ),
        ("USE d", "set database = d"),
        (
            "/*!40101 SET character_set_client = utf8mb4 */",
            "set character_set_client = utf8mb4",
        ),
    ]);
}

#[test]
fn other_statements() {
    check(&[
        ("LOCK TABLES a READ, d.b AS x WRITE", "lock a; lock d.b"),
        ("LOCK INSTANCE FOR BACKUP", "Harmless"),
        ("UNLOCK TABLES", "Harmless"),
        ("FLUSH TABLES a, b WITH READ LOCK", "lock a; lock b"),
        (
            "FLUSH TABLES WITH READ LOCK",
            "opaque: it locks all tables of the server",
        ),
        ("FLUSH LOCAL PRIVILEGES", "Harmless"),
        ("FLUSH TABLES a", "Harmless"),
        (
            "OPTIMIZE TABLE a, d.b",
            "rewrite a OPTIMIZE TABLE; rewrite d.b OPTIMIZE TABLE",
        ),
        ("REPAIR LOCAL TABLE a QUICK", "rewrite a REPAIR TABLE"),
        ("ANALYZE TABLE a, b", "Harmless"),
        ("CHECK TABLE a", "Harmless"),
        ("ANALYZE FORMAT=JSON UPDATE t SET a = 1", "update t"),
        ("CHECKSUM TABLE a", "Query"),
        ("GRANT SELECT ON *.* TO a", "privileges"),
        ("REVOKE ALL ON d.* FROM a", "privileges revokes"),
        (
            "CREATE USER IF NOT EXISTS a IDENTIFIED BY 'secret'",
            "privileges",
        ),
        ("ALTER USER a ACCOUNT LOCK", "privileges"),
        ("DROP USER a", "privileges revokes"),
        ("DROP ROLE IF EXISTS r", "privileges revokes"),
        ("RENAME USER a TO b", "privileges revokes"),
        ("START TRANSACTION", "TransactionControl"),
        ("BEGIN WORK", "TransactionControl"),
        ("XA START 'x'", "TransactionControl"),
        ("ROLLBACK TO SAVEPOINT a", "TransactionControl"),
        ("SELECT 1 INTO @a", "Query"),
        ("(SELECT 1) UNION (SELECT 2)", "Query"),
        ("WITH q AS (SELECT 1) SELECT * FROM q", "Query"),
        ("SHOW TABLES", "Query"),
        ("EXPLAIN DELETE FROM t", "Query"),
        ("DO SLEEP(1)", "Query"),
        ("INSTALL SONAME 'x'", "create Other x"),
        ("UNINSTALL PLUGIN IF EXISTS p", "drop Other p if-exists"),
        ("CALL p()", "opaque: CALL runs a procedure"),
        (
            "PREPARE s FROM 'SELECT 1'",
            "opaque: the statement of PREPARE is put together only when it runs",
        ),
        (
            "EXECUTE IMMEDIATE 'SELECT 1'",
            "opaque: the statement of EXECUTE is put together only when it runs",
        ),
        ("DEALLOCATE PREPARE s", "Harmless"),
        (
            "BEGIN NOT ATOMIC SELECT 1; END",
            "opaque: it is a block of statements that decides for itself what it does",
        ),
        (
            "IF 1 THEN SELECT 1; END IF",
            "opaque: it is a block of statements that decides for itself what it does",
        ),
        (
            "l: LOOP LEAVE l; END LOOP",
            "opaque: it is a block of statements that decides for itself what it does",
        ),
        (
            "KILL 5",
            "opaque: statements that begin with KILL are not known",
        ),
        (
            "FROBNICATE t",
            "opaque: statements that begin with FROBNICATE are not known",
        ),
    ]);
}

#[test]
fn nothing_is_no_operation() {
    check(&[("", ""), (" /* nothing */ -- here", "")]);
}

/// A join of more tables than any server takes is not followed.
#[test]
fn many_tables_are_not_many_times_the_work() {
    let tables: Vec<String> = (0..5000).map(|table| format!("t{table}")).collect();
    let text = format!("DELETE {} FROM {}", tables.join(","), tables.join(" JOIN "));
    assert!(operations(Mysql, &text).list.len() < 100);
}
