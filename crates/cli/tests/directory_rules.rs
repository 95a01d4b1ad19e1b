//! What a directory of migrations may look like, as a new user finds out: by putting files into it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, document, servers};
use forerun_test_support::{CommandOutcome, ScratchProject};
use story::{Product, Target, empty_project_for, project};

const USERS: &str = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(200));\n";

/// `up` on a SQLite file with these migrations.
fn up_with(files: &[(&str, &[u8])]) -> (CommandOutcome, ScratchProject) {
    let mut project = project();
    project.set_env("DATABASE_URL", "sqlite:test.db");
    for (name, content) in files {
        project.migration(name, content);
    }
    let outcome = project.run(&["--format", "text", "migrate", "up"]);
    (outcome, project)
}

/// Refused with code 2, these words, nothing run and no database made; `validate` says the same without one.
fn refused(files: &[(&str, &[u8])], said: &[&str]) {
    let (outcome, project) = up_with(files);
    let mut outcome = outcome.expect_code(2);
    let mut validated = project
        .command(&[
            "--format",
            "text",
            "migrate",
            "validate",
            "--dialect",
            "sqlite",
        ])
        .env_remove("DATABASE_URL")
        .run()
        .expect_code(2);
    for text in said {
        outcome = outcome.expect_text(text);
        validated = validated.expect_text(text);
    }
    assert_eq!(project.list("."), ["migrations"], "{outcome:?}");
    drop(validated);
}

fn accepted(files: &[(&str, &[u8])], said: &[&str]) -> ScratchProject {
    let (outcome, project) = up_with(files);
    let mut outcome = outcome.expect_code(0);
    for text in said {
        outcome = outcome.expect_text(text);
    }
    drop(outcome);
    project
}

fn applied(project: &ScratchProject) -> Vec<String> {
    let outcome = project
        .run(&["--format", "json", "migrate", "history"])
        .expect_code(0);
    answers::texts(&document(&outcome)["history"], "script")
}

#[test]
fn layouts_are_not_mixed() {
    refused(
        &[
            ("0001_a.sql", b"SELECT 1;"),
            ("0002_b.up.sql", b"SELECT 1;"),
        ],
        &[
            "0001_a.sql",
            "0002_b.up.sql",
            "native",
            "golang-migrate",
            "one layout",
        ],
    );
}

#[test]
fn one_file_per_version() {
    refused(
        &[("0001_a.sql", b"SELECT 1;"), ("0001_b.sql", b"SELECT 1;")],
        &["0001_a.sql", "0001_b.sql", "same version"],
    );
    // Two spellings of one number.
    refused(
        &[("1_a.sql", b"SELECT 1;"), ("001_b.sql", b"SELECT 1;")],
        &["1_a.sql", "001_b.sql", "same version"],
    );
    refused(
        &[
            ("1_a.up.sql", b"SELECT 1;"),
            ("1_a.down.sql", b""),
            ("01_a.down.sql", b""),
        ],
        &["1_a.down.sql", "01_a.down.sql", "same version"],
    );
}

#[test]
fn versions_are_ordered_as_numbers() {
    let project = accepted(
        &[
            ("10_c.sql", b"ALTER TABLE t ADD COLUMN c integer;"),
            ("9_b.sql", b"ALTER TABLE t ADD COLUMN b integer;"),
            ("1_a.sql", b"CREATE TABLE t (a integer);"),
        ],
        &["Applied 3 migrations"],
    );
    assert_eq!(applied(&project), ["1_a.sql", "9_b.sql", "10_c.sql"]);
    // A timestamp after a sequence is only a larger number.
    project.migration(
        "20260131120000_d.sql",
        "ALTER TABLE t ADD COLUMN d integer;",
    );
    let _ = project.run(&["migrate", "up"]).expect_code(0);
}

#[test]
fn names_without_a_version_are_errors_and_other_files_are_not() {
    refused(
        &[("0001_a.sql", b"SELECT 1;"), ("seed.sql", b"SELECT 1;")],
        &["seed.sql", "no version"],
    );
    refused(
        &[("0001-a.sql", b"SELECT 1;")],
        &["0001-a.sql", "<version>_<description>.sql"],
    );
    refused(
        &[("0001_a.down.sql", b"SELECT 1;")],
        &["0001_a.down.sql", "0001_a.sql"],
    );
    let project = accepted(
        &[
            ("0001_a.sql", b"CREATE TABLE t (a integer);"),
            ("README.md", b"\xff"),
            (".hidden.sql", b"not sql"),
            ("0001_a.sql~", b"not sql"),
            ("0001_a.sql.orig", b"not sql"),
            ("sub/0002_b.sql", b"not sql"),
        ],
        &["Applied 1 migration"],
    );
    assert_eq!(applied(&project), ["0001_a.sql"]);
}

