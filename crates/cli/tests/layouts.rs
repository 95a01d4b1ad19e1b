//! What other tools' layouts can do that the native one cannot: run again, begin with a checkpoint, ask first.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, document, json, text};
use forerun_test_support::ScratchProject;
use serde_json::Value;
use story::{Target, empty_project_for};

/// `up` with exit code 0; how many migrations it applied.
fn up(project: &ScratchProject) -> usize {
    let outcome = json(project, &["up"], 0);
    let lines = answers::lines(&outcome.stdout);
    let finished = |line: &&Value| line["event"] == "migration_finished";
    lines.iter().filter(finished).count()
}

fn history(project: &ScratchProject) -> Vec<String> {
    let document = document(&json(project, &["history"], 0));
    answers::texts(&document["history"], "script")
}

fn pending(project: &ScratchProject) -> Vec<String> {
    let document = document(&json(project, &["status"], 0));
    answers::texts(&document["pending"], "script")
}

/// Two versioned migrations, a view, and what runs before everything.
fn flyway(target: &Target<'_>) -> ScratchProject {
    let project = empty_project_for(target);
    project.migration("V1__runs.sql", "CREATE TABLE runs (id integer);");
    project.migration(
        "V2__users.sql",
        "CREATE TABLE users (id integer, name varchar(100));\nINSERT INTO users VALUES (1, 'ann');",
    );
    project.migration(
        "R__names.sql",
        "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name FROM users;",
    );
    project
}

#[test]
fn what_is_repeatable_runs_when_it_has_changed() {
    for target in databases() {
        let project = flyway(&target);
        assert_eq!(up(&project), 3, "{target:?}");
        assert_eq!(
            target.query("SELECT * FROM names").trim(),
            "ann",
            "{target:?}"
        );
        assert_eq!(up(&project), 0, "{target:?}");
        project.migration(
            "R__names.sql",
            "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT upper(name) FROM users;",
        );
        assert_eq!(pending(&project), ["R__names.sql"], "{target:?}");
        let _ = text(&project, &["status", "--exit-code"], 6);
        assert_eq!(up(&project), 1, "{target:?}");
        assert_eq!(
            target.query("SELECT * FROM names").trim(),
            "ANN",
            "{target:?}"
        );
        // A version that comes later is not late because a name is applied.
        project.migration("V3__more.sql", "INSERT INTO runs VALUES (3);");
        assert_eq!(up(&project), 1, "{target:?}");
        assert_eq!(
            history(&project),
            [
                "V1__runs.sql",
                "V2__users.sql",
                "V3__more.sql",
                "R__names.sql"
            ],
            "{target:?}"
        );
        assert_eq!(
            target.number("SELECT count(*) FROM forerun_audit WHERE event = 'migration.applied' AND version = 'R__names'"),
            2,
            "{target:?}"
        );
        let _ = text(&project, &["wait", "--version", "latest"], 0);
    }
}

#[test]
fn a_repeatable_that_fails_is_as_it_was_and_is_tried_again() {
    for target in databases() {
        let project = flyway(&target);
        assert_eq!(up(&project), 3, "{target:?}");
        project.migration("R__names.sql", "SELECT 1;\nSELECT nonsense FROM users;");
        let _ = text(&project, &["up"], 3).expect_text("R__names.sql:2");
        assert_eq!(pending(&project), ["R__names.sql"], "{target:?}");
        let right = "SELECT 1;\nDROP VIEW names;";
        project.migration("R__names.sql", right);
        assert_eq!(up(&project), 1, "{target:?}");
        assert_eq!(up(&project), 0, "{target:?}");
    }
}

#[test]
fn a_callback_runs_every_time_and_is_never_pending() {
    for target in databases() {
        let project = flyway(&target);
        assert_eq!(up(&project), 3, "{target:?}");
        project.migration("afterMigrate.sql", "INSERT INTO runs VALUES (0);");
        for times in 1..=2 {
            assert_eq!(up(&project), 1, "{target:?}");
            assert_eq!(
                target.number("SELECT count(*) FROM runs"),
                times,
                "{target:?}"
            );
            assert_eq!(pending(&project), [""; 0], "{target:?}");
            let _ = text(&project, &["status", "--exit-code"], 0);
            let _ = text(&project, &["wait", "--version", "latest"], 0);
        }
    }
}

