use super::test_lines::{check, spans};
use crate::Dialect::Sqlite;

#[test]
fn tables() {
    check(
        Sqlite,
        &[
            (
                "CREATE TABLE IF NOT EXISTS main.T (id INTEGER PRIMARY KEY ASC ON CONFLICT FAIL AUTOINCREMENT, b VARCHAR(20) COLLATE nocase NOT NULL ON CONFLICT IGNORE DEFAULT 'x', c, [d e] DOUBLE PRECISION) STRICT, WITHOUT ROWID",
                "table main.T (id integer numbered key[\"id\"], b varchar(20) not-null default 'x' collate nocase, c, d e double precision) if-not-exists STRICT= WITHOUT ROWID=",
            ),
            (
                "CREATE TABLE t (a INT DEFAULT -1, b AS (a + 1) STORED, c TEXT GENERATED ALWAYS AS (a) VIRTUAL, d INT REFERENCES u ON DELETE CASCADE, UNIQUE (a, b DESC) ON CONFLICT REPLACE, CONSTRAINT c CHECK (a > 0), FOREIGN KEY (a) REFERENCES u (x))",
                "table t (a int default -1, b as a + 1 stored, c text as a, d int foreign[\"d\"]->u[], unique[\"a\", \"b\"], c:check(a > 0), foreign[\"a\"]->u[\"x\"])",
            ),
            (
                "CREATE TEMP TABLE t AS SELECT 1",
                "table t () temporary incomplete",
            ),
            (
                "CREATE VIRTUAL TABLE t USING fts5(a, b)",
                "table t () incomplete VIRTUAL=fts5",
            ),
            (
                "CREATE TABLE t (like TEXT, exclude)",
                "table t (like text, exclude)",
            ),
            ("ALTER TABLE t RENAME TO u", "rename Table t to u"),
            (
                "ALTER TABLE main.t RENAME COLUMN a TO b",
                "main.t rename a to b",
            ),
            (
                "ALTER TABLE t ADD COLUMN a INTEGER NOT NULL DEFAULT 0",
                "t add a integer not-null default 0",
            ),
            ("ALTER TABLE t ADD a", "t add a"),
            ("ALTER TABLE t DROP COLUMN a", "t drop a"),
            (
                "ALTER TABLE t ALTER COLUMN a SET NOT NULL ON CONFLICT FAIL",
                "t a nullable false",
            ),
            ("ALTER TABLE t ALTER a DROP NOT NULL", "t a nullable true"),
            (
                "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) ON CONFLICT FAIL",
                "t add c:check(a > 0)",
            ),
            ("ALTER TABLE t DROP CONSTRAINT c", "t drop constraint c"),
            (
                "ALTER VIEW v",
                "opaque: the table of the ALTER was not found",
            ),
        ],
    );
}

#[test]
fn other_objects() {
    check(
        Sqlite,
        &[
            (
                "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (a, b COLLATE nocase DESC, a + b, lower(c), d IS NULL) WHERE a > 0",
                "index main.i on t (a b () () ()) unique if-not-exists where a > 0",
            ),
            (
                "CREATE TEMP VIEW IF NOT EXISTS v AS SELECT 1",
                "create View v if-not-exists",
            ),
            (
                "CREATE TRIGGER IF NOT EXISTS g INSTEAD OF UPDATE OF a, b ON t BEGIN DELETE FROM u; END",
                "create Trigger g on t if-not-exists",
            ),
            ("DROP TABLE IF EXISTS main.t", "drop Table main.t if-exists"),
            ("DROP INDEX i", "drop index i"),
            ("DROP TRIGGER g", "drop Trigger g"),
            ("CREATE WIDGET w", "opaque: CREATE WIDGET is not known"),
            ("DROP VIEW", "opaque: what DROP VIEW drops was not found"),
        ],
    );
}

#[test]
fn rows_and_queries() {
    check(
        Sqlite,
        &[
            (
                "INSERT OR REPLACE INTO t (a, b) VALUES (1, 2)",
                "insert t [\"a\", \"b\"]",
            ),
            ("REPLACE INTO t SELECT 1", "insert t []"),
            (
                "UPDATE OR IGNORE t SET a = 1 WHERE b ORDER BY a LIMIT 5",
                "update t where b",
            ),
            (
                "DELETE FROM t WHERE a IN (SELECT 1) RETURNING *",
                "delete t where a IN (SELECT 1)",
            ),
            ("WITH x AS (SELECT 1) DELETE FROM t", "delete t"),
            ("SELECT replace(a, 'b', 'c') FROM t", "Query"),
            ("EXPLAIN QUERY PLAN DELETE FROM t", "Query"),
        ],
    );
}

#[test]
fn pragmas_and_the_rest() {
    check(
        Sqlite,
        &[
            ("PRAGMA foreign_keys = OFF", "set foreign_keys = OFF"),
            ("PRAGMA main.Journal_Mode(WAL)", "set journal_mode = WAL"),
            ("PRAGMA foreign_keys", "Query"),
            ("PRAGMA table_info(t)", "Query"),
            ("PRAGMA optimize", "Harmless"),
            ("VACUUM", "rewrite VACUUM"),
            ("VACUUM main INTO 'x.db'", "Harmless"),
            ("ANALYZE t", "Harmless"),
            ("REINDEX main.i", "reindex Other main.i"),
            ("ATTACH 'a.db' AS a", "Harmless"),
            ("SAVEPOINT a", "TransactionControl"),
            (
                "WOBBLE",
                "opaque: statements that begin with WOBBLE are not known",
            ),
            ("", ""),
        ],
    );
}

#[test]
fn statements_span_all_of_their_words() {
    for text in [
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a)",
        "DROP TABLE t",
        "PRAGMA a = b",
    ] {
        assert_eq!(spans(Sqlite, text), [text]);
    }
    assert_eq!(spans(Sqlite, "ALTER TABLE t ADD a INT"), ["ADD a INT"]);
}
