//! What statements do to whom. Each line was seen on a server (MariaDB 10.11).

use crate::Dialect;
use crate::effect::{Work, effects};
use crate::operation::operations;
use crate::schema::Schema;

/// The effects of a statement after the ones before it, as `LOCK work`.
fn seen(before: &str, statement: &str) -> Vec<String> {
    let mut schema = Schema::new(Dialect::Mysql);
    for text in before.split(';') {
        for operation in operations(Dialect::Mysql, text).list {
            schema.apply(&operation, text);
        }
    }
    let mut seen = Vec::new();
    for operation in operations(Dialect::Mysql, statement).list {
        for effect in effects(&operation, &schema) {
            seen.push(format!("{} {:?}", effect.lock, effect.work));
        }
        schema.apply(&operation, statement);
    }
    seen
}

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(50) NOT NULL DEFAULT 'x', c text, \
    d decimal(10,2), e enum('a','b') NOT NULL, g geometry NOT NULL, v varchar(255), u int NOT NULL, dt datetime, \
    ts timestamp NULL, f float, ch char(10), s set('x','y'), bl varbinary(50), l varchar(200) CHARACTER SET latin1, \
    KEY k_u (u), KEY k_b (b), UNIQUE uq_a (a), CONSTRAINT ck CHECK (u <> 99)) CHARACTER SET utf8mb4";

const NOTHING: &str = "LOCK=NONE Metadata";
const INDEX: &str = "LOCK=NONE IndexBuild";
const REBUILD: &str = "LOCK=NONE Rewrite";
const COPY: &str = "LOCK=SHARED Rewrite";
const SHARED_INDEX: &str = "LOCK=SHARED IndexBuild";

#[track_caller]
fn check(before: &str, table: &[(&str, &str)]) {
    for (action, wanted) in table {
        let statement = format!("ALTER TABLE t {action}");
        assert_eq!(seen(before, &statement), [*wanted], "{action}");
    }
}

#[test]
fn a_column_is_added_at_once_unless_rows_differ() {
    check(
        TABLE,
        &[
            ("ADD COLUMN z int", NOTHING),
            ("ADD COLUMN z int FIRST", NOTHING),
            ("ADD COLUMN z int NOT NULL DEFAULT 5", NOTHING),
            (
                "ADD COLUMN z timestamp NOT NULL DEFAULT current_timestamp",
                NOTHING,
            ),
            ("ADD COLUMN z int DEFAULT (rand() * 10)", NOTHING),
            ("ADD COLUMN z int AS (a + 1) VIRTUAL", NOTHING),
            ("ADD COLUMN z int CHECK (z > 1)", NOTHING),
            ("ADD COLUMN z int UNIQUE", REBUILD),
            ("ADD COLUMN z int AUTO_INCREMENT UNIQUE", COPY),
            ("ADD COLUMN z char(36) DEFAULT (uuid())", COPY),
            ("ADD COLUMN z datetime DEFAULT (sysdate())", COPY),
            ("ADD COLUMN z int DEFAULT (a)", COPY),
            ("ADD COLUMN z int AS (a + 1) STORED", COPY),
            ("ADD COLUMN z int REFERENCES q (id)", COPY),
        ],
    );
}

#[test]
fn a_column_goes_at_once_unless_it_is_indexed() {
    check(
        TABLE,
        &[
            ("DROP COLUMN c", NOTHING),
            ("DROP COLUMN u", NOTHING),
            ("DROP COLUMN a", NOTHING),
            ("DROP COLUMN id", COPY),
        ],
    );
    check(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY k (a, b))",
        &[("DROP COLUMN a", REBUILD)],
    );
}

