use super::test_lines::{lines, spans};
use crate::Dialect::Postgres;

#[track_caller]
fn check(table: &[(&str, &str)]) {
    super::test_lines::check(Postgres, table);
}

#[test]
fn other_objects_altered() {
    check(&[
        ("ALTER VIEW v RENAME TO w", "rename View v to w"),
        ("ALTER VIEW v RENAME COLUMN a TO b", "v rename a to b"),
        ("ALTER VIEW v OWNER TO me", "View v other OWNER TO"),
        (
            "ALTER MATERIALIZED VIEW v SET TABLESPACE x",
            "rewrite v SET TABLESPACE",
        ),
        ("ALTER INDEX s.i RENAME TO j", "rename Index s.i to s.j"),
        (
            "ALTER INDEX i SET TABLESPACE x",
            "Index i other SET TABLESPACE",
        ),
        (
            "ALTER INDEX i ATTACH PARTITION j",
            "Index i other ATTACH PARTITION",
        ),
        ("ALTER SEQUENCE q SET SCHEMA s", "rename Sequence q to s.q"),
        (
            "ALTER SEQUENCE q RESTART WITH 5",
            "Sequence q other RESTART",
        ),
        ("ALTER SEQUENCE q OWNED BY t.a", "Sequence q other OWNED BY"),
        (
            "ALTER TYPE t ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'b'",
            "t add value it's if-not-exists",
        ),
        (
            "ALTER TYPE t RENAME VALUE 'a' TO 'b'",
            "t rename value a to b",
        ),
        (
            "ALTER TYPE t RENAME ATTRIBUTE a TO b",
            "Type t other RENAME ATTRIBUTE",
        ),
        ("ALTER TYPE s.t RENAME TO u", "rename Type s.t to s.u"),
        (
            "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value NOT IN (1)) NOT VALID",
            "d domain constraint not-valid",
        ),
        ("ALTER DOMAIN d SET NOT NULL", "d domain constraint"),
        ("ALTER DOMAIN d DROP NOT NULL", "Domain d other DROP NOT"),
        ("ALTER DOMAIN d SET SCHEMA s", "rename Domain d to s.d"),
        ("ALTER SCHEMA a RENAME TO b", "rename Schema a to b"),
        (
            "ALTER FUNCTION s.f(int, text) SET SCHEMA u",
            "rename Function s.f to u.f",
        ),
        (
            "ALTER FUNCTION f() OWNER TO me",
            "Function f other OWNER TO",
        ),
        (
            "ALTER TRIGGER g ON s.t RENAME TO h",
            "rename Trigger g on s.t to h",
        ),
        ("ALTER POLICY p ON t TO PUBLIC", "Other p other TO PUBLIC"),
        (
            "ALTER OPERATOR CLASS c USING btree RENAME TO d",
            "rename Other c to d",
        ),
        ("ALTER EXTENSION e UPDATE TO '2'", "Other e other UPDATE TO"),
        (
            "ALTER ROLE r SET lock_timeout = 1",
            "Other r other SET LOCK_TIMEOUT",
        ),
        ("ALTER SYSTEM SET a = 1", "Other system other SET"),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT ALL ON TABLES TO r",
            "privileges",
        ),
        (
            "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM r",
            "privileges revokes",
        ),
        ("ALTER WIDGET w", "opaque: ALTER WIDGET is not known"),
    ]);
}

#[test]
fn other_objects_created() {
    check(&[
        (
            "CREATE OR REPLACE VIEW s.v AS SELECT 1",
            "create View s.v or-replace",
        ),
        (
            "CREATE TEMP RECURSIVE VIEW v (a) AS SELECT 1",
            "create View v",
        ),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1",
            "create MaterializedView v if-not-exists",
        ),
        (
            "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
            "create Function f or-replace",
        ),
        (
            "CREATE PROCEDURE p() LANGUAGE sql AS ''",
            "create Procedure p",
        ),
        (
            "CREATE CONSTRAINT TRIGGER g AFTER UPDATE OF a, b OR DELETE ON s.t FOR EACH ROW EXECUTE FUNCTION f()",
            "create Trigger g on s.t",
        ),
        ("CREATE POLICY p ON t USING (true)", "create Other p on t"),
        (
            "CREATE OR REPLACE RULE r AS ON INSERT TO s.t DO INSTEAD NOTHING",
            "create Other r on s.t or-replace",
        ),
        (
            "CREATE EVENT TRIGGER g ON ddl_command_start EXECUTE FUNCTION f()",
            "create Other g",
        ),
        (
            "CREATE SEQUENCE IF NOT EXISTS q OWNED BY t.a",
            "create Sequence q if-not-exists",
        ),
        (
            "CREATE TYPE s.t AS ENUM ('a', 'b''c')",
            "create Type s.t [\"a\", \"b'c\"]",
        ),
        ("CREATE TYPE t AS (a int)", "create Type t"),
        (
            "CREATE DOMAIN d AS int CHECK (value > 0)",
            "create Domain d",
        ),
        (
            "CREATE SCHEMA IF NOT EXISTS s",
            "create Schema s if-not-exists",
        ),
        ("CREATE SCHEMA AUTHORIZATION me", "create Schema me"),
        (
            "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA s",
            "create Other uuid-ossp if-not-exists",
        ),
        ("CREATE CAST (a AS b) WITHOUT FUNCTION", "create Other cast"),
        (
            "CREATE OPERATOR s.@@ (FUNCTION = f)",
            "create Other operator",
        ),
        ("CREATE USER MAPPING FOR me SERVER s", "create Other me"),
        (
            "CREATE TEXT SEARCH CONFIGURATION c (COPY = x)",
            "create Other c",
        ),
        ("CREATE WIDGET w", "opaque: CREATE WIDGET is not known"),
    ]);
}

