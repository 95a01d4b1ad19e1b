//! SQLite: tables with and without row numbers.

use crate::{Case, NOTHING};

const ROWS: &str = "WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 20) INSERT INTO t (a, b) SELECT g, nullif(g, 5) FROM s;";

pub const CASES: &[Case] = &[
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL UNIQUE CHECK (a <> ''), b int NOT NULL DEFAULT 3);
                 CREATE INDEX t_b ON t (b DESC) WHERE b > 1;",
        rows: "INSERT INTO t (a, b) VALUES ('1', 1), ('2', 2);",
        found: "ALTER TABLE t RENAME COLUMN b TO amount;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "INSERT INTO t (a, b) VALUES ('m{n}', {n}) ON CONFLICT (a) DO NOTHING", "UPDATE t SET b = {n} WHERE a = '2'"],
        new: &["INSERT INTO t (a) VALUES ('z')"],
        refused: &["INSERT INTO t (a, amount) VALUES ('x', NULL)", "SELECT b FROM t"],
        told: &[
            ("SELECT amount FROM t WHERE a IN ('z', '1') ORDER BY id", "1\n3"),
            ("SELECT count(*) FROM t WHERE a LIKE 'm%' AND amount <> CAST(substr(a, 2) AS int)", "0"),
            ("SELECT sql FROM sqlite_schema WHERE tbl_name = 't' AND type = 'index' AND sql IS NOT NULL", "CREATE INDEX t_b ON t (amount DESC) WHERE amount > 1"),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int) WITHOUT ROWID;",
        rows: ROWS,
        found: "ALTER TABLE t RENAME COLUMN b TO c;",
        old: &["INSERT INTO t (a, b) VALUES ('n{n}', {n})", "UPDATE t SET b = {n} WHERE a = '2'"],
        new: &["INSERT INTO t (a, c) VALUES ('z', 1)"],
        refused: &["INSERT INTO t (a) VALUES ('z')"],
        told: &[("SELECT sum(c) FROM t WHERE a <> '2' AND a < 'a'", "203"), ("SELECT count(*) FROM t WHERE a LIKE 'n%' AND c <> CAST(substr(a, 2) AS int)", "0")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text NOT NULL DEFAULT 'x' UNIQUE, b int, rowid text);",
        rows: ROWS,
        found: "ALTER TABLE t RENAME COLUMN a TO c;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "UPDATE t SET a = a || 'x' WHERE b = 2"],
        refused: &["INSERT INTO t (c) VALUES ('1')", "INSERT INTO t (c) VALUES (NULL)"],
        told: &[("SELECT count(*) FROM t WHERE c IS NOT NULL AND b > 0", "19")],
        ..NOTHING
    },
    Case {
        rule: "lt-nonconstant-default",
        before: "CREATE TABLE t (a text, b int, PRIMARY KEY (a, b)) WITHOUT ROWID;",
        rows: "INSERT INTO t VALUES ('a', 1), ('a', 2);",
        found: "ALTER TABLE t ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP;",
        old: &["INSERT INTO t (a, b) VALUES ('n', {n})"],
        told: &[("SELECT count(*) FROM t WHERE c IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "lt-nonconstant-default",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int);",
        rows: ROWS,
        found: "ALTER TABLE t ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP;",
        old: &["INSERT INTO t (a, b) VALUES ('n{n}', {n})"],
        told: &[("SELECT count(*) FROM t WHERE c IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "lt-long-write",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int) WITHOUT ROWID;",
        rows: ROWS,
        found: "UPDATE t SET b = 7;",
        told: &[("SELECT count(*) FROM t WHERE b = 7", "20")],
        ..NOTHING
    },
    Case {
        rule: "lt-long-write",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int);",
        rows: ROWS,
        found: "UPDATE t SET b = b + 100;",
        told: &[("SELECT sum(b) FROM t", "2105")],
        ..NOTHING
    },
    Case {
        rule: "bc-rename-table",
        before: "CREATE TABLE t (a text PRIMARY KEY, b text DEFAULT 'x', total int NOT NULL DEFAULT 3);",
        rows: ROWS,
        found: "ALTER TABLE t RENAME TO s;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "INSERT INTO t (a, total) VALUES ('m{n}', 1) ON CONFLICT (a) DO UPDATE SET total = 2"],
        new: &["INSERT INTO s (a) VALUES ('z') ON CONFLICT (a) DO NOTHING"],
        refused: &["SELECT * FROM t", "INSERT INTO s (a) VALUES ('1')"],
        told: &[("SELECT b, total FROM s WHERE a = 'z'", "x|3"), ("SELECT count(*) FROM s WHERE a NOT LIKE 'n%' AND a NOT LIKE 'm%'", "21")],
    },
];