#[test]
fn a_type_changes_at_once_only_when_the_rows_stay() {
    check(
        TABLE,
        &[
            ("MODIFY u bigint NOT NULL", COPY),
            ("MODIFY u int unsigned NOT NULL", COPY),
            ("MODIFY u int(5) NOT NULL", NOTHING),
            ("MODIFY f double", COPY),
            ("MODIFY d decimal(12,2)", COPY),
            ("MODIFY b varchar(60) NOT NULL DEFAULT 'x'", NOTHING),
            ("MODIFY b varchar(64) NOT NULL DEFAULT 'x'", COPY),
            ("MODIFY b varchar(40) NOT NULL DEFAULT 'x'", COPY),
            ("MODIFY v varchar(300)", NOTHING),
            ("MODIFY v text", COPY),
            ("MODIFY c mediumtext", COPY),
            ("MODIFY l varchar(255) CHARACTER SET latin1", NOTHING),
            ("MODIFY l varchar(256) CHARACTER SET latin1", COPY),
            ("MODIFY l varchar(60)", COPY),
            ("MODIFY ch char(20)", COPY),
            ("MODIFY bl varbinary(200)", NOTHING),
            ("MODIFY dt datetime(6)", COPY),
            ("MODIFY ts datetime", COPY),
            (
                "MODIFY b varchar(50) COLLATE utf8mb4_bin NOT NULL DEFAULT 'x'",
                INDEX,
            ),
            ("MODIFY v varchar(255) COLLATE utf8mb4_bin", NOTHING),
            ("MODIFY a int AS (u + 1) STORED", COPY),
            ("MODIFY id int AUTO_INCREMENT", COPY),
            ("MODIFY unknown int", COPY),
        ],
    );
}

#[test]
fn labels_may_be_added_at_the_end() {
    check(
        TABLE,
        &[
            ("MODIFY e enum('a','b','c') NOT NULL", NOTHING),
            ("MODIFY e enum('b','a') NOT NULL", COPY),
            ("MODIFY e enum('a') NOT NULL", COPY),
            ("MODIFY s set('x','y','z')", NOTHING),
            ("MODIFY s set('x','y') COLLATE utf8mb4_bin", COPY),
            ("MODIFY s set('x','y','z','a','b','c','d','e','f')", COPY),
        ],
    );
}

#[test]
fn null_is_a_bit_of_each_row_and_a_default_is_not() {
    check(
        TABLE,
        &[
            ("MODIFY a int NOT NULL", REBUILD),
            ("MODIFY u int NULL", REBUILD),
            ("MODIFY b varchar(60) NULL", REBUILD),
            ("ALTER a SET DEFAULT 5", NOTHING),
            ("MODIFY a int COMMENT 'x'", NOTHING),
            ("MODIFY a int AFTER c", NOTHING),
            ("RENAME COLUMN a TO z", NOTHING),
        ],
    );
}

#[test]
fn indexes_are_built_while_rows_are_written_but_for_some() {
    check(
        TABLE,
        &[
            ("ADD INDEX i (d)", INDEX),
            ("ADD UNIQUE (d)", INDEX),
            ("ADD FULLTEXT (c)", COPY),
            ("ADD SPATIAL INDEX (g)", SHARED_INDEX),
            ("DROP INDEX k_u", NOTHING),
            ("RENAME INDEX k_u TO k_v", NOTHING),
            ("ALTER INDEX k_u IGNORED", NOTHING),
            ("ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES q (id)", COPY),
            ("ADD CONSTRAINT c CHECK (u > 0)", COPY),
            ("DROP CONSTRAINT ck", NOTHING),
            ("DROP PRIMARY KEY", COPY),
        ],
    );
    assert_eq!(seen(TABLE, "CREATE INDEX i ON t (d)"), [INDEX]);
    assert_eq!(seen(TABLE, "DROP INDEX k_u ON t"), [NOTHING]);
    check(
        "CREATE TABLE t (id int)",
        &[("ADD PRIMARY KEY (id)", REBUILD)],
    );
}

