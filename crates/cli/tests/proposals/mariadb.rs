//! MariaDB: keys of one integer, of a text, and none.

use crate::{Case, NOTHING};

pub const CASES: &[Case] = &[
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, qty int NOT NULL DEFAULT 3, code varchar(9) NOT NULL UNIQUE, KEY q (qty, code(3)));",
        rows: "INSERT INTO t (qty, code) SELECT seq, concat('c', seq) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &[
            "INSERT INTO t (code) VALUES ('n{n}')",
            "INSERT INTO t (code, qty) VALUES ('m{n}', {n})",
            "UPDATE t SET qty = {n} WHERE id = 7",
        ],
        new: &["INSERT INTO t (code) VALUES ('z')"],
        refused: &[
            "INSERT INTO t (code, amount) VALUES ('x', NULL)",
            "SELECT qty FROM t",
        ],
        told: &[
            (
                "SELECT amount FROM t WHERE code IN ('z', 'c1', 'c20') ORDER BY id",
                "1\n20\n3",
            ),
            (
                "SELECT count(*) FROM t WHERE code LIKE 'm%' AND amount <> substr(code, 2)",
                "0",
            ),
            (
                "SELECT group_concat(concat(column_name, ifnull(sub_part, '')) ORDER BY seq_in_index) FROM information_schema.statistics WHERE table_schema = database() AND table_name = 't' AND index_name NOT IN ('PRIMARY', 'code') GROUP BY index_name",
                "amount,code3",
            ),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, code varchar(9) CHARACTER SET latin1 NOT NULL, qty int, UNIQUE KEY u (code, qty));",
        rows: "INSERT INTO t SELECT uuid(), concat('c', seq), 1 FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN code TO codename;",
        old: &[
            "INSERT INTO t (cid, code, qty) VALUES (uuid(), 'n{n}', 1)",
            "INSERT INTO t (cid, code) VALUES (uuid(), 'm{n}')",
        ],
        new: &["INSERT INTO t (cid, codename, qty) VALUES (uuid(), 'c2', 7)"],
        refused: &[
            "INSERT INTO t (cid, codename, qty) VALUES (uuid(), 'c1', 1)",
            "INSERT INTO t (cid) VALUES (uuid())",
        ],
        told: &[
            (
                "SELECT count(*) FROM t WHERE codename LIKE 'c%' AND qty = 1",
                "20",
            ),
            (
                "SELECT character_set_name FROM information_schema.columns WHERE table_schema = database() AND column_name = 'codename'",
                "latin1",
            ),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, qty int);",
        rows: "INSERT INTO t SELECT seq, nullif(seq, 5) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN cid TO uid;",
        old: &["INSERT INTO t (cid) VALUES ('n{n}')"],
        new: &["INSERT INTO t (uid) VALUES ('z')"],
        refused: &[
            "INSERT INTO t (uid) VALUES ('z')",
            "INSERT INTO t (qty) VALUES (1)",
        ],
        told: &[("SELECT count(*) FROM t WHERE uid BETWEEN 1 AND 20", "20")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a varchar(9), qty int);",
        rows: "INSERT INTO t SELECT seq, nullif(seq, 5) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &["INSERT INTO t (a, qty) VALUES ('n', {n})"],
        told: &[("SELECT sum(amount) FROM t WHERE a <> 'n'", "205")],
        ..NOTHING
    },
    Case {
        rule: "my-copy",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, qty int NOT NULL DEFAULT 3, KEY (qty));",
        rows: "INSERT INTO t SELECT seq, seq FROM seq_1_to_20;",
        found: "ALTER TABLE t MODIFY qty bigint NOT NULL DEFAULT 3;",
        old: &[
            "INSERT INTO t (cid, qty) VALUES ('n{n}', {n})",
            "INSERT INTO t (cid) VALUES ('m{n}')",
        ],
        new: &["INSERT INTO t (cid) VALUES ('z')"],
        refused: &["INSERT INTO t (cid, qty_new) VALUES ('y', NULL)"],
        told: &[
            (
                "SELECT qty_new FROM t WHERE cid IN ('z', '20') ORDER BY cid",
                "20\n3",
            ),
            (
                "SELECT count(*) FROM t WHERE cid LIKE 'n%' AND qty_new <> substr(cid, 2)",
                "0",
            ),
            (
                "SELECT count(*) FROM information_schema.statistics WHERE table_schema = database() AND column_name = 'qty_new'",
                "1",
            ),
        ],
    },
    Case {
        rule: "my-copy",
        before: "CREATE TABLE t (a varchar(9));",
        rows: "INSERT INTO t SELECT seq FROM seq_1_to_20;",
        found: "ALTER TABLE t ADD COLUMN token char(36) DEFAULT (uuid());",
        old: &["INSERT INTO t (a) VALUES ('n')"],
        told: &[("SELECT count(*) FROM t WHERE token IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "my-mass-dml",
        before: "CREATE TABLE t (a varchar(9) PRIMARY KEY, note varchar(9));",
        rows: "INSERT INTO t (a) SELECT seq FROM seq_1_to_20;",
        found: "UPDATE t SET note = '';",
        old: &["INSERT INTO t (a) VALUES ('n{n}')"],
        told: &[(
            "SELECT count(*) FROM t WHERE note IS NULL AND a NOT LIKE 'n%'",
            "0",
        )],
        ..NOTHING
    },
];
