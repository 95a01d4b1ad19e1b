//! The commands that need no database, and the help: `new`, `validate`, `hash`, completions, the manual.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use std::path::Path;
use std::process::Command;

use answers::{document, json, shop, text, texts, up};
use forerun_test_support::ScratchProject;
use serde_json::json;
use story::{Target, project};

#[test]
fn new_continues_the_style_of_the_directory() {
    let project = project();
    let made = document(&json(&project, &["new", "Add e-mail"], 0));
    let first = made["files"][0].as_str().unwrap().to_owned();
    let version: String = first
        .trim_start_matches("migrations/")
        .chars()
        .take(14)
        .collect();
    assert!(
        version.bytes().all(|byte| byte.is_ascii_digit()),
        "{first}: a timestamp"
    );
    assert!(first.ends_with("_add_e_mail.sql"), "{first}");
    project.remove(&first);
    project.migration("0009_a.sql", "SELECT 1;\n");
    let outcome = text(&project, &["new", "fill", "--data"], 0);
    assert_eq!(outcome.stdout, "migrations/0010_fill.sql\n");
    assert!(
        project
            .read("migrations/0010_fill.sql")
            .starts_with("-- forerun:data\n")
    );
    let _ = text(&project, &["new", "..."], 2);
    let golang = project.path().join("other");
    project.write("other/000001_a.up.sql", "SELECT 1;\n");
    let made = document(&json(&project, &["new", "b", "--dir", "other"], 0));
    assert_eq!(
        made["files"],
        json!(["other/000002_b.up.sql", "other/000002_b.down.sql"])
    );
    assert!(golang.join("000002_b.down.sql").exists());
    // A directory that is not there yet is made.
    let _ = text(&project, &["new", "b", "--dir", "fresh/one"], 0);
    assert_eq!(project.list("fresh/one").len(), 1);
}

#[test]
fn validate_lists_all_problems() {
    let project = project();
    project.migration("0001_a.sql", "-- forerun:dta\nSELECT 1;\n");
    project.migration("0002_b.sql", "SELECT 'x;\n");
    project.migration("0003_c.sql", "SELECT 1;\n");
    let _ = text(&project, &["validate"], 2)
        .expect_text("migrations/0001_a.sql:1:1")
        .expect_text("migrations/0002_b.sql:1:8")
        .expect_text("2 problems");
    let found = document(&json(&project, &["validate"], 2));
    assert_eq!(found["valid"], false);
    assert_eq!(found["dialect"], "postgres");
    assert_eq!(
        texts(&found["problems"], "file"),
        ["migrations/0001_a.sql", "migrations/0002_b.sql"]
    );
    project.migration("0001_a.sql", "SELECT 1;\n");
    project.migration("0002_b.sql", "SELECT 'x';\n");
    let found = document(&json(&project, &["validate", "--dialect", "mysql"], 0));
    assert_eq!(
        (&found["valid"], &found["migrations"], &found["dialect"]),
        (&json!(true), &json!(3), &json!("mysql"))
    );
}