#[test]
fn a_full_text_index_a_row_format_and_an_engine_are_in_the_way() {
    let table = "CREATE TABLE t (id int PRIMARY KEY, a int, c text, d text, FULLTEXT (c))";
    check(
        table,
        &[
            ("ADD COLUMN z int", COPY),
            ("DROP COLUMN a", COPY),
            ("MODIFY a int NOT NULL", COPY),
            ("ADD FULLTEXT (d)", SHARED_INDEX),
            ("ADD INDEX (a)", INDEX),
        ],
    );
    let table = "CREATE TABLE t (id int PRIMARY KEY, a int, v varchar(10)) ROW_FORMAT=COMPRESSED";
    check(
        table,
        &[
            ("ADD COLUMN z int", REBUILD),
            ("DROP COLUMN a", REBUILD),
            ("MODIFY v varchar(20)", NOTHING),
        ],
    );
}

#[test]
fn other_engines_copy_for_what_their_rows_show() {
    for engine in ["MyISAM", "Aria", "MEMORY"] {
        let table = format!(
            "CREATE TABLE t (id int, a int, v varchar(9), e enum('x'), KEY i (id), UNIQUE q (e)) ENGINE={engine}"
        );
        check(
            &table,
            &[
                ("ADD INDEX (a)", COPY),
                ("ADD COLUMN z int", COPY),
                ("ADD COLUMN z int FIRST", COPY),
                ("ADD COLUMN z int AS (a + 1) VIRTUAL", COPY),
                ("DROP COLUMN a", COPY),
                ("MODIFY a int AFTER v", COPY),
                ("MODIFY v varchar(20)", COPY),
                ("MODIFY v varchar(9) COLLATE latin1_bin", COPY),
                ("DROP CONSTRAINT q", COPY),
                ("DEFAULT CHARACTER SET latin1", COPY),
                ("AUTO_INCREMENT=100", COPY),
                ("MODIFY a int COMMENT 'x'", NOTHING),
                ("MODIFY a int(5)", NOTHING),
                ("MODIFY v varchar(9) DEFAULT 'x'", NOTHING),
                ("MODIFY e enum('x', 'y')", NOTHING),
                ("RENAME COLUMN a TO b", NOTHING),
                ("RENAME INDEX i TO j", NOTHING),
                ("ALTER a SET DEFAULT 1", NOTHING),
                ("COMMENT='x'", NOTHING),
            ],
        );
    }
    check(
        "CREATE TABLE t (a int) ENGINE=MyISAM",
        &[("CONVERT TO CHARACTER SET utf8mb4", COPY)],
    );
    // Which engine a table has is remembered.
    let moved = |engine: &str| {
        format!("CREATE TABLE t (a int) ENGINE=MyISAM; ALTER TABLE t ENGINE={engine}")
    };
    check(&moved("InnoDB"), &[("ADD COLUMN z int", NOTHING)]);
    check(&moved("Aria"), &[("ADD COLUMN z int", COPY)]);
}

#[test]
fn tables_are_written_anew() {
    check(
        TABLE,
        &[
            ("ENGINE=InnoDB", REBUILD),
            ("ENGINE=MyISAM", COPY),
            ("FORCE", REBUILD),
            ("ROW_FORMAT=COMPRESSED", REBUILD),
            ("CONVERT TO CHARACTER SET latin1", COPY),
            ("DEFAULT CHARACTER SET latin1", NOTHING),
            ("COMMENT='x'", NOTHING),
            ("AUTO_INCREMENT=100", NOTHING),
            ("ADD SYSTEM VERSIONING", COPY),
            ("PARTITION BY HASH(id) PARTITIONS 4", COPY),
            ("RENAME TO t2", "LOCK=EXCLUSIVE Metadata"),
        ],
    );
    assert_eq!(seen(TABLE, "OPTIMIZE TABLE t"), [REBUILD]);
    check(
        "CREATE TABLE t (id int) CHARACTER SET latin1",
        &[("CONVERT TO CHARACTER SET utf8mb4", NOTHING)],
    );
}

