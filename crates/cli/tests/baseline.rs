//! `migrate baseline`: what is declared present, what is taken for a slip, and files that come after it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, document, json, shop, text, texts, up};
use story::{Target, project};

#[test]
fn baseline_declares_what_is_there() {
    for target in databases() {
        let project = shop(&target);
        target.query("CREATE TABLE users (id integer PRIMARY KEY)");
        let _ = text(&project, &["baseline", "2", "--dry-run"], 0).expect_text("0002_rows.sql");
        let _ = text(&project, &["baseline", "2"], 0).expect_text("2 versions up to 2");
        assert_eq!(
            target.number("SELECT count(*) FROM users"),
            0,
            "nothing was run"
        );
        let history = document(&json(&project, &["history"], 0));
        assert_eq!(
            texts(&history["history"], "origin"),
            ["baseline", "baseline"]
        );
        assert_eq!(
            target.number("SELECT count(*) FROM forerun_audit WHERE event = 'baseline'"),
            1
        );
        let _ = up(&project, 0);
        assert_eq!(
            target.audited(),
            [3],
            "{target:?}: only what comes after it runs"
        );
        let _ = text(&project, &["baseline", "3"], 5).expect_text("not empty");
        // What was declared is checked like what was applied.
        project.migration(
            "0001_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY);\n",
        );
        let _ = text(&project, &["up"], 4).expect_text("0001_users.sql");
    }
}

/// The files of what is there already were thrown away long ago.
#[test]
fn baseline_of_a_version_without_a_file() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    project.migration("0008_new.sql", "CREATE TABLE t (i integer);\n");
    let _ = text(&project, &["baseline", "7"], 0);
    let _ = up(&project, 0);
    assert_eq!(target.applied(), [7, 8]);
    let _ = text(&project, &["status", "--exit-code"], 0);
}

/// `20` where `2` was meant would switch off all that comes up to 20.
#[test]
fn a_version_without_a_file_is_taken_for_a_slip() {
    for target in databases() {
        let project = shop(&target);
        for dry in [&["baseline", "20", "--dry-run"][..], &["baseline", "20"]] {
            let _ = text(&project, dry, 5)
                .expect_text("no file for version 20")
                .expect_text("nearest")
                .expect_text("--without-file");
        }
        let _ = text(&project, &["baseline", "2"], 0);
    }
}

/// Where it is meant so, the files that were there are declared present; one that comes later is not.
#[test]
fn a_file_that_comes_after_the_baseline_is_late() {
    for target in databases() {
        let project = shop(&target);
        let _ = text(&project, &["baseline", "20", "--without-file"], 0)
            .expect_text("4 versions up to 20");
        let _ = text(&project, &["status", "--exit-code"], 0);
        project.migration("0005_late.sql", "CREATE TABLE late (i integer);\n");
        let _ = text(&project, &["status", "--exit-code"], 4).expect_text("0005_late.sql");
        let _ = up(&project, 4)
            .expect_text("0005_late.sql")
            .expect_text("--allow-out-of-order");
        let _ = text(&project, &["up", "--allow-out-of-order"], 0);
        assert_eq!(target.audited(), [5]);
        let _ = text(&project, &["status", "--exit-code"], 0);
    }
}