#[test]
fn validate_counts_each_problem_of_a_layout() {
    let project = project();
    let template = "CREATE TABLE a (i integer DEFAULT {{.start}});\n";
    project.migration("001_a.sql", template);
    project.migration("002_b.sql", format!("SELECT 1;\n{template}"));
    let validate = ["validate", "--layout", "tern"];
    let shown = text(&project, &validate, 2)
        .expect_text("✗ migrations/001_a.sql:1:35: this is a Go template")
        .expect_text("✗ migrations/002_b.sql:2:35: this is a Go template")
        .expect_text("migrations cannot be read as tern: 2 problems.");
    assert!(!shown.stdout.contains("0 migrations"), "{shown:?}");
    let found = document(&json(&project, &validate, 2));
    assert_eq!(
        texts(&found["problems"], "file"),
        ["migrations/001_a.sql", "migrations/002_b.sql"]
    );
    assert_eq!(texts(&found["problems"], "line"), ["1", "2"]);
    assert_eq!(
        (&found["layout"], found.get("migrations")),
        (&json!("tern"), None)
    );
    // One place is said once, also by what would have run it.
    project.remove("migrations/002_b.sql");
    for command in ["validate", "new"] {
        let mut words = vec![command, "--layout", "tern"];
        words.extend((command == "new").then_some("more"));
        let shown = text(&project, &words, 2);
        let said = format!("{}{}", shown.stdout, shown.stderr);
        assert_eq!(said.matches("001_a.sql:1:35").count(), 1, "{said}");
        assert_eq!(said.matches("this is a Go template").count(), 1, "{said}");
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("git is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn validate_against_a_git_reference() {
    let project = project();
    project.migration("0001_a.sql", "CREATE TABLE a (i integer);\n");
    project.migration("0003_c.sql", "CREATE TABLE c (i integer);\n");
    git(&project.path(), &["init", "-q"]);
    git(&project.path(), &["add", "."]);
    git(&project.path(), &["commit", "-qm", "merged"]);
    let base = ["validate", "--base", "main"];
    let _ = text(&project, &base, 0);
    // What is new comes after what was merged.
    project.migration("0004_d.sql", "CREATE TABLE d (i integer);\n");
    let _ = text(&project, &base, 0);
    project.migration("0002_b.sql", "CREATE TABLE b (i integer);\n");
    let _ = text(&project, &base, 4).expect_text("0002_b.sql");
    project.remove("migrations/0002_b.sql");
    // Comments may change, SQL may not.
    project.migration("0001_a.sql", "-- table a\nCREATE TABLE a (i integer);\n");
    let _ = text(&project, &base, 0);
    project.migration("0001_a.sql", "CREATE TABLE a (i bigint);\n");
    let _ = text(&project, &base, 4).expect_text("0001_a.sql");
    let found = document(&json(&project, &base, 4));
    assert_eq!(
        (&found["valid"], &found["base"]),
        (&json!(false), &json!("main"))
    );
    project.remove("migrations/0001_a.sql");
    let _ = text(&project, &base, 4).expect_text("0001_a.sql");
    let _ =
        text(&project, &["validate", "--base", "no-such-branch"], 2).expect_text("no-such-branch");
    let _ = text(&project, &["validate", "--base", "--help-all"], 2);
}

#[test]
fn the_sum_file() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = shop(&target);
    let _ = text(&project, &["hash"], 0).expect_text("migrations/forerun.sum");
    let _ = text(&project, &["hash"], 0).expect_text("up to date");
    let _ = json(&project, &["schema"], 0);
    project.migration(
        "0003_orders.sql",
        "CREATE TABLE orders (id bigint PRIMARY KEY);\n",
    );
    for command in ["up", "plan", "down", "data"] {
        let _ = text(&project, &[command], 4)
            .expect_text("forerun.sum")
            .expect_text("0003_orders.sql");
    }
    let _ = text(&project, &["validate"], 4).expect_text("0003_orders.sql");
    let written = document(&json(&project, &["hash"], 0));
    assert_eq!(
        (&written["written"], &written["changed"]),
        (&json!(true), &json!(["0003_orders.sql"]))
    );
    // `new` keeps it in step.
    let _ = json(&project, &["new", "next"], 0);
    let _ = text(&project, &["validate"], 0);
    // Two branches were merged with a conflict.
    let sum = project.read("migrations/forerun.sum");
    project.migration(
        "forerun.sum",
        format!("<<<<<<< HEAD\n{sum}=======\n{sum}>>>>>>> other\n"),
    );
    let _ = text(&project, &["up"], 2).expect_text("forerun migrate hash");
    let _ = text(&project, &["hash"], 0);
    let _ = up(&project, 0);
    // Line ends of another machine are no difference.
    let windows = project
        .read("migrations/0001_users.sql")
        .replace('\n', "\r\n");
    project.migration("0001_users.sql", windows);
    let _ = text(&project, &["validate"], 0);
}

/// Commands under `forerun migrate`, as the help lists them.
fn commands(project: &ScratchProject) -> Vec<String> {
    let help = project.run(&["migrate", "--help"]).expect_code(0).stdout;
    let list = help.split_once("Commands:\n").expect("a list").1;
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_completions_and_manual_know_every_command() {
    let project = project();
    let commands = commands(&project);
    for name in [
        "up", "schema", "data", "down", "plan", "status", "history", "wait", "new", "validate",
        "hash", "baseline", "repair", "unlock",
    ] {
        assert!(
            commands.iter().any(|command| command == name),
            "{name}: {commands:?}"
        );
        let help = project.run(&["migrate", name, "--help"]).expect_code(0);
        assert!(help.stdout.contains("Usage: forerun migrate"), "{help:?}");
    }
    let apply = project.run(&["migrate", "apply", "--help"]).expect_code(0);
    let _ = apply
        .expect_text("MIGRATION_LOCK_TIMEOUT")
        .expect_text("DATABASE_URL");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.run(&["completions", shell]).expect_code(0).stdout;
        for command in commands.iter().map(String::as_str).chain(["exec", "apply"]) {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(
            !script.contains("__guarded"),
            "{shell}: a command that is nobody's business"
        );
    }
    let manual = project.run(&["man"]).expect_code(0).stdout;
    for command in commands.iter().map(String::as_str).chain(["exec"]) {
        assert!(manual.contains(command), "{command}");
    }
    assert!(!manual.contains("__guarded"));
    let version = project.run(&["--version"]).expect_code(0).stdout;
    assert_eq!(version, format!("forerun {}\n", env!("CARGO_PKG_VERSION")));
    let help = project.run(&["--help"]).expect_code(0);
    let _ = help.expect_text("Exit codes:").expect_text("75");
}
