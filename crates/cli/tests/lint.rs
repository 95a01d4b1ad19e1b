//! `forerun migrate lint`: text, JSON, SARIF and annotations of the same findings, what is judged, exit codes.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use forerun_sql::operation::{OperationKind, operations};
use forerun_sql::{Dialect, Piece, Splitter};
use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;

const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\n";

/// An index that stops writers, and one that may; a column that the running release uses.
const UNSAFE: &str = "-- What the new search needs.
CREATE INDEX orders_customer
  ON orders (customer_id);
-- forerun:allow pg-index-concurrently \"forty rows\"
CREATE INDEX orders_note ON orders (note);
ALTER TABLE orders DROP COLUMN note;
";

fn project() -> ScratchProject {
    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.migration("0001_orders.sql", ORDERS);
    project
}

/// Only the rules that these tests are about, so that a new one changes none of them.
fn lint(project: &ScratchProject, format: &str, arguments: &[&str]) -> CommandOutcome {
    let mut words = vec!["--format", format, "migrate", "lint"];
    words.extend(arguments);
    for id in others() {
        words.extend(["--disable", id]);
    }
    project.run(&words)
}

/// The rules that are left out.
fn others() -> Vec<&'static str> {
    let heard = ["pg-index-concurrently", "bc-drop-column", "x-unused-allow"];
    let directory =
        |rule: &forerun_sql::lint::Rule| rule.needs == forerun_sql::lint::Needs::Directory;
    let rules = forerun_sql::lint::ALL.iter();
    let others = rules.filter(|rule| !heard.contains(&rule.id) && !directory(rule));
    others.map(|rule| rule.id).collect()
}

fn json(outcome: &CommandOutcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

/// File, rule and line of each finding.
fn found(outcome: &CommandOutcome) -> Vec<String> {
    let document = json(outcome);
    let findings = document["findings"].as_array().unwrap().clone();
    let text = |finding: &Value| {
        let script = finding["script"].as_str().unwrap();
        let rule = finding["rule"].as_str().unwrap();
        let allowed = if finding["allowed"].is_null() {
            ""
        } else {
            " allowed"
        };
        format!("{script}:{} {rule}{allowed}", finding["line"])
    };
    findings.iter().map(text).collect()
}

// ------------------------------------------------------------------------------------------------- forms

#[test]
fn text_for_people() {
    let project = project();
    project.migration("0002_search.sql", UNSAFE);
    let outcome = lint(&project, "text", &["--dialect", "postgres"]).expect_code(5);
    insta::assert_snapshot!(outcome.stdout);
    assert!(!outcome.stdout.contains('\u{1b}'));
    // A pipeline has no terminal, and its log is read by people.
    let piped = lint(&project, "auto", &["--dialect", "postgres"]).expect_code(5);
    assert_eq!(piped.stdout, outcome.stdout);
}

#[test]
fn what_is_proposed_for_a_file_takes_its_place() {
    let project = project();
    let file = "-- forerun:allow bc-drop-column \"nobody reads it\"\nALTER TABLE orders ADD COLUMN region text;\n\
                CREATE INDEX orders_region ON orders (region);\nALTER TABLE orders DROP COLUMN note;\n";
    project.migration("0002_region.sql", file);
    let outcome = lint(&project, "text", &["--dialect", "postgres"]).expect_code(5);
    let text = &outcome.stdout;
    assert!(
        text.contains("  instead of this file, first migration:\n      ALTER TABLE orders ADD COLUMN region text;\n"),
        "{text}"
    );
    let document = json(&lint(&project, "json", &["--dialect", "postgres"]));
    let findings = document["findings"].as_array().unwrap();
    let mut own = findings.iter().filter(|one| one["instead_of"] == "file");
    let files = own.next().unwrap()["instead"].as_array().unwrap();
    for (number, file) in files.iter().enumerate() {
        let name = format!("000{}_region.sql", number + 2);
        project.migration(&name, file.as_str().unwrap());
    }
    assert_eq!(files.len(), 3);
    let outcome = lint(&project, "text", &["--dialect", "postgres"]).expect_code(0);
    assert!(
        outcome
            .stdout
            .ends_with("4 files judged: nothing found, 1 allowed.\n"),
        "{outcome:?}"
    );
}

#[test]
fn json_for_programs() {
    let project = project();
    project.migration("0002_search.sql", UNSAFE);
    let outcome = lint(&project, "json", &["--dialect", "postgres"]).expect_code(5);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn sarif_for_code_hosts() {
    let project = project();
    project.migration("0002_search.sql", UNSAFE);
    let outcome = lint(&project, "sarif", &["--dialect", "postgres"]).expect_code(5);
    let mut log: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &mut log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].take();
    let rules = rules.as_array().unwrap();
    for rule in rules {
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning", "note"].contains(&level));
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].is_string(), "{rule}");
        }
    }
    for result in run["results"].as_array_mut().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        result["ruleIndex"] = Value::Null;
    }
    insta::assert_snapshot!(format!("{:#}", run["results"]));
}