#[test]
fn near_misses_are_warned_of() {
    let project = accepted(
        &[
            ("0001_a.sql", b"CREATE TABLE t (a integer);"),
            ("0002_b.SQL", b"SELECT 1;"),
            ("0003_c.sql.txt", b"SELECT 1;"),
            ("0004_d", b"SELECT 1;"),
        ],
        &[
            "0002_b.SQL",
            "0003_c.sql.txt",
            "0004_d",
            "looks like a migration",
        ],
    );
    assert_eq!(applied(&project), ["0001_a.sql"]);
    // A directory and a pipe are no files, whatever they are called.
    let path = project.migrations().join("0005_e.sql");
    let up = ["--format", "text", "migrate", "up"];
    std::fs::create_dir(&path).unwrap();
    let outcome = project.run(&up).expect_code(2);
    let _ = outcome.expect_text("0005_e.sql` has the name of a migration, but is a directory");
    std::fs::remove_dir(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let outcome = project.run(&up).expect_code(2);
    let _ = outcome.expect_text("but is a pipe");
}

#[test]
fn spaces_and_any_letters_in_names() {
    let files: [(&str, &[u8]); 3] = [
        ("0001_add users' table.sql", b"CREATE TABLE t (a integer);"),
        (
            "0002_größe_日本.sql",
            b"ALTER TABLE t ADD COLUMN b integer;",
        ),
        (
            "0003_\"quoted\"; DROP TABLE t; --.sql",
            b"ALTER TABLE t ADD COLUMN c integer;",
        ),
    ];
    for target in databases() {
        let project = empty_project_for(&target);
        for (name, sql) in files {
            project.migration(name, sql);
        }
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        assert_eq!(applied(&project), files.map(|(name, _)| name), "{target:?}");
        assert_eq!(target.query("SELECT a, b, c FROM t"), "", "{target:?}");
        let _ = project.run(&["migrate", "up"]).expect_code(0);
    }
}

#[test]
fn only_text_is_read() {
    refused(
        &[("0001_a.sql", b"SELECT 1;\nSELECT 'caf\xe9';")],
        &["0001_a.sql:2", "UTF-8"],
    );
    refused(
        &[("0001_a.sql", b"\xff\xfeS\0E\0")],
        &["0001_a.sql:1", "UTF-16"],
    );
    refused(&[("0001_a.sql", b"SELECT 1;\0")], &["0001_a.sql:1", "NUL"]);
}

#[test]
fn empty_files_are_recorded_with_a_warning() {
    let files: [(&str, &[u8]); 3] = [
        ("0001_a.sql", b""),
        ("0002_b.sql", b"-- only a comment\n\n"),
        ("0003_c.sql", b" ;; ;\n"),
    ];
    let project = accepted(&files, &["0001_a.sql", "0002_b.sql", "holds no statement"]);
    assert_eq!(applied(&project).len(), 3);
    // So does a directory without migrations succeed.
    let (outcome, _) = up_with(&[]);
    let _ = outcome.expect_code(0).expect_text("no migrations in");
}

#[test]
fn byte_order_mark_and_line_ends_of_windows() {
    for target in databases() {
        let project = empty_project_for(&target);
        let text = "\u{feff}-- forerun:data\r\nCREATE TABLE t (a varchar(20));\r\nINSERT INTO t VALUES ('x\r\ny');\r\n";
        project.migration("0001_a.sql", text);
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        assert_eq!(target.number("SELECT count(*) FROM t"), 1, "{target:?}");
        // Checked out on another machine.
        project.migration(
            "0001_a.sql",
            text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
        );
        let outcome = project
            .run(&["--format", "text", "migrate", "up"])
            .expect_code(0);
        assert!(!outcome.stderr.contains("changed"), "{outcome:?}");
        let kind = target.query("SELECT kind FROM forerun_history");
        assert_eq!(
            kind, "data",
            "{target:?}: the directive after a byte order mark counts"
        );
    }
}

#[test]
fn directives_are_understood_or_refused() {
    for (text, said) in [
        ("-- forerun:dta\nSELECT 1;", &["0001_a.sql:1:1", "data"][..]),
        (
            "\n  -- forerun:no-transactions\nSELECT 1;",
            &["0001_a.sql:2:3", "no-transaction"],
        ),
        ("-- forerun:data now\nSELECT 1;", &["takes no arguments"]),
        ("-- forerun data\nSELECT 1;", &["colon"]),
        ("/* forerun:data */\nSELECT 1;", &["line comment"]),
        ("-- forerun:timeout 5m\nSELECT 1;", &["timeout"]),
        ("-- forerun:timeout statement=soon\nSELECT 1;", &["soon"]),
        ("-- forerun:assert\nSELECT 1;", &["assert"]),
        ("-- forerun:assert \"x\"\nDELETE FROM t;", &["query"]),
        ("-- forerun:assert \"x\"\n", &["no query"]),
        (
            "SELECT 1;\n-- forerun:data\nSELECT 2;",
            &["0001_a.sql:2:1", "above the first statement"],
        ),
        (
            "SELECT 1\n-- forerun:data\n, 2;",
            &["0001_a.sql:2:1", "inside a statement"],
        ),
        ("SELECT 1\n-- forerun:dta\n, 2;", &["0001_a.sql:2:1"]),
        (
            "-- forerun:contract before=0007\nSELECT 1;",
            &["contract", "unused-since"],
        ),
        (
            "-- forerun:allow bc-drop-column\nSELECT 1;",
            &["allow", "reason"],
        ),
        // Reserved for later versions: running without them would not do what they say.
        (
            "-- forerun:backfill table=users key=id\nUPDATE users SET a = 1 WHERE id > :lo AND id <= :hi;",
            &["backfill", "yet"],
        ),
    ] {
        println!("{text}");
        refused(&[("0001_a.sql", text.as_bytes())], said);
    }
    // A mention is no directive.
    let _ = accepted(
        &[(
            "0001_a.sql",
            b"-- this file is for forerun: see the wiki\nSELECT '-- forerun:dta';\n",
        )],
        &[],
    );
}

/// MySQL takes `--forerun` without a space for two minus signs; whoever writes it means a directive.
#[test]
fn a_directive_that_mysql_takes_for_minus_signs() {
    let project = project();
    project.migration("0001_a.sql", "--forerun:data\nINSERT INTO t VALUES (1);\n");
    let _ = project
        .run(&[
            "--format",
            "text",
            "migrate",
            "validate",
            "--dialect",
            "mysql",
        ])
        .expect_code(2)
        .expect_text("0001_a.sql:1:");
}

#[test]
fn directives_in_the_layout_of_golang_migrate() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("1_users.up.sql", USERS);
        project.migration("1_users.down.sql", "DROP TABLE users;\n");
        project.migration(
            "2_rows.up.sql",
            "-- forerun:data\n-- forerun:assert \"no users yet\"\nSELECT id FROM users;\nINSERT INTO users (id) VALUES (1);\n",
        );
        project.migration("2_rows.down.sql", "");
        let _ = project.run(&["migrate", "schema"]).expect_code(0);
        assert_eq!(target.applied(), [1], "{target:?}");
        let _ = project.run(&["migrate", "data"]).expect_code(0);
        assert_eq!(
            target.query("SELECT version, kind FROM forerun_history ORDER BY version"),
            "1|schema\n2|data"
        );
        let _ = project.run(&["migrate", "down", "2"]).expect_code(0);
        assert_eq!(target.applied(), [0_i64; 0]);
    }
}

