//! `--base`: a directory judged, and checked, against a branch.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::process::Command;

use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;

const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\n";

fn project() -> ScratchProject {
    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.migration("0001_orders.sql", ORDERS);
    project
}

/// Only the rules that these tests are about, so that a new one changes none of them.
fn lint(project: &ScratchProject, format: &str, arguments: &[&str]) -> CommandOutcome {
    let mut words = vec!["--format", format, "migrate", "lint"];
    words.extend(arguments);
    let heard = |rule: &forerun_sql::lint::Rule| {
        let of_base = rule.needs == forerun_sql::lint::Needs::Directory;
        of_base || ["pg-index-concurrently", "x-unused-allow"].contains(&rule.id)
    };
    for rule in forerun_sql::lint::ALL.iter().filter(|rule| !heard(rule)) {
        words.extend(["--disable", rule.id]);
    }
    project.run(&words)
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

fn git(project: &ScratchProject, arguments: &[&str]) {
    let identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ];
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(project.path())
        .args(identity)
        .args(arguments);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A repository whose branch `base` has 0001 and 0003.
fn repository() -> ScratchProject {
    let project = project();
    project.migration("0003_old.sql", "CREATE INDEX old ON orders (note);\n");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "base"]);
    git(&project, &["branch", "base"]);
    project
}

const SINCE: [&str; 4] = ["--dialect", "postgres", "--base", "base"];

#[test]
fn only_what_a_branch_adds_is_judged() {
    let project = repository();
    let _ = lint(&project, "json", &["--dialect", "postgres"]).expect_code(5);
    let outcome = lint(&project, "json", &SINCE).expect_code(0);
    assert!(found(&outcome).is_empty());
    assert_eq!(
        (
            json(&outcome)["judged"].as_u64(),
            json(&outcome)["learnt"].as_u64()
        ),
        (Some(0), Some(2))
    );
    // What it adds is merged and run as a whole: its tables are new, those of the base are not.
    project.migration(
        "0004_items.sql",
        "CREATE TABLE items (id bigint PRIMARY KEY, name text);\n",
    );
    project.migration(
        "0005_indexes.sql",
        "CREATE INDEX i ON items (name);\nCREATE INDEX o ON orders (customer_id);\n",
    );
    let outcome = lint(&project, "json", &SINCE).expect_code(5);
    assert_eq!(
        found(&outcome),
        ["0005_indexes.sql:2 pg-index-concurrently"]
    );
}

#[test]
fn what_was_merged_stays_and_what_is_new_comes_after_it() {
    let project = repository();
    project.migration("0002_late.sql", "SELECT 1;\n");
    project.migration("0003_old.sql", "CREATE INDEX other ON orders (note);\n");
    std::fs::remove_file(project.migrations().join("0001_orders.sql")).unwrap();
    let outcome = lint(&project, "json", &SINCE).expect_code(5);
    let expected = [
        "0001_orders.sql:1 x-edited-file",
        "0002_late.sql:1 x-out-of-order",
        "0003_old.sql:1 x-edited-file",
        "0003_old.sql:1 pg-index-concurrently",
    ];
    let mut all = found(&outcome);
    all[2..].sort_by_key(|line| std::cmp::Reverse(line.clone()));
    assert_eq!(all, expected);
    // With a reason it may be.
    project.migration(
        "0002_late.sql",
        "-- forerun:allow x-out-of-order \"nothing depends on it\"\nSELECT 1;\n",
    );
    let outcome = lint(&project, "json", &SINCE).expect_code(5);
    assert!(
        found(&outcome).contains(&"0002_late.sql:1 x-out-of-order allowed".to_owned()),
        "{outcome:?}"
    );
    // Without the branch nobody can know, and the reason is not held against the file.
    let outcome = lint(&project, "json", &["--dialect", "postgres"]);
    assert!(
        !found(&outcome).iter().any(|line| line.contains("0002")),
        "{outcome:?}"
    );
}

#[test]
fn a_version_is_given_once() {
    let project = repository();
    std::fs::remove_file(project.migrations().join("0003_old.sql")).unwrap();
    project.migration("0003_mine.sql", "SELECT 1;\n");
    let outcome = lint(&project, "text", &SINCE).expect_code(5);
    insta::assert_snapshot!(outcome.stdout);
    let outcome = lint(
        &project,
        "json",
        &["--dialect", "postgres", "--base", "nowhere"],
    )
    .expect_code(2);
    assert!(outcome.stdout.contains("git fetch"), "{outcome:?}");
}

/// The branch at hand was left behind: `base` has 0004 and 0006 since, and has changed 0001.
fn left_behind() -> ScratchProject {
    let project = repository();
    git(&project, &["checkout", "--quiet", "-b", "feature"]);
    project.migration("0005_mine.sql", "CREATE INDEX mine ON orders (note);\n");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "mine"]);
    git(&project, &["checkout", "--quiet", "base"]);
    project.migration("0004_theirs.sql", "SELECT 1;\n");
    project.migration("0001_orders.sql", "CREATE TABLE orders (id bigint);\n");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "theirs"]);
    git(&project, &["checkout", "--quiet", "feature"]);
    project
}

#[test]
fn a_branch_that_is_behind_has_deleted_nothing() {
    let project = left_behind();
    let outcome = lint(&project, "json", &SINCE).expect_code(5);
    assert_eq!(found(&outcome), ["0005_mine.sql:1 pg-index-concurrently"]);
    let validate = ["migrate", "validate", "--base", "base"];
    let _ = project.run(&validate).expect_code(0);
    // What it does itself is its own.
    std::fs::remove_file(project.migrations().join("0003_old.sql")).unwrap();
    let outcome = lint(&project, "json", &SINCE).expect_code(5);
    assert_eq!(
        found(&outcome),
        [
            "0003_old.sql:1 x-edited-file",
            "0005_mine.sql:1 pg-index-concurrently"
        ]
    );
    let _ = project
        .run(&validate)
        .expect_code(4)
        .expect_text("0003_old.sql");
}

#[test]
fn what_others_deleted_is_not_new() {
    let project = repository();
    git(&project, &["checkout", "--quiet", "-b", "feature"]);
    git(&project, &["checkout", "--quiet", "base"]);
    std::fs::remove_file(project.migrations().join("0001_orders.sql")).unwrap();
    git(&project, &["add", "--all", "."]);
    git(&project, &["commit", "--quiet", "-m", "squashed"]);
    git(&project, &["checkout", "--quiet", "feature"]);
    let outcome = lint(&project, "json", &SINCE).expect_code(0);
    assert_eq!(json(&outcome)["judged"], 0);
}