#[test]
fn annotations_for_github() {
    let project = project();
    let odd = "CREATE INDEX \"100% of, it: all\" ON orders (customer_id);\nALTER TABLE orders DROP COLUMN note;\n";
    project.migration("0002_odd.sql", odd);
    let outcome = lint(&project, "github", &["--dialect", "postgres"]).expect_code(5);
    insta::assert_snapshot!(outcome.stdout);
    // What is allowed is no annotation.
    project.migration("0002_odd.sql", format!("-- forerun:allow pg-index-concurrently \"x\"\n-- forerun:allow bc-drop-column \"y\"\n{odd}"));
    let outcome = lint(&project, "github", &["--dialect", "postgres"]).expect_code(0);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn a_rule_is_explained() {
    let project = project();
    let words = ["migrate", "lint", "--explain", "pg-index-concurrently"];
    let outcome = project.run(&words).expect_code(0);
    let page = outcome.stdout;
    assert!(page.starts_with("# pg-index-concurrently\n"), "{page}");
    for part in [
        "SHARE",
        "```sql\nCREATE INDEX orders_customer",
        "Instead:",
        "forerun:allow pg-index",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let outcome = project
        .run(&["migrate", "lint", "--explain", "pg-indx"])
        .expect_code(2);
    assert!(
        outcome
            .stderr
            .contains("there is no rule `pg-indx`; did you mean `pg-index"),
        "{outcome:?}"
    );
}

// ------------------------------------------------------------------------------------------------- what is judged

#[test]
fn the_dialect_comes_from_somewhere() {
    let project = project();
    project.migration("0002_search.sql", UNSAFE);
    let outcome = lint(&project, "json", &[]).expect_code(2);
    assert!(
        outcome
            .stdout
            .contains("--dialect postgres, mysql, mariadb or sqlite"),
        "{outcome:?}"
    );
    // The rule is one of PostgreSQL.
    let outcome = lint(&project, "json", &["--dialect", "mariadb"]);
    assert!(
        !found(&outcome).iter().any(|line| line.contains("pg-")),
        "{outcome:?}"
    );
    // A database that does not answer still says what it is.
    let url = "postgres://a@127.0.0.1:1/x";
    let outcome = lint(&project, "json", &["--url", url]).expect_code(5);
    assert!(found(&outcome).contains(&"0002_search.sql:2 pg-index-concurrently".to_owned()));
    assert_eq!(json(&outcome)["warnings"][0]["code"], "no_database");
}

#[test]
fn a_directory_that_cannot_be_read_is_no_finding() {
    let project = project();
    project.migration("0002_open.sql", "SELECT 'never closed");
    let _ = lint(&project, "json", &["--dialect", "sqlite"])
        .expect_code(2)
        .expect_text("0002_open.sql");
    let _ = lint(
        &project,
        "json",
        &["--dialect", "sqlite", "--dir", "nowhere"],
    )
    .expect_code(2);
}

#[test]
fn warnings_and_what_is_allowed_do_not_fail() {
    let project = project();
    project.migration(
        "0002_a.sql",
        "-- forerun:allow pg-index-concurrently \"x\"\nSELECT 1;\n",
    );
    let outcome = lint(&project, "json", &["--dialect", "postgres"]).expect_code(0);
    assert_eq!(found(&outcome), ["0002_a.sql:1 x-unused-allow"]);
    let disabled = ["--dialect", "postgres", "--disable", "x-unused-allow"];
    let outcome = lint(&project, "json", &disabled).expect_code(0);
    assert!(found(&outcome).is_empty());
}

#[test]
fn other_layouts_have_the_places_of_their_files() {
    let project = project();
    std::fs::remove_file(project.migrations().join("0001_orders.sql")).unwrap();
    let first = format!("-- +goose Up\n{ORDERS}\n-- +goose Down\nDROP TABLE orders;\n");
    project.migration("00001_orders.sql", first);
    let second = "-- +goose Up\n-- +goose StatementBegin\nCREATE INDEX a ON orders (note);\n-- +goose StatementEnd\n\n\
                  -- +goose Down\nDROP INDEX a;\nALTER TABLE orders DROP COLUMN note;\n";
    project.migration("00002_index.sql", second);
    let outcome = lint(&project, "json", &["--dialect", "postgres"]).expect_code(5);
    assert_eq!(found(&outcome), ["00002_index.sql:3 pg-index-concurrently"]);
}

#[test]
fn only_so_much_of_a_long_file_is_judged() {
    let project = project();
    let row = format!(
        "INSERT INTO orders (id, note) VALUES (1, '{}');\n",
        "x".repeat(1 << 20)
    );
    let late = "CREATE INDEX a ON orders (note);\n";
    project.migration("0002_rows.sql", format!("{late}{}{late}", row.repeat(9)));
    let outcome = lint(&project, "json", &["--dialect", "postgres"]).expect_code(5);
    assert_eq!(found(&outcome), ["0002_rows.sql:1 pg-index-concurrently"]);
    let message = json(&outcome)["warnings"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        message,
        "0002_rows.sql has more than 8 MB of statements; what comes after line 8 is not judged"
    );
}

#[test]
fn an_exception_for_no_rule_is_shown_on_the_first_line_too() {
    let project = project();
    project.migration(
        "0002_x.sql",
        "-- forerun:allow drop-column \"unused\"\nSELECT 1;\n",
    );
    let words = ["migrate", "lint", "--dialect", "postgres"];
    let _ = project
        .run(&words)
        .expect_code(5)
        .expect_text("there is no rule `drop-column`; did you mean `bc-drop-column`?")
        .expect_text("1 │ -- forerun:allow drop-column \"unused\"")
        .expect_text("  │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^");
}

// ------------------------------------------------------------------------------------------------- false alarms

fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every directory of migrations below this one.
fn directories(below: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.ends_with("migrations") && has_sql(&path) {
                all.push(path.clone());
            }
            directories(&path, all);
        }
    }
}

