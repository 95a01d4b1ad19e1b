//! What plan and up make of findings: what stops a run, what is only told, and what the audit keeps of both.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, document, text, texts};
use forerun_test_support::{CommandOutcome, PostgresServer, ScratchProject};
use serde_json::Value;
use story::{Product, Target, empty_project_for};

const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\n";

fn project() -> ScratchProject {
    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.migration("0001_orders.sql", ORDERS);
    project
}

fn json(outcome: &CommandOutcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

/// A project whose database has the first migration.
fn applied(url: &str) -> ScratchProject {
    let mut project = project();
    project.set_env("DATABASE_URL", url);
    let _ = project.run(&["migrate", "up"]).expect_code(0);
    project
}

#[test]
fn a_new_database_is_not_judged() {
    let mut project = project();
    project.migration("0002_drop.sql", "ALTER TABLE orders DROP COLUMN note;\n");
    project.set_env("DATABASE_URL", "sqlite:app.db");
    let outcome = project
        .run(&["--format", "text", "migrate", "up", "--release", "1.0.0"])
        .expect_code(0);
    assert!(!outcome.stderr.contains("bc-drop-column"), "{outcome:?}");
}

#[test]
fn up_does_not_break_the_running_release() {
    let project = applied("sqlite:app.db");
    project.migration(
        "0002_fine.sql",
        "CREATE TABLE items (id integer PRIMARY KEY);\n",
    );
    project.migration("0003_drop.sql", "ALTER TABLE orders DROP COLUMN note;\n");
    let released = ["--format", "text", "migrate", "up", "--release", "2.0.0"];
    let outcome = project.run(&released).expect_code(5);
    insta::assert_snapshot!(
        outcome
            .stderr
            .lines()
            .filter(|line| !line.contains("migrations in"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    // Nothing was run, also of what came before it.
    let status = project
        .run(&["--format", "json", "migrate", "status"])
        .expect_code(0);
    assert_eq!(json(&status)["applied"].as_array().unwrap().len(), 1);
    let plan = project
        .run(&["--format", "json", "migrate", "plan"])
        .expect_code(0);
    let findings = json(&plan)["steps"][1]["findings"].clone();
    assert_eq!(findings[0]["rule"], "bc-drop-column", "{findings}");
    assert_eq!(findings[0]["line"], 1);
    let plan = project
        .run(&["--format", "text", "migrate", "plan"])
        .expect_code(0);
    assert!(
        plan.stdout.contains("error line 1: bc-drop-column: "),
        "{plan:?}"
    );
}

#[test]
fn a_warning_is_told_once() {
    for arguments in [vec!["--lint", "warn", "--release", "2.0.0"], vec![]] {
        let project = applied("sqlite:app.db");
        project.migration("0002_drop.sql", "ALTER TABLE orders DROP COLUMN note;\n");
        let mut words = vec!["--format", "json", "migrate", "up"];
        words.extend(arguments);
        let outcome = project.run(&words).expect_code(0);
        let told = outcome
            .stdout
            .lines()
            .filter(|line| line.contains("bc-drop-column"));
        let told: Vec<Value> = told
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(told.len(), 1, "{outcome:?}");
        assert_eq!(
            (&told[0]["event"], &told[0]["code"]),
            (&"warning".into(), &"lint".into())
        );
        let message = told[0]["message"].as_str().unwrap();
        assert!(
            message.starts_with("migrations/0002_drop.sql:1:"),
            "{message}"
        );
    }
}

#[test]
fn what_is_not_judged_is_not_told() {
    let mut project = applied("sqlite:app.db");
    project.migration("0002_drop.sql", "ALTER TABLE orders DROP COLUMN note;\n");
    project.set_env("FORERUN_LINT", "off");
    let outcome = project
        .run(&["--format", "json", "migrate", "up", "--release", "2.0.0"])
        .expect_code(0);
    assert!(!outcome.stdout.contains("bc-drop-column"), "{outcome:?}");
    project.set_env("FORERUN_LINT", "often");
    let outcome = project.run(&["migrate", "up"]).expect_code(2);
    assert!(
        outcome.stdout.contains("enforce, warn and off"),
        "{outcome:?}"
    );
}

#[test]
fn what_is_allowed_runs_and_is_in_the_audit() {
    let project = applied("sqlite:app.db");
    let allowed =
        "-- forerun:allow bc-drop-column \"never used\"\nALTER TABLE orders DROP COLUMN note;\n";
    project.migration("0002_drop.sql", allowed);
    let outcome = project
        .run(&["--format", "json", "migrate", "up", "--release", "2.0.0"])
        .expect_code(0);
    assert!(!outcome.stdout.contains("bc-drop-column"), "{outcome:?}");
    let history = project
        .run(&["--format", "json", "migrate", "history", "0002"])
        .expect_code(0);
    assert!(
        history.stdout.contains("bc-drop-column") && history.stdout.contains("never used"),
        "{history:?}"
    );
}

#[test]
fn up_does_not_write_a_table_anew_while_everybody_waits() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let project = applied(&database.url);
    let rewrite = "ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric;\n";
    project.migration("0002_type.sql", rewrite);
    // Whether or not there is a release.
    let outcome = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(5);
    assert!(
        outcome.stderr.contains("migrations/0002_type.sql:1:"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("--lint warn"), "{outcome:?}");
    let lint = project
        .run(&["--format", "json", "migrate", "lint"])
        .expect_code(5);
    assert_eq!(
        (
            json(&lint)["judged"].as_u64(),
            json(&lint)["learnt"].as_u64()
        ),
        (Some(1), Some(1))
    );
    let _ = project
        .run(&["migrate", "up", "--lint", "warn"])
        .expect_code(0);
    let lint = project
        .run(&["--format", "json", "migrate", "lint"])
        .expect_code(0);
    assert_eq!(json(&lint)["judged"], 0);
}

/// What writes `orders` anew, and the rule that says so; on SQLite, which does that for nobody, what breaks a release.
fn worst(target: &Target<'_>) -> (&'static str, &'static str) {
    match target.product {
        Product::Postgres => (
            "ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric;\n",
            "pg-alter-type",
        ),
        Product::Mariadb => (
            "ALTER TABLE orders MODIFY customer_id varchar(40);\n",
            "my-copy",
        ),
        Product::Sqlite => (
            "ALTER TABLE orders RENAME COLUMN customer_id TO customer;\n",
            "bc-rename-column",
        ),
    }
}

fn entries(project: &ScratchProject, event: &str) -> Vec<Value> {
    let history = document(&answers::json(project, &["history", "2"], 0));
    let audit = history["audit"].as_array().unwrap().iter();
    audit.filter(|row| row["event"] == event).cloned().collect()
}

#[test]
fn tables_that_somebody_else_has_made_are_in_use() {
    for target in databases() {
        let _ = target.query(ORDERS);
        let project = empty_project_for(&target);
        let (sql, rule) = worst(&target);
        project.migration(
            "0001_first.sql",
            "CREATE TABLE own (id bigint PRIMARY KEY);\n",
        );
        project.migration("0002_worst.sql", sql);
        for _ in 0..2 {
            let _ = text(&project, &["up", "--release", "1.0"], 5).expect_text(rule);
        }
        assert_eq!(target.applied(), answers::NOTHING, "{target:?}");
        let up = ["up", "--release", "1.0", "--lint", "warn"];
        let _ = text(&project, &up, 0).expect_text(rule);
        assert_eq!(entries(&project, "override.lint").len(), 1, "{target:?}");
    }
}

#[test]
fn a_first_run_that_failed_half_way_goes_on() {
    for target in databases() {
        let project = empty_project_for(&target);
        let (sql, _) = worst(&target);
        project.migration("0001_orders.sql", ORDERS);
        project.migration("0002_worst.sql", "SELECT nonsense FROM nowhere;\n");
        let _ = text(&project, &["up", "--release", "1.0"], 3);
        project.migration("0002_worst.sql", sql);
        let _ = text(&project, &["up", "--release", "1.0"], 0).expect_text("Applied 1 migration");
        assert_eq!(
            entries(&project, "override.lint"),
            [] as [Value; 0],
            "{target:?}"
        );
    }
    // Where the first file was interrupted half way, its tables are there and it is not recorded.
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_orders.sql", format!("{ORDERS}SELECT nonsense;\n"));
    let _ = text(&project, &["up", "--release", "1.0"], 3);
    project.migration("0001_orders.sql", format!("{ORDERS}{}", worst(&target).0));
    let _ = text(&project, &["up", "--release", "1.0"], 0).expect_text("Applied 1 migration");
}

#[test]
fn what_the_linter_stopped_and_what_it_did_not_are_in_the_audit() {
    for mode in ["warn", "off"] {
        for target in databases() {
            let project = empty_project_for(&target);
            project.migration("0001_orders.sql", ORDERS);
            let _ = text(&project, &["up", "--release", "1.0"], 0);
            let (sql, rule) = worst(&target);
            project.migration("0002_worst.sql", format!("SELECT 1;\n{sql}"));
            let _ = text(&project, &["up", "--release", "2.0"], 5);
            let refused = target.query(
                "SELECT detail FROM forerun_audit WHERE event = 'run.finished' ORDER BY id DESC LIMIT 1",
            );
            let refused: Value = serde_json::from_str(refused.trim()).unwrap();
            assert_eq!(refused["ok"], false, "{refused}");
            let findings = &refused["findings"];
            assert!(
                texts(findings, "rule").contains(&rule.to_owned()),
                "{refused}"
            );
            assert_eq!(findings[0]["file"], "0002_worst.sql");
            assert_eq!(findings[0]["line"], 2);
            let up = ["up", "--release", "2.0", "--lint", mode];
            let outcome = text(&project, &up, 0);
            assert_eq!(outcome.stderr.contains(rule), mode == "warn", "{outcome:?}");
            let overridden = entries(&project, "override.lint");
            assert_eq!(overridden.len(), 1, "{target:?}");
            assert_eq!(overridden[0]["detail"]["lint"], mode);
            assert_eq!(overridden[0]["detail"]["findings"], *findings, "{target:?}");
            let message = overridden[0]["message"].as_str().unwrap();
            assert!(
                message.starts_with("0002_worst.sql runs although"),
                "{message}"
            );
            // What would have run anyhow is no override.
            project.migration(
                "0003_fine.sql",
                "CREATE TABLE fine (id bigint PRIMARY KEY);\n",
            );
            let _ = text(&project, &up, 0);
            let all = "SELECT count(*) FROM forerun_audit WHERE event = 'override.lint'";
            assert_eq!(target.number(all), 1, "{target:?}");
        }
    }
}

/// Who forgets to tell the release is no better off than who tells it.
#[test]
fn what_breaks_a_release_that_the_ledger_knows_is_stopped_without_one() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_orders.sql", ORDERS);
        let _ = text(&project, &["up", "--release", "1.0"], 0);
        project.migration("0002_drop.sql", "ALTER TABLE orders DROP COLUMN note;\n");
        let _ = text(&project, &["up"], 5).expect_text("bc-drop-column");
        let _ = text(&project, &["deployed"], 0);
        let _ = text(&project, &["up"], 5).expect_text("bc-drop-column");
        assert_eq!(target.applied(), [1], "{target:?}");
    }
}
