//! PostgreSQL: keys of one integer, a uuid, a text, of two columns, and none.

use crate::{Case, NOTHING};

pub const CASES: &[Case] = &[
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, qty int NOT NULL DEFAULT 3, code varchar(9) NOT NULL UNIQUE CHECK (code <> ''));
                 CREATE INDEX t_qty ON t (qty DESC, code) WHERE qty > 1;",
        rows: "INSERT INTO t (qty, code) SELECT g, 'c' || g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &["INSERT INTO t (code) VALUES ('n{n}')", "INSERT INTO t (code, qty) VALUES ('m{n}', {n})", "UPDATE t SET qty = {n} WHERE id = 7"],
        new: &["INSERT INTO t (code) VALUES ('z')", "INSERT INTO t (code, amount) VALUES ('y', 5)"],
        refused: &["INSERT INTO t (code, amount) VALUES ('x', NULL)", "SELECT qty FROM t"],
        told: &[
            ("SELECT amount FROM t WHERE code IN ('z', 'c1', 'c20') ORDER BY id", "1\n20\n3"),
            ("SELECT count(*) FROM t WHERE amount IS NULL OR code LIKE 'm%' AND amount <> substr(code, 2)::int", "0"),
            ("SELECT pg_get_indexdef('t_qty'::regclass)", "CREATE INDEX t_qty ON public.t USING btree (amount DESC, code) WHERE (amount > 1)"),
            ("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass", "3"),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid uuid PRIMARY KEY, code varchar(9) COLLATE \"C\" NOT NULL UNIQUE, qty int);",
        rows: "INSERT INTO t SELECT gen_random_uuid(), 'c' || g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t RENAME COLUMN code TO codename;",
        old: &["INSERT INTO t VALUES (gen_random_uuid(), 'n{n}')", "INSERT INTO t VALUES (gen_random_uuid(), 'c1') ON CONFLICT (code) DO UPDATE SET qty = 1"],
        new: &["INSERT INTO t (cid, codename) VALUES (gen_random_uuid(), 'c1') ON CONFLICT (codename) DO NOTHING"],
        refused: &["INSERT INTO t (cid, codename) VALUES (gen_random_uuid(), 'c1')", "INSERT INTO t (cid) VALUES (gen_random_uuid())"],
        told: &[("SELECT count(*) FROM t WHERE codename LIKE 'c%'", "20")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text, b int, qty int, PRIMARY KEY (a, b)); CREATE TABLE u (a text, b int, FOREIGN KEY (a, b) REFERENCES t);",
        rows: "INSERT INTO t SELECT 'a' || g, g, nullif(g, 5) FROM generate_series(1, 20) g; INSERT INTO u VALUES ('a1', 1);",
        found: "ALTER TABLE t RENAME COLUMN b TO part;",
        old: &["INSERT INTO t (a, b) VALUES ('n', {n})"],
        new: &["INSERT INTO t (a, part) VALUES ('n', 1)"],
        refused: &["INSERT INTO t (a, part) VALUES ('n', 1)", "INSERT INTO u VALUES ('x', 1)"],
        told: &[("SELECT count(*) FROM t WHERE part IS NULL", "0")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE SCHEMA app; CREATE TABLE app.t (a text, \"Qty\" int);",
        rows: "INSERT INTO app.t SELECT 'a' || g, nullif(g, 5) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE app.t RENAME COLUMN \"Qty\" TO amount;",
        old: &["INSERT INTO app.t (a, \"Qty\") VALUES ('n', {n}), ('m', NULL)"],
        told: &[("SELECT sum(amount) FROM app.t WHERE a LIKE 'a%'", "205")],
        ..NOTHING
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (id serial PRIMARY KEY, qty int NOT NULL DEFAULT 3 UNIQUE, note text);
                 CREATE INDEX t_qty ON t (note, qty DESC) INCLUDE (id);",
        rows: "INSERT INTO t (qty) SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN qty TYPE bigint;",
        old: &["INSERT INTO t (qty) VALUES ({n})", "UPDATE t SET qty = {n} WHERE id = 3"],
        new: &["INSERT INTO t (note) VALUES ('z')"],
        refused: &["INSERT INTO t (qty_new) VALUES (20)", "INSERT INTO t (qty_new) VALUES (NULL)"],
        told: &[
            ("SELECT qty_new FROM t WHERE note = 'z'", "3"),
            ("SELECT qty_new FROM t WHERE id = 20", "20"),
            ("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND conname = 't_qty_key'", "1"),
            ("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'", "0"),
            ("SELECT pg_get_indexdef('t_qty_new'::regclass)", "CREATE INDEX t_qty_new ON public.t USING btree (note, qty_new DESC) INCLUDE (id)"),
        ],
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (id serial PRIMARY KEY, qty text NOT NULL DEFAULT '3');",
        rows: "INSERT INTO t (qty) SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN id TYPE bigint;",
        old: &["INSERT INTO t (qty) VALUES ('n')"],
        new: &["INSERT INTO t (qty) VALUES ('z')"],
        refused: &["INSERT INTO t (id_new) VALUES (20)", "INSERT INTO t (id_new) VALUES (NULL)"],
        told: &[
            ("SELECT id_new > 20 FROM t WHERE qty = 'z'", "t"),
            ("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass", "t_pkey"),
        ],
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (cid text PRIMARY KEY, qty text DEFAULT '3');",
        rows: "INSERT INTO t SELECT g, nullif(g, 7) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN qty TYPE int USING qty::int;",
        old: &["INSERT INTO t VALUES ('n{n}', '4')", "INSERT INTO t (cid) VALUES ('m{n}')"],
        new: &["INSERT INTO t (cid) VALUES ('z')"],
        told: &[("SELECT qty_new FROM t WHERE cid = 'z'", "3"), ("SELECT sum(qty_new) FROM t WHERE cid ~ '^[0-9]'", "203")],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-volatile-default",
        before: "CREATE TABLE t (cid uuid PRIMARY KEY, a int);",
        rows: "INSERT INTO t SELECT gen_random_uuid(), g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        old: &["INSERT INTO t VALUES (gen_random_uuid(), {n})"],
        told: &[("SELECT count(*) FROM t WHERE token IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-serial",
        before: "CREATE TABLE t (a int);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN id bigserial PRIMARY KEY;",
        old: &["INSERT INTO t VALUES ({n})"],
        refused: &["INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, NULL)"],
        told: &[
            ("SELECT count(*) FROM t WHERE id IS NULL", "0"),
            ("SELECT contype FROM pg_constraint WHERE conrelid = 't'::regclass", "p"),
        ],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-generated-stored",
        before: "CREATE TABLE t (a int, b int);",
        rows: "INSERT INTO t SELECT g, nullif(g, 3) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a + b) STORED;",
        old: &["INSERT INTO t VALUES ({n}, 1)"],
        told: &[("SELECT count(*) FROM t WHERE c IS DISTINCT FROM a + b", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-mass-dml",
        before: "CREATE TABLE t (a text PRIMARY KEY, note text);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "UPDATE t SET note = upper(a);",
        old: &["INSERT INTO t VALUES ('n{n}')"],
        told: &[("SELECT count(*) FROM t WHERE note IS DISTINCT FROM upper(a) AND a !~ 'n'", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-mass-dml",
        before: "CREATE TABLE t (a text, note text);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "UPDATE t SET note = '' WHERE a <> '5';",
        old: &["INSERT INTO t VALUES ('n{n}')"],
        told: &[("SELECT count(*) FROM t WHERE note IS NULL AND a !~ 'n'", "1")],
        ..NOTHING
    },
    Case {
        rule: "bc-rename-enum-value",
        before: "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (a text, mood mood);",
        rows: "INSERT INTO t SELECT g, 'bad' FROM generate_series(1, 20) g;",
        found: "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';",
        old: &["INSERT INTO t VALUES ('n{n}', 'good')"],
        told: &[("SELECT count(*) FROM t WHERE mood = 'bad'", "0")],
        ..NOTHING
    },
];
