//! After a crash the catalog must tell whether a statement took effect.

use forerun_migrations::database::{Fingerprint, Session};
use forerun_sql::{Dialect, classify};
use forerun_test_support::MariadbServer;

use super::connect;

async fn fingerprint(session: &mut dyn Session, sql: &str) -> Fingerprint {
    session
        .fingerprint(&classify(Dialect::Mysql, sql))
        .await
        .unwrap()
}

/// Statements that run one after the other, each of which must change the fingerprint of its objects.
const CHANGES: &[&str] = &[
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20))",
    "CREATE TABLE `we``ird name` (id INT)",
    "ALTER TABLE t ADD COLUMN c INT",
    "ALTER TABLE t MODIFY c BIGINT NOT NULL DEFAULT 5, COMMENT = 'x'",
    "ALTER TABLE t RENAME COLUMN c TO d",
    "CREATE INDEX i ON t (a)",
    "CREATE UNIQUE INDEX j ON t (b)",
    "ALTER TABLE t RENAME INDEX i TO k",
    "DROP INDEX k ON t",
    "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0)",
    "CREATE OR REPLACE TABLE copied AS SELECT 1 AS one",
    "CREATE TABLE alike LIKE t",
    "CREATE VIEW v AS SELECT a FROM t",
    "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t",
    "ALTER VIEW v AS SELECT b FROM t",
    "DROP VIEW v",
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    "DROP TRIGGER g",
    "CREATE PROCEDURE p() SELECT 1",
    "ALTER PROCEDURE p COMMENT 'x'",
    "DROP PROCEDURE p",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
    "DROP FUNCTION f",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @a = 1",
    "ALTER EVENT e DISABLE",
    "DROP EVENT e",
    "CREATE SEQUENCE s START WITH 7",
    "ALTER SEQUENCE s INCREMENT BY 3",
    "DROP SEQUENCE s",
    "RENAME TABLE t TO renamed",
    "ALTER TABLE renamed RENAME TO t",
    "RENAME TABLE t TO moved, alike TO moved_too",
    "RENAME TABLE moved TO t",
    "DROP TABLE copied, `we``ird name`",
    "CREATE DATABASE IF NOT EXISTS fingerprint_other",
    "ALTER DATABASE fingerprint_other CHARACTER SET latin1",
    "CREATE TABLE fingerprint_other.t (a INT)",
    "DROP TABLE fingerprint_other.t",
    "DROP DATABASE fingerprint_other",
];

#[tokio::test]
async fn every_kind_of_definition_shows_its_change() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    for sql in CHANGES {
        let before = fingerprint(session.as_mut(), sql).await;
        assert!(
            matches!(before, Fingerprint::Definition(_) | Fingerprint::Absent(_)),
            "{sql}: {before:?}"
        );
        assert_eq!(fingerprint(session.as_mut(), sql).await, before, "{sql}");
        session
            .run(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let after = fingerprint(session.as_mut(), sql).await;
        assert!(
            matches!(after, Fingerprint::Definition(_)),
            "{sql}: {after:?}"
        );
        assert_ne!(after, before, "{sql}");
    }
}

#[tokio::test]
async fn what_does_not_change_a_definition_does_not_show() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, at TIMESTAMP DEFAULT '2026-01-01 00:00:00')");
    let mut session = connect(&target.url, "run-1").await;
    let sql = "ALTER TABLE t ADD COLUMN c INT";
    let before = fingerprint(session.as_mut(), sql).await;
    session
        .run("INSERT INTO t (id) VALUES (NULL), (NULL)")
        .await
        .unwrap();
    for careless in [
        "SET sql_mode = 'ANSI'",
        "SET time_zone = '+05:00'",
        "SET sql_quote_show_create = 0",
    ] {
        session.run(careless).await.unwrap();
        assert_eq!(
            fingerprint(session.as_mut(), sql).await,
            before,
            "{careless}"
        );
    }
    let row = session
        .first_row("SELECT @@sql_mode LIKE '%ANSI%' AS ansi, @@time_zone AS zone")
        .await
        .unwrap();
    assert_eq!(
        row.as_deref(),
        Some("ansi=1, zone=+05:00"),
        "the script's settings stay"
    );
}

#[tokio::test]
async fn a_part_of_a_statement_is_not_the_statement() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE a (i INT); CREATE TABLE b (i INT)");
    let mut session = connect(&target.url, "run-1").await;
    let (drop, rename) = ("DROP TABLE IF EXISTS a, b", "RENAME TABLE a TO c, b TO d");
    let before = (
        fingerprint(session.as_mut(), drop).await,
        fingerprint(session.as_mut(), rename).await,
    );
    session.run("RENAME TABLE a TO c").await.unwrap();
    assert_eq!(fingerprint(session.as_mut(), drop).await, before.0);
    assert_eq!(fingerprint(session.as_mut(), rename).await, before.1);
    session.run("RENAME TABLE b TO d").await.unwrap();
    assert_ne!(fingerprint(session.as_mut(), drop).await, before.0);
    assert_ne!(fingerprint(session.as_mut(), rename).await, before.1);
}

#[tokio::test]
async fn some_statements_may_be_repeated_and_some_cannot_be_told() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (10)); CREATE TABLE u (a INT)");
    let mut session = connect(&target.url, "run-1").await;
    for sql in [
        "TRUNCATE TABLE t",
        "ANALYZE TABLE t",
        "OPTIMIZE TABLE t",
        "REPAIR TABLE t",
        "FLUSH TABLES",
        "GRANT SELECT ON t TO root@'127.0.0.1'",
        "SET foreign_key_checks = 0",
    ] {
        assert_eq!(
            fingerprint(session.as_mut(), sql).await,
            Fingerprint::Repeatable,
            "{sql}"
        );
    }
    for sql in [
        "REVOKE SELECT ON t FROM root@'127.0.0.1'",
        "CREATE USER x@localhost",
        "CALL something()",
        "LOAD DATA INFILE '/x' INTO TABLE t",
        "INSTALL SONAME 'ha_archive'",
        // Run twice, it would be undone.
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
        "RENAME TABLE t TO swap, u TO t, swap TO u",
    ] {
        assert_eq!(
            fingerprint(session.as_mut(), sql).await,
            Fingerprint::Unknown,
            "{sql}"
        );
    }
}

/// What such a statement is about does not depend on anything else.
#[tokio::test]
async fn one_new_object_is_absent_before() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT)");
    let mut session = connect(&target.url, "run-1").await;
    for (sql, absent) in [
        ("CREATE TABLE new (id INT)", true),
        ("CREATE TABLE IF NOT EXISTS new LIKE t", true),
        ("CREATE OR REPLACE VIEW new AS SELECT id FROM t", true),
        ("CREATE PROCEDURE new() SELECT 1", true),
        ("CREATE TABLE IF NOT EXISTS t (other INT)", false),
        ("CREATE OR REPLACE TABLE t (other INT)", false),
        ("CREATE INDEX t_id ON t (id)", false),
        ("CREATE INDEX new_id ON new (id)", false),
        ("ALTER TABLE new ADD COLUMN a INT", false),
        ("DROP TABLE IF EXISTS new", false),
        ("RENAME TABLE new TO newer", false),
    ] {
        let before = fingerprint(session.as_mut(), sql).await;
        assert_eq!(
            matches!(before, Fingerprint::Absent(_)),
            absent,
            "{sql}: {before:?}"
        );
    }
}