#[test]
fn what_is_never_closed_names_where_it_begins() {
    for (dialect, text, line, column) in [
        ("postgres", "SELECT 1;\n  SELECT 'oh\n;\n", 2, 10),
        ("postgres", "SELECT 1;\nDO $x$ BEGIN\nEND $y$;\n", 2, 4),
        ("postgres", "SELECT 1; /* a /* b */\n", 1, 11),
        ("postgres", "CREATE TABLE \"t (a int);\n", 1, 14),
        ("mysql", "SELECT \"a;\n", 1, 8),
        ("mysql", "SELECT `a;\n", 1, 8),
        ("mysql", "SELECT 1;\nSELECT /* é\n", 2, 8),
        ("sqlite", "SELECT [a;\n", 1, 8),
        (
            "postgres",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\n",
            1,
            33,
        ),
    ] {
        let project = project();
        project.migration("0001_a.sql", text);
        let outcome = project
            .run(&[
                "--format",
                "text",
                "migrate",
                "validate",
                "--dialect",
                dialect,
            ])
            .expect_code(2);
        let place = format!("0001_a.sql:{line}:{column}");
        drop(outcome.expect_text("unterminated").expect_text(&place));
        let outcome = project
            .run(&[
                "--format",
                "json",
                "migrate",
                "validate",
                "--dialect",
                dialect,
            ])
            .expect_code(2);
        let problem = &document(&outcome)["problems"][0];
        assert_eq!(
            (&problem["line"], &problem["column"]),
            (&line.into(), &column.into()),
            "{text}"
        );
    }
}