fn has_sql(directory: &Path) -> bool {
    let mut entries = std::fs::read_dir(directory).unwrap().flatten();
    entries.any(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "sql")
    })
}

#[test]
fn the_examples_have_no_errors() {
    let project = project();
    let mut all = Vec::new();
    directories(&repository_root().join("examples"), &mut all);
    assert!(!all.is_empty());
    for directory in all {
        let words = [
            "--format",
            "text",
            "migrate",
            "lint",
            "--dialect",
            "postgres",
            "--dir",
        ];
        let mut words = words.to_vec();
        let directory = directory.display().to_string();
        words.push(&directory);
        let _ = project.run(&words).expect_code(0);
    }
}

/// What is outside of the working directory has the path that the host knows it by; `./` is in none.
#[test]
fn code_hosts_are_given_paths_from_the_root_of_the_repository() {
    let project = project();
    project.migration("0002_i.sql", "CREATE INDEX i ON orders (note);\n");
    let whole = project.path().join("migrations").display().to_string();
    for directory in [
        "./migrations",
        "./migrations/",
        ".//migrations/../migrations",
        &whole,
    ] {
        let paths = |format: &str| {
            let words = [
                "--format",
                format,
                "migrate",
                "lint",
                "--dialect",
                "postgres",
                "--dir",
            ];
            let mut words = words.to_vec();
            words.push(directory);
            project.run(&words).expect_code(5).stdout.clone()
        };
        let sarif: Value = serde_json::from_str(&paths("sarif")).unwrap();
        let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        let uri = &place["artifactLocation"]["uri"];
        assert_eq!(uri, "migrations/0002_i.sql", "{directory}");
        let annotations = paths("github");
        let begins = annotations.starts_with("::error file=migrations/0002_i.sql,");
        assert!(begins, "{directory}: {annotations}");
    }
}