#[test]
fn dropped() {
    check(&[
        (
            "DROP TABLE IF EXISTS a, s.b CASCADE",
            "drop Table a if-exists cascade; drop Table s.b if-exists cascade",
        ),
        ("DROP FOREIGN TABLE a", "drop Table a"),
        ("DROP VIEW a RESTRICT", "drop View a"),
        (
            "DROP FUNCTION f(int, text), g",
            "drop Function f; drop Function g",
        ),
        ("DROP AGGREGATE f(*)", "drop Function f"),
        (
            "DROP TRIGGER IF EXISTS g ON s.t CASCADE",
            "drop Trigger g on s.t if-exists cascade",
        ),
        ("DROP POLICY p ON t", "drop Other p on t"),
        ("DROP SCHEMA s", "drop Schema s"),
        ("DROP TYPE t", "drop Type t"),
        ("DROP EXTENSION IF EXISTS e", "drop Other e if-exists"),
        ("DROP CAST IF EXISTS (a AS b)", "drop Other cast if-exists"),
        (
            "DROP OPERATOR @@ (int, int), s.+ (NONE, int) CASCADE",
            "drop Other operator cascade; drop Other operator cascade",
        ),
        (
            "DROP OPERATOR CLASS c USING btree CASCADE",
            "drop Other c cascade",
        ),
        ("DROP USER MAPPING FOR me SERVER s", "drop Other me"),
        (
            "DROP OWNED BY me",
            "opaque: which objects DROP OWNED drops depends on who owns them",
        ),
        ("DROP TABLE", "opaque: what DROP TABLE drops was not found"),
    ]);
}

#[test]
fn rows() {
    check(&[
        (
            "INSERT INTO s.t AS x (a, b[1], \"C\") OVERRIDING SYSTEM VALUE VALUES (1, 2, 3)",
            "insert s.t [\"a\", \"b\", \"C\"]",
        ),
        ("INSERT INTO t (SELECT 1)", "insert t []"),
        ("INSERT INTO t DEFAULT VALUES", "insert t []"),
        (
            "UPDATE ONLY t AS x SET a = CASE WHEN 1 THEN 2 END, b = (SELECT 1 WHERE c) FROM u WHERE x.a = u.a AND (b OR c) RETURNING *",
            "update t where x.a = u.a AND (b OR c)",
        ),
        ("UPDATE t SET a = 1", "update t"),
        (
            "UPDATE t SET a = 1 WHERE CURRENT OF c",
            "update t where CURRENT OF c",
        ),
        (
            "DELETE FROM t USING u WHERE t.a = u.a",
            "delete t where t.a = u.a",
        ),
        ("DELETE FROM t", "delete t"),
        (
            "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.x THEN UPDATE SET a = CASE WHEN b THEN 2 END WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
            "update t where t.id = s.id; delete t where t.id = s.id; insert t [\"a\"]",
        ),
        (
            "WITH x AS (SELECT 1) UPDATE t SET a = 1 WHERE b",
            "update t where b",
        ),
        (
            "WITH RECURSIVE x (n) AS MATERIALIZED (DELETE FROM t WHERE (a) RETURNING *), y AS (SELECT 1) INSERT INTO u SELECT * FROM x",
            "delete t where (a); insert u []",
        ),
        (
            "WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x FOR UPDATE",
            "update t",
        ),
        ("COPY t (a, b) FROM STDIN", "insert t [\"a\", \"b\"]"),
        ("COPY t TO STDOUT", "Query"),
        ("COPY (DELETE FROM t RETURNING *) TO STDOUT", "delete t"),
        (
            "TRUNCATE TABLE ONLY a, s.b * RESTART IDENTITY CASCADE",
            "truncate a cascade; truncate s.b cascade",
        ),
        ("LOCK TABLE a, b IN SHARE MODE", "lock a; lock b"),
        (
            "MERGE INTO t USING s ON a WHEN MATCHED THEN DO NOTHING",
            "opaque: what the MERGE does was not found",
        ),
        ("INSERT", "opaque: the table of the INSERT was not found"),
    ]);
}