#[test]
fn a_commit_in_the_middle_is_refused() {
    for (text, place) in [
        (
            "CREATE TABLE a (i integer);\nCOMMIT;\nCREATE TABLE b (i integer);\n",
            "0001_a.sql:2:1",
        ),
        (
            "BEGIN;\nCREATE TABLE a (i integer);\nCOMMIT;\nCREATE TABLE b (i integer);\n",
            "0001_a.sql:3:1",
        ),
        ("CREATE TABLE a (i integer);\nROLLBACK;\n", "0001_a.sql:2:1"),
        ("BEGIN;\nCREATE TABLE a (i integer);\n", "0001_a.sql:1:1"),
    ] {
        for target in [Target::sqlite(), Target::postgres()].into_iter().flatten() {
            let project = empty_project_for(&target);
            project.migration("0001_a.sql", text);
            let _ = project
                .run(&["--format", "text", "migrate", "up"])
                .expect_code(2)
                .expect_text(place)
                .expect_text("forerun:no-transaction");
            assert!(
                target.try_query("SELECT 1 FROM a").is_err(),
                "{target:?}: {text}"
            );
        }
    }
}

#[test]
fn begin_and_commit_around_the_whole_file() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        project.migration(
            "0002_rows.sql",
            "-- a file for any client\nBEGIN;\nINSERT INTO users (id) VALUES (1);\nINSERT INTO users (id) VALUES (2);\nCOMMIT;\n",
        );
        project.migration(
            "0003_fails.sql",
            "START TRANSACTION;\nINSERT INTO users (id) VALUES (3);\nINSERT INTO users (id) VALUES (3);\nCOMMIT;\n"
                .replace("START", if target.product == Product::Sqlite { "BEGIN" } else { "START" }),
        );
        let _ = project.run(&["migrate", "up"]).expect_code(3);
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        assert_eq!(
            target.query("SELECT id FROM users ORDER BY id"),
            "1\n2",
            "{target:?}"
        );
        assert_eq!(
            target.number("SELECT statements FROM forerun_history WHERE version = '2'") % 2,
            0
        );
    }
}

#[test]
fn a_script_in_groups_runs_as_it_is_written() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "0001_a.sql",
            format!(
                "-- forerun:no-transaction\n{USERS}BEGIN;\nINSERT INTO users (id) VALUES (1);\nCOMMIT;\n\
                 BEGIN;\nINSERT INTO users (id) VALUES (2);\nINSERT INTO users (id) VALUES (2);\nCOMMIT;\n"
            ),
        );
        let _ = project.run(&["migrate", "up"]).expect_code(3);
        assert_eq!(
            target.query("SELECT id FROM users"),
            "1",
            "{target:?}: the first group stays, the second does not"
        );
        let text = project.read("migrations/0001_a.sql");
        let last = text.rfind("(2)").unwrap();
        project.migration(
            "0001_a.sql",
            format!("{}(3){}", &text[..last], &text[last + 3..]),
        );
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        assert_eq!(
            target.query("SELECT id FROM users ORDER BY id"),
            "1\n2\n3",
            "{target:?}"
        );
    }
}

#[test]
fn a_script_of_several_megabytes() {
    for target in databases() {
        let project = empty_project_for(&target);
        let mut text = USERS.to_owned();
        let name = "x".repeat(150);
        for block in 0..60 {
            text.push_str("INSERT INTO users (id, name) VALUES\n");
            for row in 0..300 {
                let end = if row == 299 { ";\n" } else { ",\n" };
                text.push_str(&format!("({}, '{name}'){end}", block * 300 + row));
            }
        }
        // One statement that is large by itself.
        text.push_str(&format!(
            "INSERT INTO users (id, name) SELECT 99999, '{}'",
            "y".repeat(100)
        ));
        text.push_str(&format!(" /* {} */ WHERE 1 = 1;\n", "z".repeat(1 << 20)));
        assert!(text.len() > 3 << 20);
        project.migration("0001_large.sql", &text);
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        assert_eq!(
            target.number("SELECT count(*) FROM users"),
            18_001,
            "{target:?}"
        );
    }
}

#[test]
fn a_statement_that_nobody_understands_reaches_the_server() {
    for target in servers() {
        let project = empty_project_for(&target);
        project.migration("0001_a.sql", "FROBNICATE TABLE users;\n");
        let _ = project
            .run(&["--format", "text", "migrate", "up"])
            .expect_code(3)
            .expect_text("FROBNICATE");
    }
}
