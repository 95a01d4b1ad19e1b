//! What each kind of statement is, per dialect.

use super::LockClass::{BlockingDdl, Dml, OnlineBuild, Other, Query};
use super::TransactionUse::{Begin, Commit, Inside, Outside, Rollback, Savepoint};
use super::*;

type Row = (
    &'static str,
    &'static str,
    TransactionUse,
    LockClass,
    &'static str,
);

fn objects(found: &Classification) -> String {
    let one = |object: &ObjectName| {
        let schema = object.schema.as_ref().map(|schema| format!("{schema}."));
        format!(
            "{:?} {}{}",
            object.kind,
            schema.unwrap_or_default(),
            object.name
        )
    };
    found.objects.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn check(dialect: Dialect, rows: &[Row]) {
    for (text, verb, transaction, lock, named) in rows {
        let found = classify(dialect, text);
        assert_eq!(found.verb, *verb, "{text}");
        assert_eq!(found.transaction, *transaction, "{text}");
        assert_eq!(found.lock, *lock, "{text}");
        assert_eq!(objects(&found), *named, "{text}");
    }
}

#[test]
fn postgres() {
    check(
        Dialect::Postgres,
        &[
            ("select 1", "SELECT", Inside, Query, ""),
            ("((SELECT 1))", "SELECT", Inside, Query, ""),
            (
                "WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE",
                "WITH",
                Inside,
                Query,
                "",
            ),
            (
                "WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a",
                "WITH",
                Inside,
                Dml,
                "",
            ),
            (
                "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a",
                "WITH",
                Inside,
                Dml,
                "",
            ),
            (
                "INSERT INTO a.B VALUES (1)",
                "INSERT",
                Inside,
                Dml,
                "Table a.b",
            ),
            (
                "UPDATE ONLY \"T\" SET a = 1",
                "UPDATE",
                Inside,
                Dml,
                "Table T",
            ),
            ("DELETE FROM t", "DELETE", Inside, Dml, "Table t"),
            ("COPY t (a) FROM STDIN", "COPY", Inside, Dml, "Table t"),
            ("COPY (SELECT 1) TO STDOUT", "COPY", Inside, Query, ""),
            (
                "BEGIN ISOLATION LEVEL SERIALIZABLE",
                "BEGIN",
                Begin,
                Other,
                "",
            ),
            ("START TRANSACTION", "START TRANSACTION", Begin, Other, ""),
            ("COMMIT AND CHAIN", "COMMIT", Commit, Other, ""),
            ("END", "END", Commit, Other, ""),
            ("ROLLBACK", "ROLLBACK", Rollback, Other, ""),
            ("ABORT WORK", "ABORT", Rollback, Other, ""),
            (
                "ROLLBACK WORK TO SAVEPOINT a",
                "ROLLBACK",
                Savepoint,
                Other,
                "",
            ),
            ("SAVEPOINT a", "SAVEPOINT", Savepoint, Other, ""),
            ("COMMIT PREPARED 'a'", "COMMIT PREPARED", Outside, Other, ""),
            (
                "PREPARE TRANSACTION 'a'",
                "PREPARE TRANSACTION",
                Outside,
                Other,
                "",
            ),
            ("PREPARE a AS SELECT 1", "PREPARE", Inside, Other, ""),
            ("DISCARD ALL", "DISCARD ALL", Outside, Other, ""),
            ("SET search_path = a", "SET", Inside, Other, ""),
            ("DO $$ BEGIN END $$", "DO", Inside, Other, ""),
            ("frobnicate", "FROBNICATE", Inside, Other, ""),
            ("", "", Inside, Other, ""),
            (
                "/* x */ CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I\"\"x\" ON ONLY s.T (a)",
                "CREATE UNIQUE INDEX CONCURRENTLY",
                Outside,
                OnlineBuild,
                "Index I\"x, Table s.t",
            ),
            (
                "CREATE INDEX ON t (a)",
                "CREATE INDEX",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "DROP INDEX CONCURRENTLY IF EXISTS s.i",
                "DROP INDEX CONCURRENTLY",
                Outside,
                OnlineBuild,
                "Index s.i",
            ),
            (
                "DROP INDEX i, j",
                "DROP INDEX",
                Inside,
                BlockingDdl,
                "Index i, Index j",
            ),
            (
                "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
                "REINDEX TABLE CONCURRENTLY",
                Outside,
                OnlineBuild,
                "Table t",
            ),
            (
                "REINDEX INDEX CONCURRENTLY i",
                "REINDEX INDEX CONCURRENTLY",
                Outside,
                OnlineBuild,
                "Index i",
            ),
            (
                "REINDEX TABLE t",
                "REINDEX TABLE",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "REINDEX DATABASE d",
                "REINDEX DATABASE",
                Outside,
                BlockingDdl,
                "Database d",
            ),
            ("VACUUM", "VACUUM", Outside, OnlineBuild, ""),
            (
                "VACUUM (ANALYZE, FULL OFF) t",
                "VACUUM",
                Outside,
                OnlineBuild,
                "Table t",
            ),
            (
                "VACUUM FULL a, b",
                "VACUUM FULL",
                Outside,
                BlockingDdl,
                "Table a, Table b",
            ),
            ("ANALYZE t (a)", "ANALYZE", Inside, OnlineBuild, "Table t"),
            ("CLUSTER", "CLUSTER", Outside, BlockingDdl, ""),
            (
                "CLUSTER t USING i",
                "CLUSTER",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "CREATE DATABASE d",
                "CREATE DATABASE",
                Outside,
                BlockingDdl,
                "Database d",
            ),
            (
                "DROP DATABASE IF EXISTS d",
                "DROP DATABASE",
                Outside,
                BlockingDdl,
                "Database d",
            ),
            (
                "ALTER DATABASE d SET TABLESPACE s",
                "ALTER DATABASE",
                Outside,
                BlockingDdl,
                "Database d",
            ),
            (
                "ALTER DATABASE d SET work_mem = 1",
                "ALTER DATABASE",
                Inside,
                BlockingDdl,
                "Database d",
            ),
            (
                "CREATE TABLESPACE s LOCATION '/x'",
                "CREATE TABLESPACE",
                Outside,
                BlockingDdl,
                "Other s",
            ),
            ("ALTER SYSTEM SET a = 1", "ALTER SYSTEM", Outside, Other, ""),
            (
                "DROP SUBSCRIPTION s",
                "DROP SUBSCRIPTION",
                Outside,
                BlockingDdl,
                "Other s",
            ),
            (
                "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
                "ALTER SUBSCRIPTION",
                Outside,
                BlockingDdl,
                "Other s",
            ),
            (
                "ALTER SUBSCRIPTION s DISABLE",
                "ALTER SUBSCRIPTION",
                Inside,
                BlockingDdl,
                "Other s",
            ),
            (
                "ALTER TABLE p DETACH PARTITION s.c CONCURRENTLY",
                "ALTER TABLE",
                Outside,
                OnlineBuild,
                "Table p, Table s.c",
            ),
            (
                "ALTER TABLE a RENAME TO b",
                "ALTER TABLE",
                Inside,
                BlockingDdl,
                "Table a, Table b",
            ),
            (
                "ALTER TABLE a VALIDATE CONSTRAINT c",
                "ALTER TABLE",
                Inside,
                OnlineBuild,
                "Table a",
            ),
            (
                "ALTER TABLE a VALIDATE CONSTRAINT c, ADD d int",
                "ALTER TABLE",
                Inside,
                BlockingDdl,
                "Table a",
            ),
            (
                "ALTER TYPE t ADD VALUE IF NOT EXISTS 'it''s' AFTER 'x'",
                "ALTER TYPE ADD VALUE",
                Outside,
                BlockingDdl,
                "Type t",
            ),
            (
                "ALTER TYPE t RENAME VALUE 'a' TO 'b'",
                "ALTER TYPE",
                Inside,
                BlockingDdl,
                "Type t",
            ),
            (
                "CREATE TABLE IF NOT EXISTS t (a int)",
                "CREATE TABLE",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "CREATE OR REPLACE VIEW v AS SELECT 1",
                "CREATE VIEW",
                Inside,
                BlockingDdl,
                "View v",
            ),
            (
                "DROP MATERIALIZED VIEW v",
                "DROP MATERIALIZED VIEW",
                Inside,
                BlockingDdl,
                "MaterializedView v",
            ),
            (
                "CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()",
                "CREATE TRIGGER",
                Inside,
                BlockingDdl,
                "Trigger g, Table t",
            ),
            (
                "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
                "CREATE TRIGGER",
                Inside,
                BlockingDdl,
                "Trigger g, Table t",
            ),
            (
                "DROP FUNCTION f(int, text), g(int)",
                "DROP FUNCTION",
                Inside,
                BlockingDdl,
                "Function f, Function g",
            ),
            ("CREATE ROLE r", "CREATE ROLE", Inside, Other, "Other r"),
            ("GRANT SELECT ON t TO r", "GRANT", Inside, Other, ""),
            (
                "TRUNCATE TABLE ONLY a, b CASCADE",
                "TRUNCATE",
                Inside,
                BlockingDdl,
                "Table a, Table b",
            ),
        ],
    );
}

#[test]
fn postgres_table_locks() {
    for (text, lock) in [
        ("SELECT 1", Some("ACCESS SHARE")),
        ("UPDATE t SET a = 1", Some("ROW EXCLUSIVE")),
        ("CREATE INDEX i ON t (a)", Some("SHARE")),
        (
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            Some("SHARE UPDATE EXCLUSIVE"),
        ),
        ("DROP INDEX i", Some("ACCESS EXCLUSIVE")),
        ("DROP TABLE t", Some("ACCESS EXCLUSIVE")),
        ("CREATE TABLE t (a int)", None),
        (
            "CREATE TABLE t (a int REFERENCES b)",
            Some("SHARE ROW EXCLUSIVE"),
        ),
        (
            "CREATE TABLE t PARTITION OF p DEFAULT",
            Some("ACCESS EXCLUSIVE"),
        ),
        ("ALTER TABLE t ADD a int", Some("ACCESS EXCLUSIVE")),
        (
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b",
            Some("SHARE ROW EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            Some("ACCESS EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            Some("SHARE UPDATE EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t ALTER a SET STATISTICS 100",
            Some("SHARE UPDATE EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
            Some("ACCESS EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t SET (fillfactor = 70)",
            Some("SHARE UPDATE EXCLUSIVE"),
        ),
        (
            "ALTER TABLE t SET (fillfactor = 70), DISABLE TRIGGER g",
            Some("SHARE ROW EXCLUSIVE"),
        ),
        ("ALTER TABLE t SET UNLOGGED", Some("ACCESS EXCLUSIVE")),
        (
            "ALTER TABLE t ATTACH PARTITION p DEFAULT",
            Some("SHARE UPDATE EXCLUSIVE"),
        ),
        ("ALTER TABLE t DETACH PARTITION p", Some("ACCESS EXCLUSIVE")),
        ("ALTER INDEX i RENAME TO j", Some("SHARE UPDATE EXCLUSIVE")),
        (
            "LOCK TABLE a, b IN SHARE ROW EXCLUSIVE MODE NOWAIT",
            Some("SHARE ROW EXCLUSIVE"),
        ),
        ("LOCK t", Some("ACCESS EXCLUSIVE")),
        (
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            Some("EXCLUSIVE"),
        ),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''", None),
    ] {
        assert_eq!(classify(Dialect::Postgres, text).table_lock, lock, "{text}");
    }
}

#[test]
fn postgres_names_are_as_in_the_catalog() {
    let found = classify(Dialect::Postgres, "ALTER TYPE mood ADD VALUE E'a\\'b'");
    assert_eq!(found.enum_value.as_deref(), Some("a'b"));
    let long = "é".repeat(40);
    let found = classify(Dialect::Postgres, &format!("DROP TABLE {long}"));
    assert_eq!(found.objects[0].name, "é".repeat(31));
}

#[test]
fn mysql() {
    check(
        Dialect::Mysql,
        &[
            ("SELECT 1", "SELECT", Inside, Query, ""),
            (
                "INSERT IGNORE INTO d.T VALUES (1)",
                "INSERT",
                Inside,
                Dml,
                "Table d.T",
            ),
            (
                "REPLACE INTO t VALUES (1)",
                "REPLACE",
                Inside,
                Dml,
                "Table t",
            ),
            (
                "LOAD DATA INFILE 'x' INTO TABLE t",
                "LOAD DATA",
                Inside,
                Dml,
                "",
            ),
            ("LOAD INDEX INTO CACHE t", "LOAD INDEX", Outside, Other, ""),
            ("START TRANSACTION", "START TRANSACTION", Begin, Other, ""),
            ("BEGIN", "BEGIN", Begin, Other, ""),
            (
                "BEGIN NOT ATOMIC SELECT 1; END",
                "BEGIN NOT ATOMIC",
                Outside,
                Other,
                "",
            ),
            ("ROLLBACK TO s", "ROLLBACK", Savepoint, Other, ""),
            ("SET NAMES utf8mb4", "SET", Inside, Other, ""),
            ("SET @@session.autocommit = 0", "SET", Outside, Other, ""),
            ("SET PASSWORD = 'x'", "SET", Outside, Other, ""),
            (
                "SET STATEMENT max_statement_time = 1 FOR DROP TABLE t",
                "DROP TABLE",
                Outside,
                BlockingDdl,
                "Table t",
            ),
            ("/*!40101 SET NAMES utf8 */", "SET", Inside, Other, ""),
            ("USE d", "USE", Inside, Other, ""),
            ("CALL p()", "CALL", Outside, Other, ""),
            ("GRANT ALL ON *.* TO a", "GRANT", Outside, Other, ""),
            ("FLUSH TABLES", "FLUSH", Outside, Other, ""),
            ("UNLOCK TABLES", "UNLOCK", Outside, Other, ""),
            (
                "LOCK TABLES t WRITE",
                "LOCK TABLES",
                Outside,
                BlockingDdl,
                "Table t",
            ),
            (
                "CREATE TABLE IF NOT EXISTS `d`.`a``b` (x int)",
                "CREATE TABLE",
                Outside,
                BlockingDdl,
                "Table d.a`b",
            ),
            (
                "CREATE TABLE 2fa.3x (x int)",
                "CREATE TABLE",
                Outside,
                BlockingDdl,
                "Table 2fa.3x",
            ),
            (
                "CREATE TABLE 2fa.`t` (x int)",
                "CREATE TABLE",
                Outside,
                BlockingDdl,
                "Table 2fa.t",
            ),
            (
                "CREATE TEMPORARY TABLE t (x int)",
                "CREATE TABLE",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "DROP TEMPORARY TABLE IF EXISTS t",
                "DROP TABLE",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "DROP TABLES IF EXISTS a, d.b",
                "DROP TABLE",
                Outside,
                BlockingDdl,
                "Table a, Table d.b",
            ),
            (
                "ALTER TABLE a ADD x int, RENAME TO d.b",
                "ALTER TABLE",
                Outside,
                BlockingDdl,
                "Table a, Table d.b",
            ),
            (
                "ALTER TABLE a RENAME b",
                "ALTER TABLE",
                Outside,
                BlockingDdl,
                "Table a, Table b",
            ),
            (
                "ALTER TABLE a RENAME COLUMN x TO y, RENAME INDEX i TO j",
                "ALTER TABLE",
                Outside,
                BlockingDdl,
                "Table a",
            ),
            (
                "ALTER ONLINE IGNORE TABLE a ENGINE=InnoDB",
                "ALTER TABLE",
                Outside,
                BlockingDdl,
                "Table a",
            ),
            (
                "ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b",
                "ALTER TABLE",
                Outside,
                BlockingDdl,
                "Table a, Table b",
            ),
            (
                "RENAME TABLE a TO b, d.c WAIT 5 TO d.e",
                "RENAME TABLE",
                Outside,
                BlockingDdl,
                "Table a, Table b, Table d.c, Table d.e",
            ),
            ("TRUNCATE t", "TRUNCATE", Outside, BlockingDdl, "Table t"),
            (
                "CREATE UNIQUE INDEX i USING BTREE ON t (a)",
                "CREATE INDEX",
                Outside,
                BlockingDdl,
                "Index i, Table t",
            ),
            (
                "DROP INDEX `PRIMARY` ON t",
                "DROP INDEX",
                Outside,
                BlockingDdl,
                "Index PRIMARY, Table t",
            ),
            (
                "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW v AS SELECT 1",
                "CREATE VIEW",
                Outside,
                BlockingDdl,
                "View v",
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1 */",
                "CREATE TRIGGER",
                Outside,
                BlockingDdl,
                "Trigger g, Table t",
            ),
            (
                "CREATE DEFINER=CURRENT_USER() PROCEDURE p() SELECT 1",
                "CREATE PROCEDURE",
                Outside,
                BlockingDdl,
                "Procedure p",
            ),
            (
                "CREATE AGGREGATE FUNCTION IF NOT EXISTS f(x INT) RETURNS INT RETURN 1",
                "CREATE FUNCTION",
                Outside,
                BlockingDdl,
                "Function f",
            ),
            (
                "ALTER EVENT e ON SCHEDULE EVERY 1 DAY RENAME TO f",
                "ALTER EVENT",
                Outside,
                BlockingDdl,
                "Event e, Event f",
            ),
            (
                "DROP SEQUENCE a, b",
                "DROP SEQUENCE",
                Outside,
                BlockingDdl,
                "Sequence a, Sequence b",
            ),
            (
                "CREATE DATABASE d",
                "CREATE DATABASE",
                Outside,
                BlockingDdl,
                "Database d",
            ),
            (
                "ALTER DATABASE CHARACTER SET utf8mb4",
                "ALTER DATABASE",
                Outside,
                BlockingDdl,
                "",
            ),
            (
                "CREATE PACKAGE BODY p AS END",
                "CREATE PACKAGE BODY",
                Outside,
                BlockingDdl,
                "Package p",
            ),
            ("CREATE USER a", "CREATE USER", Outside, Other, "Other a"),
            ("DROP USER a", "DROP USER", Outside, Other, ""),
            (
                "ANALYZE LOCAL TABLE a, b",
                "ANALYZE TABLE",
                Outside,
                OnlineBuild,
                "Table a, Table b",
            ),
            (
                "OPTIMIZE TABLE t",
                "OPTIMIZE TABLE",
                Outside,
                BlockingDdl,
                "Table t",
            ),
            ("ANALYZE SELECT 1", "ANALYZE", Inside, Query, ""),
            ("DROP PREPARE s", "DROP PREPARE", Inside, Other, ""),
        ],
    );
}

#[test]
fn sqlite() {
    check(
        Dialect::Sqlite,
        &[
            ("SELECT 1", "SELECT", Inside, Query, ""),
            (
                "INSERT OR REPLACE INTO t VALUES (1)",
                "INSERT",
                Inside,
                Dml,
                "Table t",
            ),
            ("BEGIN IMMEDIATE", "BEGIN", Begin, Other, ""),
            ("END TRANSACTION", "END", Commit, Other, ""),
            (
                "ROLLBACK TRANSACTION TO s",
                "ROLLBACK",
                Savepoint,
                Other,
                "",
            ),
            ("RELEASE s", "RELEASE", Savepoint, Other, ""),
            ("VACUUM INTO 'x'", "VACUUM", Outside, BlockingDdl, ""),
            ("ATTACH 'x' AS y", "ATTACH", Outside, Other, ""),
            (
                "PRAGMA main.journal_mode = WAL",
                "PRAGMA",
                Outside,
                Other,
                "",
            ),
            ("PRAGMA foreign_keys(ON)", "PRAGMA", Outside, Other, ""),
            ("PRAGMA foreign_keys", "PRAGMA", Inside, Query, ""),
            (
                "PRAGMA defer_foreign_keys = ON",
                "PRAGMA",
                Inside,
                Other,
                "",
            ),
            (
                "CREATE TEMP TABLE IF NOT EXISTS [a b] (x)",
                "CREATE TABLE",
                Inside,
                BlockingDdl,
                "Table a b",
            ),
            (
                "CREATE TABLE 'main'.\"T\" (x)",
                "CREATE TABLE",
                Inside,
                BlockingDdl,
                "Table main.T",
            ),
            (
                "CREATE UNIQUE INDEX i ON t (a)",
                "CREATE INDEX",
                Inside,
                BlockingDdl,
                "Index i, Table t",
            ),
            (
                "CREATE VIRTUAL TABLE t USING fts5(x)",
                "CREATE VIRTUAL TABLE",
                Inside,
                BlockingDdl,
                "Table t",
            ),
            (
                "CREATE TRIGGER g UPDATE OF a ON t BEGIN SELECT 1; END",
                "CREATE TRIGGER",
                Inside,
                BlockingDdl,
                "Trigger g, Table t",
            ),
            (
                "ALTER TABLE a RENAME TO b",
                "ALTER TABLE",
                Inside,
                BlockingDdl,
                "Table a, Table b",
            ),
            (
                "ALTER TABLE a RENAME COLUMN x TO y",
                "ALTER TABLE",
                Inside,
                BlockingDdl,
                "Table a",
            ),
            (
                "DROP VIEW IF EXISTS v",
                "DROP VIEW",
                Inside,
                BlockingDdl,
                "View v",
            ),
            ("ANALYZE", "ANALYZE", Inside, OnlineBuild, ""),
        ],
    );
}
