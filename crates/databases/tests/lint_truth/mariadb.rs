//! What MariaDB copies and what it does not, by character set and by engine.

use forerun_sql::Dialect;
use forerun_sql::lint::Example;

use crate::scratch::Scratch;
use crate::{described, effects};

/// `CONVERT TO CHARACTER SET` is no copy where the bytes stay as they are, and one where they do not.
#[tokio::test]
async fn mariadb_keeps_the_bytes_of_text_where_it_is_said_to() {
    let Some(scratch) = Scratch::of(Dialect::Mysql) else {
        return;
    };
    const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, ";
    let mut wrong = Vec::new();
    for (columns, to, copied) in [
        (
            "a varchar(63), b varchar(100)) CHARSET=utf8",
            "utf8mb4",
            false,
        ),
        ("a char(63)) CHARSET=utf8mb3", "utf8mb4", false),
        ("a varchar(64)) CHARSET=utf8mb3", "utf8mb4", true),
        ("a text) CHARSET=utf8mb3", "utf8mb4", true),
        ("a enum('x')) CHARSET=utf8mb3", "utf8mb4", true),
        ("a text, b enum('x')) CHARSET=utf8mb4", "utf8mb4", false),
        (
            "a varchar(20)) CHARSET=utf8mb4",
            "utf8mb4 COLLATE utf8mb4_bin",
            false,
        ),
        (
            "a varchar(20), KEY (a)) COLLATE=utf8mb4_bin",
            "utf8mb4 COLLATE utf8mb4_bin",
            false,
        ),
        ("a varchar(20)) CHARSET=latin1", "utf8mb4", true),
        (
            "a text CHARACTER SET latin1) CHARSET=utf8mb4",
            "utf8mb4",
            true,
        ),
        (
            "a enum('x')) COLLATE=utf8mb4_general_ci",
            "utf8mb4 COLLATE utf8mb4_unicode_ci",
            true,
        ),
        (
            "a enum('x')) COLLATE=utf8mb4_general_ci",
            "utf8mb4 COLLATE utf8mb4_general_ci",
            false,
        ),
        (
            "a text, b set('x')) COLLATE=utf8mb4_general_ci",
            "utf8mb4 COLLATE utf8mb4_unicode_ci",
            true,
        ),
        (
            "a varchar(9), b varchar(9) AS (a) STORED) COLLATE=utf8mb4_general_ci",
            "utf8mb4 COLLATE utf8mb4_unicode_ci",
            true,
        ),
        (
            "a varchar(9), b varchar(9) AS (a) VIRTUAL) COLLATE=utf8mb4_general_ci",
            "utf8mb4 COLLATE utf8mb4_unicode_ci",
            false,
        ),
        (
            "a varchar(20)) CHARSET=utf8mb4 ENGINE=MyISAM",
            "utf8mb4",
            true,
        ),
    ] {
        let found = format!("ALTER TABLE t CONVERT TO CHARACTER SET {to};");
        let example = Example {
            dialect: Dialect::Mysql,
            before: format!("{TABLE}{columns};").leak(),
            found: found.leak(),
            instead: &[],
            claims: &[],
        };
        wrong.extend(effects(&scratch, &example, &[example.found]).await);
        let traced = scratch.trace(example.before, &[example.found]).await;
        let traced = traced.expect("runs");
        let waits = traced
            .iter()
            .any(|one| one.long_blocking().next().is_some());
        if waits != copied {
            wrong.push(format!("{columns} to {to}: {}", described(&traced)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What InnoDB does at once is a copy with other engines where it is said to be one.
#[tokio::test]
async fn mariadb_copies_tables_of_other_engines_where_it_is_said_to() {
    let Some(scratch) = Scratch::of(Dialect::Mysql) else {
        return;
    };
    const COLUMNS: &str = "(id bigint, a int, v varchar(9), e enum('x'), UNIQUE q (e))";
    let mut wrong = Vec::new();
    for engine in ["MyISAM", "Aria", "MEMORY"] {
        for (action, copied) in [
            ("ADD COLUMN z int", true),
            ("ADD COLUMN z int FIRST", true),
            ("DROP COLUMN a", true),
            ("MODIFY a int AFTER v", true),
            ("MODIFY v varchar(20)", true),
            ("DROP CONSTRAINT q", true),
            ("DEFAULT CHARACTER SET latin1", true),
            ("AUTO_INCREMENT=100", true),
            ("CONVERT TO CHARACTER SET latin1", true),
            ("MODIFY a int COMMENT 'x'", false),
            ("MODIFY a int(5)", false),
            ("MODIFY e enum('x', 'y')", false),
            ("RENAME COLUMN a TO b", false),
            ("ALTER a SET DEFAULT 1", false),
            ("COMMENT='x'", false),
        ] {
            let example = Example {
                dialect: Dialect::Mysql,
                before: format!("CREATE TABLE t {COLUMNS} ENGINE={engine};").leak(),
                found: format!("ALTER TABLE t {action};").leak(),
                instead: &[],
                claims: &[],
            };
            wrong.extend(effects(&scratch, &example, &[example.found]).await);
            let traced = scratch.trace(example.before, &[example.found]).await;
            let traced = traced.expect("runs");
            let mut all = traced.iter();
            if all.any(|one| one.long_blocking().next().is_some()) != copied {
                wrong.push(format!("{engine} {action}: {}", described(&traced)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