/// Directories of public projects, where `FORERUN_CORPORA` names them: a file that only makes tables has no errors but of
/// hygiene.
#[test]
fn who_only_makes_tables_has_no_errors() {
    let Some(corpora) = std::env::var_os("FORERUN_CORPORA") else {
        return;
    };
    let project = project();
    let mut wrong = Vec::new();
    let mut made = std::collections::BTreeMap::new();
    for (name, dialect) in [
        ("harbor-golang-migrate-postgres", "postgres"),
        ("openfga-goose/postgres", "postgres"),
        ("openfga-goose/mysql", "mysql"),
        ("openfga-goose/mysql", "mariadb"),
        ("openfga-goose/sqlite", "sqlite"),
        ("atuin-sqlx/postgres", "postgres"),
        ("atuin-sqlx/sqlite", "sqlite"),
    ] {
        let directory = PathBuf::from(&corpora).join(name);
        let directory = directory.display().to_string();
        let words = [
            "--format",
            "json",
            "migrate",
            "lint",
            "--dialect",
            dialect,
            "--dir",
            &directory,
        ];
        let document = json(&project.run(&words));
        assert_ne!(document["judged"], 0, "{name}: {document}");
        let only_makes = |file: &str| {
            let text = std::fs::read_to_string(file).unwrap();
            let of = match dialect {
                "postgres" => Dialect::Postgres,
                "sqlite" => Dialect::Sqlite,
                _ => Dialect::Mysql,
            };
            only_makes_tables(of, &text)
        };
        let sql = std::fs::read_dir(&directory).unwrap().flatten();
        let paths = sql.map(|entry| entry.path().display().to_string());
        let makers = paths.filter(|path| path.ends_with(".sql") && only_makes(path));
        *made.entry(dialect).or_insert(0) += makers.count();
        for finding in document["findings"].as_array().unwrap() {
            let harmless = finding["severity"] != "error" || finding["kind"] == "hygiene";
            if !harmless && only_makes(finding["file"].as_str().unwrap()) {
                wrong.push(format!("{dialect}: {finding}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Of each database there were files to be wrong about.
    assert_eq!(made.len(), 4);
    assert!(made.values().all(|files| *files > 0), "{made:?}");
}

/// Whether the part of a file that goes up makes tables, with their indexes, and does nothing else. (What refers to a table
/// that was there locks that one.)
fn only_makes_tables(dialect: Dialect, text: &str) -> bool {
    let up = text.split("-- +goose Down").next().unwrap_or_default();
    let mut splitter = Splitter::new(up.as_bytes(), dialect);
    let mut made = Vec::new();
    while let Some(piece) = splitter.next_piece().unwrap() {
        // What stands after the last one is no statement.
        let Piece::Statement(statement) = piece else {
            continue;
        };
        for operation in operations(dialect, &statement.text).list {
            match operation.kind {
                OperationKind::CreateTable(create) => made.extend(create.table),
                OperationKind::CreateIndex(index)
                    if index
                        .table
                        .as_ref()
                        .is_some_and(|table| made.contains(table)) => {}
                _ => return false,
            }
        }
    }
    !made.is_empty() && !up.to_ascii_uppercase().contains("REFERENCES ")
}