#[test]
fn text_is_copied_unless_its_bytes_stay_as_they_are() {
    let convert = |text: &str, options: &str, to: &str, wanted: &str| {
        let before = format!("CREATE TABLE t (id int PRIMARY KEY, {text}) {options}");
        check(
            &before,
            &[(&format!("CONVERT TO CHARACTER SET {to}"), wanted)],
        );
    };
    for text in ["a varchar(63)", "a char(63), b varchar(100)"] {
        convert(text, "CHARSET=utf8", "utf8mb4", NOTHING);
    }
    for text in [
        "a varchar(64)",
        "a char(64)",
        "a text",
        "a enum('x')",
        "a varchar(20), KEY (a)",
        "a varchar(20), CHECK (a <> '')",
    ] {
        convert(text, "CHARSET=utf8mb3", "utf8mb4", COPY);
    }
    let (same, other) = (
        "utf8mb4 COLLATE utf8mb4_bin",
        "utf8mb4 COLLATE utf8mb4_unicode_ci",
    );
    for text in ["a text", "a varchar(20) CHARACTER SET utf8mb4"] {
        convert(text, "CHARSET=utf8mb4", "utf8mb4", NOTHING);
        convert(text, "CHARSET=utf8mb4", other, NOTHING);
    }
    // What is stored in another form than text follows the collation.
    for text in [
        "a text, e enum('x')",
        "a set('x')",
        "a varchar(20), g varchar(20) AS (a) STORED",
    ] {
        convert(text, "CHARSET=utf8mb4", "utf8mb4", NOTHING);
        convert(text, "COLLATE=utf8mb4_bin", same, NOTHING);
        convert(text, "COLLATE=utf8mb4_bin", other, COPY);
        convert(text, "CHARSET=utf8mb4", other, COPY);
    }
    for text in [
        "a varchar(20), g varchar(20) AS (a) VIRTUAL",
        "a varchar(20), g int AS (length(a)) STORED",
    ] {
        convert(text, "COLLATE=utf8mb4_bin", other, NOTHING);
    }
    let indexed = "a varchar(20), KEY (a)";
    convert(indexed, "COLLATE=utf8mb4_bin", same, NOTHING);
    convert(indexed, "COLLATE=utf8mb4_bin", other, COPY);
    convert(indexed, "CHARSET=utf8mb4", "utf8mb4", COPY);
    convert("a text", "CHARSET=latin1", "utf8mb4", COPY);
    convert("a text", "", "utf8mb4", COPY);
    convert("a text", "CHARSET=utf8mb4", "DEFAULT", COPY);
    convert("a text", "CHARSET=utf8mb4 ENGINE=MyISAM", "utf8mb4", COPY);
}

#[test]
fn a_conversion_is_remembered() {
    let mut schema = Schema::new(Dialect::Mysql);
    let mut last = Vec::new();
    for statement in [
        "CREATE TABLE t (id int PRIMARY KEY, a text CHARACTER SET ascii) CHARSET=utf8mb4",
        "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
        "ALTER TABLE t DEFAULT CHARSET=latin1",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
    ] {
        for operation in operations(Dialect::Mysql, statement).list {
            last.extend(effects(&operation, &schema));
            schema.apply(&operation, statement);
        }
    }
    let work: Vec<Work> = last.iter().map(|effect| effect.work).collect();
    let (copied, kept) = (Work::Rewrite, Work::Metadata);
    assert_eq!(work, [copied, copied, kept, kept, copied]);
}

#[test]
fn rows_and_whole_tables() {
    assert_eq!(
        seen(TABLE, "DELETE FROM t WHERE id = 1"),
        ["LOCK=NONE Rows"]
    );
    assert_eq!(seen(TABLE, "TRUNCATE t"), ["LOCK=EXCLUSIVE Metadata"]);
    assert_eq!(seen(TABLE, "DROP TABLE t"), ["LOCK=EXCLUSIVE Metadata"]);
    assert_eq!(seen(TABLE, "SELECT 1"), [""; 0]);
}