#[test]
fn queries() {
    for text in [
        "SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT setval('q', 5), nextval('q')",
        "SELECT insert(a), update(b) FROM t FOR UPDATE",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES (1), (2)",
        "TABLE t",
        "SHOW lock_timeout",
        "EXPLAIN DELETE FROM t",
        "EXPLAIN (ANALYZE false) DELETE FROM t",
        "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
    ] {
        assert_eq!(lines(Postgres, text), ["Query"], "{text}");
    }
    check(&[(
        "EXPLAIN ANALYZE VERBOSE DELETE FROM t WHERE a",
        "delete t where a",
    )]);
}

#[test]
fn settings() {
    check(&[
        ("SET lock_timeout = '5s'", "set lock_timeout = '5s'"),
        (
            "SET LOCAL Statement_Timeout TO 0",
            "set statement_timeout = 0",
        ),
        ("SET search_path = a, \"B\"", "set search_path = a, \"B\""),
        ("SET app.user = 'x'", "set app.user = 'x'"),
        ("SET TIME ZONE 'UTC'", "set timezone = 'UTC'"),
        ("SET ROLE me", "set role = me"),
        ("SET role = me", "set role = me"),
        (
            "SET SESSION AUTHORIZATION me",
            "set session_authorization = me",
        ),
        ("RESET lock_timeout", "set lock_timeout = DEFAULT"),
        ("RESET ALL", "set all = DEFAULT"),
        (
            "SELECT set_config('lock_timeout', '5s', true), pg_catalog.set_config('search_path', '', false)",
            "set lock_timeout = '5s'; set search_path = ''",
        ),
        ("SET TRANSACTION READ ONLY", "TransactionControl"),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "TransactionControl",
        ),
        ("SET CONSTRAINTS ALL DEFERRED", "Harmless"),
    ]);
}

#[test]
fn maintenance_and_the_rest() {
    check(&[
        ("VACUUM (ANALYZE) t", "Harmless"),
        (
            "VACUUM (FULL, ANALYZE) a, b (c)",
            "rewrite a VACUUM FULL; rewrite b VACUUM FULL",
        ),
        ("VACUUM FULL", "rewrite VACUUM FULL"),
        ("CLUSTER VERBOSE t USING i", "rewrite t CLUSTER"),
        ("CLUSTER i ON s.t", "rewrite s.t CLUSTER"),
        ("REPACK t", "rewrite t REPACK"),
        ("REPACK (CONCURRENTLY) t", "Harmless"),
        ("ANALYZE t", "Harmless"),
        (
            "REFRESH MATERIALIZED VIEW CONCURRENTLY s.v",
            "refresh s.v concurrently",
        ),
        ("GRANT ALL ON t TO me", "privileges"),
        ("REVOKE ALL ON t FROM me", "privileges revokes"),
        ("REASSIGN OWNED BY a TO b", "privileges revokes"),
        ("COMMENT ON TABLE t IS 'x'", "Harmless"),
        ("SECURITY LABEL ON TABLE t IS 'x'", "Harmless"),
        ("NOTIFY x", "Harmless"),
        ("BEGIN", "TransactionControl"),
        ("ROLLBACK TO SAVEPOINT a", "TransactionControl"),
        ("PREPARE TRANSACTION 'x'", "TransactionControl"),
        ("PREPARE p AS SELECT 1", "Harmless"),
        ("DO $$ BEGIN END $$", "opaque: DO runs code of its own"),
        ("CALL p()", "opaque: CALL runs a procedure"),
        (
            "EXECUTE p",
            "opaque: EXECUTE runs a statement that was prepared elsewhere",
        ),
        (
            "WOBBLE x",
            "opaque: statements that begin with WOBBLE are not known",
        ),
        ("'x'", "opaque: it does not begin with a word of SQL"),
        ("", ""),
    ]);
}

#[test]
fn an_operation_spans_its_own_words() {
    let expected = [
        "ADD a int /* , */ NOT NULL",
        "DROP COLUMN b",
        "SET (x = 1, y = 2)",
    ];
    let text = "ALTER TABLE t ADD a int /* , */ NOT NULL , DROP COLUMN b,SET (x = 1, y = 2) -- end";
    assert_eq!(spans(Postgres, text), expected);
    assert_eq!(
        spans(Postgres, "DROP TABLE a CASCADE"),
        ["DROP TABLE a CASCADE"]
    );
    assert_eq!(spans(Postgres, "DROP TABLE a, s.b CASCADE"), ["a", "s.b"]);
    assert_eq!(spans(Postgres, "TRUNCATE ONLY a, b"), ["ONLY a", "b"]);
    assert_eq!(
        spans(
            Postgres,
            "WITH x AS (DELETE FROM t WHERE (a) RETURNING *) INSERT INTO u TABLE x"
        ),
        [
            "DELETE FROM t WHERE (a) RETURNING *",
            "WITH x AS (DELETE FROM t WHERE (a) RETURNING *) INSERT INTO u TABLE x"
        ]
    );
}