#[test]
fn a_new_database_begins_with_the_checkpoint_and_an_old_one_goes_on() {
    for target in databases() {
        let project = flyway(&target);
        assert_eq!(up(&project), 3, "{target:?}");
        let checkpoint =
            "CREATE TABLE runs (id integer);\nCREATE TABLE users (id integer, name varchar(100));";
        project.migration("B2__all.sql", checkpoint);
        project.migration("V3__more.sql", "INSERT INTO runs VALUES (3);");
        assert_eq!(up(&project), 1, "{target:?}");
        assert!(
            !history(&project).contains(&"B2__all.sql".to_owned()),
            "{target:?}"
        );

        let fresh = target.another();
        let project = flyway(&fresh);
        project.migration("B2__all.sql", checkpoint);
        project.migration("V3__more.sql", "INSERT INTO runs VALUES (3);");
        assert_eq!(up(&project), 3, "{target:?}");
        assert_eq!(
            history(&project),
            ["B2__all.sql", "V3__more.sql", "R__names.sql"],
            "{target:?}"
        );
        assert_eq!(fresh.number("SELECT count(*) FROM users"), 0, "{target:?}");
        assert_eq!(up(&project), 0, "{target:?}");
        let _ = text(&project, &["status", "--exit-code"], 0);
    }
}

/// A changelog with one changeset under a condition.
fn liquibase(target: &Target<'_>, on_fail: &str, expected: u32) -> ScratchProject {
    let project = empty_project_for(target);
    project.migration(
        "changes.sql",
        format!(
            "--liquibase formatted sql\n\n--changeset ann:users\nCREATE TABLE users (id integer);\n--rollback DROP TABLE \
             users;\n\n--changeset ann:first\n--preconditions onFail:{on_fail}\n--precondition-sql-check \
             expectedResult:{expected} SELECT count(*) FROM users\nINSERT INTO users VALUES (1);\n--rollback DELETE FROM \
             users;\n"
        ),
    );
    project
}

#[test]
fn a_condition_decides_what_becomes_of_a_migration() {
    for target in databases() {
        let users = |target: &Target<'_>| target.number("SELECT count(*) FROM users");

        let holds = liquibase(&target, "HALT", 0);
        assert_eq!(up(&holds), 2, "{target:?}");
        assert_eq!(users(&target), 1, "{target:?}");

        let halt = target.another();
        let project = liquibase(&halt, "HALT", 7);
        let _ = text(&project, &["up"], 3)
            .expect_text("its condition expects 7 and found 0")
            .expect_text("changes.sql:9");
        assert_eq!(
            (users(&halt), history(&project).len()),
            (0, 1),
            "{target:?}"
        );

        let mark = target.another();
        let project = liquibase(&mark, "MARK_RAN", 7);
        assert_eq!(up(&project), 2, "{target:?}");
        assert_eq!(
            (users(&mark), history(&project).len()),
            (0, 2),
            "{target:?}"
        );
        assert_eq!(up(&project), 0, "{target:?}");
        let told = "SELECT count(*) FROM forerun_audit WHERE event = 'migration.condition'";
        assert_eq!(mark.number(told), 1, "{target:?}");

        let skip = target.another();
        let project = liquibase(&skip, "CONTINUE", 7);
        assert_eq!(up(&project), 1, "{target:?}");
        assert_eq!(pending(&project).len(), 1, "{target:?}");
        skip.query("INSERT INTO users VALUES (1), (2), (3), (4), (5), (6), (7)");
        assert_eq!(up(&project), 1, "{target:?}");
        assert_eq!(users(&skip), 8, "{target:?}");

        let warn = target.another();
        let project = liquibase(&warn, "WARN", 7);
        assert_eq!(up(&project), 2, "{target:?}");
        assert_eq!(users(&warn), 1, "{target:?}");
    }
}

#[test]
fn down_goes_back_in_the_order_of_the_directory() {
    for target in databases() {
        let project = liquibase(&target, "HALT", 0);
        assert_eq!(up(&project), 2, "{target:?}");
        // By their names `first` would come before `users`.
        let _ = text(&project, &["down"], 0);
        assert_eq!(target.number("SELECT count(*) FROM users"), 0, "{target:?}");
        let _ = text(&project, &["down"], 0);
        assert_eq!(history(&project), [""; 0], "{target:?}");
        assert_eq!(up(&project), 2, "{target:?}");
    }
}

#[test]
fn a_directory_that_can_be_read_in_two_ways_is_not_run() {
    let mut project = story::project();
    project.set_env("DATABASE_URL", "sqlite:test.db");
    project.migration("0001_a.sql", "CREATE TABLE a (id integer);");
    project.migration(
        "0002_b.sql",
        "-- +goose Up\nCREATE TABLE b (id integer);\n-- +goose Down\nDROP TABLE b;",
    );
    let _ = text(&project, &["up"], 2)
        .expect_text("0002_b.sql:1")
        .expect_text("--layout goose");
    // Whoever says what it is gets what it says.
    let _ = text(&project, &["up", "--layout", "goose"], 2).expect_text("0001_a.sql");
    let _ = text(&project, &["up", "--layout", "native"], 0);
    let _ = project
        .command(&["migrate", "up"])
        .env("FORERUN_LAYOUT", "goos")
        .run()
        .expect_code(2)
        .expect_text("possible values are");
}

#[test]
fn convert_writes_a_directory_that_makes_the_same() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "1_a.sql",
            "-- +goose Up\n-- the first\nCREATE TABLE a (id integer);\n-- +goose Down\nDROP TABLE a;\n",
        );
        project.migration(
            "2_b.sql",
            "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE b (id integer);\n-- +goose StatementEnd\n",
        );
        let _ = text(
            &project,
            &["convert", "--to", "native", "new", "--dry-run"],
            0,
        )
        .expect_text("1_a.down.sql");
        assert_eq!(project.list("."), ["migrations"], "{target:?}");
        let _ = text(&project, &["convert", "--to", "native", "new"], 0);
        assert_eq!(project.list("new"), ["1_a.down.sql", "1_a.sql", "2_b.sql"]);
        let first = std::fs::read_to_string(project.path().join("new/1_a.sql")).unwrap();
        assert_eq!(first, "-- the first\nCREATE TABLE a (id integer);\n");
        // The history knows the same versions, and the same SQL.
        assert_eq!(up(&project), 2, "{target:?}");
        let _ = text(&project, &["status", "--exit-code", "--dir", "new"], 0);
        let _ =
            text(&project, &["convert", "--to", "native", "new"], 2).expect_text("is not empty");
    }
}

#[test]
fn what_got_new_numbers_is_not_run_a_second_time() {
    for target in databases() {
        let project = liquibase(&target, "HALT", 0);
        let _ = text(&project, &["up"], 0)
            .expect_text("the database is at version changes.sql::first::ann");
        let _ = text(&project, &["convert", "--to", "native", "new"], 0)
            .expect_text("--replace-history");
        let _ = text(&project, &["up", "--dir", "new"], 4)
            .expect_text("2 applied, such as changes.sql::")
            .expect_text("baseline 2 --replace-history");
        assert_eq!(target.number("SELECT count(*) FROM users"), 1, "{target:?}");
        let _ = text(&project, &["baseline", "2", "--dir", "new"], 5);
        let _ = text(
            &project,
            &["baseline", "2", "--replace-history", "--dir", "new"],
            0,
        );
        let _ = text(&project, &["status", "--exit-code", "--dir", "new"], 0)
            .expect_text("at version 2");
        assert_eq!(history(&project).len(), 2, "{target:?}");
        project.write("new/0003_more.sql", "INSERT INTO users VALUES (2);");
        let _ = text(&project, &["up", "--dir", "new"], 0);
        assert_eq!(target.number("SELECT count(*) FROM users"), 2, "{target:?}");
    }
}

#[test]
fn changed_comments_are_recorded_in_one_go() {
    for target in databases() {
        let project = flyway(&target);
        assert_eq!(up(&project), 3, "{target:?}");
        let _ = text(&project, &["repair", "--accept-comments"], 5)
            .expect_text("no file was changed in comments");
        project.migration(
            "V1__runs.sql",
            "-- what ran\nCREATE TABLE runs (id integer);",
        );
        project.migration(
            "V2__users.sql",
            "CREATE TABLE users (id integer, name varchar(100));\nINSERT INTO users VALUES (1, 'ann'); -- first",
        );
        let _ = text(&project, &["up"], 0).expect_text("V1__runs.sql and 1 more file were changed");
        let _ = text(&project, &["repair", "--accept-comments", "--dry-run"], 0)
            .expect_text("Would record the present text of 2 files");
        let _ = text(&project, &["repair", "--accept-comments"], 0);
        let quiet = text(&project, &["up"], 0);
        assert!(!quiet.stderr.contains("changed after"), "{target:?}");
        project.migration("V1__runs.sql", "CREATE TABLE runs (id bigint);");
        let _ = text(&project, &["repair", "--accept-comments"], 5);
        let _ = text(&project, &["up"], 4);
    }
}

/// What a changelog has for another database must not come along as something that runs everywhere.
#[test]
fn convert_asks_for_which_database_where_that_makes_a_difference() {
    let project = story::project();
    project.migration(
        "a.sql",
        "--liquibase formatted sql\n--changeset mia:1\nCREATE TABLE a (id integer);\n\
         --changeset mia:2 dbms:oracle\nDROP TABLE a;\n",
    );
    let convert = ["convert", "--to", "native", "new"];
    let _ = text(&project, &convert, 2).expect_text("--dialect");
    assert_eq!(project.list("."), ["migrations"]);
    let for_sqlite = ["convert", "--to", "native", "new", "--dialect", "sqlite"];
    let _ = text(&project, &for_sqlite, 0);
    let scripts: String = project
        .list("new")
        .iter()
        .map(|name| project.read(&format!("new/{name}")))
        .collect();
    assert!(scripts.contains("CREATE TABLE a"), "{scripts}");
    assert!(!scripts.contains("DROP TABLE a"), "{scripts}");
}
