//! Contract migrations that are held: what stands behind them, those that do not say since when they are safe, and those
//! whose conditions can never be met.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod rollout;
mod story;

use std::process::Command;

use answers::{databases, document, finished, json, lines, text, texts};
use forerun_test_support::ScratchProject;
use rollout::{
    ADDRESS, DROP, LATER, USERS, add, deployed, deployments, ledger, ready_to_drop, roll_out,
    running, up,
};
use serde_json::json;
use story::{Gate, Target, empty_project_for};

/// A release that needs what it has put behind its own contract migration.
#[test]
fn what_stands_behind_a_held_migration_and_is_needed_is_an_error() {
    for target in databases() {
        let project = running(&target);
        let drop = "-- forerun:contract after=0001 unused-since=2.5.0\nALTER TABLE users DROP COLUMN email;\n";
        project.migration("0002_drop_email.sql", drop);
        project.migration("0003_add_phone.sql", LATER.1);
        let plan = document(&json(&project, &["plan", "--release", "2.5.0"], 0));
        assert_eq!(plan["blocked"], json!(["0003_add_phone.sql"]), "{plan}");
        assert_eq!(plan["held"][0]["waiting"], plan["blocked"]);
        let _ = text(&project, &["plan", "--release", "2.5.0"], 0).expect_text(
            "0003_add_phone.sql waits behind it; `forerun migrate up` ends with exit code 5",
        );
        let _ = text(&project, &["status"], 0)
            .expect_text("`forerun migrate up` stops before it, with exit code 5");
        let refused = up(&project, "2.5.0", 5);
        for expected in [
            "0002_drop_email.sql has to wait, and 0003_add_phone.sql waits behind it",
            "release 2.4.0 runs now and still uses what it takes away",
            "give 0002_drop_email.sql a version after 0003_add_phone.sql, or leave it to the next release",
            "the deployment is not recorded as migrated",
            "--accept-downtime",
        ] {
            let _ = refused.clone().expect_text(expected);
        }
        // It is this release.
        assert!(
            !refused.stderr.contains("deploy 2.5.0 first"),
            "{refused:?}"
        );
        assert_eq!(target.applied(), [1], "{target:?}");
        assert_eq!(ledger(&project), ["2.4.0 completed", "2.5.0 failed"]);
        let _ = deployed(&project, "2.5.0", 5).expect_text("its migrations have not ended well");
        let again = json(&project, &["up", "--release", "2.5.0"], 5);
        assert_eq!(finished(&again)["error"]["code"], "held");
        let events = lines(&again.stdout);
        let held = events.iter().find(|line| line["event"] == "held").unwrap();
        assert_eq!(held["waiting"], json!(["0003_add_phone.sql"]));
        let detail = target.query(
            "SELECT detail FROM forerun_audit WHERE event = 'run.finished' ORDER BY id DESC LIMIT 1",
        );
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap();
        assert_eq!(detail, json!({"ok": false, "left_for_later": 1}));
        // As advised.
        project.remove("migrations/0002_drop_email.sql");
        project.migration("0004_drop_email.sql", drop);
        let _ = up(&project, "2.5.0", 0).expect_text(
            "roll this release out and close it with `forerun migrate deployed`; the run after that applies it",
        );
        assert_eq!(target.applied(), [1, 3], "{target:?}");
        let _ = deployed(&project, "2.5.0", 0);
        let _ = up(&project, "2.5.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 3, 4], "{target:?}");
    }
}

/// An environment that jumped over a release gets through by deploying that one.
#[test]
fn what_comes_before_is_done_and_the_skipped_release_is_named() {
    for target in databases() {
        let project = running(&target);
        for migration in [ADDRESS, DROP, LATER] {
            add(&project, migration);
        }
        // A second one comes after what does not arrive.
        project.migration(
            "0005_drop_address.sql",
            "-- forerun:contract after=0004\nALTER TABLE users DROP COLUMN address;\n",
        );
        let plan = document(&json(&project, &["plan", "--release", "2.6.0"], 0));
        assert_eq!(plan["held"][1]["waiting"], json!([]), "{plan}");
        assert_eq!(texts(&plan["held"][1]["reasons"], "gate")[0], "behind");
        let _ = up(&project, "2.6.0", 5)
            .expect_text("0002_add_address.sql")
            .expect_text("0003_drop_email.sql has to wait, and 0004_add_phone.sql waits behind it")
            .expect_text("deploy release 2.5.0 first, close it with `forerun migrate deployed`")
            .expect_text("version 4, which it comes after, waits behind 0003_drop_email.sql");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        for later in ["0003_drop_email", "0004_add_phone", "0005_drop_address"] {
            project.remove(&format!("migrations/{later}.sql"));
        }
        roll_out(&project, "2.5.0");
        add(&project, DROP);
        add(&project, LATER);
        let _ = up(&project, "2.6.0", 0).expect_text("Applied 2 migrations");
        assert_eq!(target.applied(), [1, 2, 3, 4], "{target:?}");
        let _ = deployed(&project, "2.6.0", 0);
    }
}

#[test]
fn a_deployment_that_was_migrated_is_so_no_more() {
    for target in databases() {
        let project = running(&target);
        let _ = up(&project, "2.5.0", 0);
        let without_change = DROP.1.replace("0002", "0001");
        project.migration("0003_drop_email.sql", without_change);
        add(&project, LATER);
        let _ = up(&project, "2.5.0", 5);
        assert_eq!(
            ledger(&project),
            ["2.4.0 completed", "2.5.0 failed"],
            "{target:?}"
        );
        // Nobody has to give a release for that.
        let _ = text(&project, &["up"], 5).expect_text("0004_add_phone.sql waits behind it");
        let accepted = ["up", "--release", "2.5.0", "--accept-downtime", "closed"];
        let _ = text(&project, &accepted, 0);
        let _ = deployed(&project, "2.5.0", 0);
    }
}

/// Who stops using a column and drops it in the same release.
#[test]
fn without_unused_since_the_running_release_must_have_the_file() {
    let drop = "-- forerun:contract\nALTER TABLE users DROP COLUMN email;\n";
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        roll_out(&project, "2.5.0");
        project.migration(DROP.0, drop);
        let _ = up(&project, "2.6.0", 0)
            .expect_text("release 2.5.0 runs now and does not have this file yet")
            .expect_text("unused-since=RELEASE");
        let status = document(&json(&project, &["status"], 0));
        let held = &status["held"][0]["reasons"];
        assert_eq!(texts(held, "gate"), ["not_in_running"], "{target:?}");
        // Rolled out, and nobody has said so.
        let _ = up(&project, "2.7.0", 0).expect_text("forerun migrate deployed --release 2.6.0");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        let _ = up(&project, "2.6.0", 0);
        let _ = deployed(&project, "2.6.0", 0);
        let _ = up(&project, "2.7.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
        assert_eq!(deployments(&project)["floor"]["release"], "2.6.0");
        // Of a new database nothing is known that could not live without.
        let fresh = target.another();
        let project = empty_project_for(&fresh);
        add(&project, USERS);
        project.migration(DROP.0, drop);
        let _ = up(&project, "2.7.0", 0).expect_text("Applied 2 migrations");
        assert_eq!(deployments(&project)["floor"], serde_json::Value::Null);
    }
}

/// The name of the release may stay the same.
#[test]
fn a_release_that_got_the_file_later_counts_once_it_is_closed_again() {
    for target in databases() {
        let project = running(&target);
        project.migration(
            "0002_drop_email.sql",
            "-- forerun:contract\nALTER TABLE users DROP COLUMN email;\n",
        );
        let _ = up(&project, "2.4.0", 0).expect_text("does not have this file yet");
        assert_eq!(ledger(&project), ["2.4.0 completed", "2.4.0 open"]);
        let _ = up(&project, "2.4.0", 0).expect_text("held: 0002_drop_email.sql");
        let _ = deployed(&project, "2.4.0", 0);
        let _ = up(&project, "2.4.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
    }
}

#[test]
fn conditions_that_can_never_be_met_are_mistakes_in_the_file() {
    for target in databases() {
        let project = running(&target);
        for (conditions, expected) in [
            ("after=0099", "version 99, and there is no such migration"),
            ("after=abc", "version abc, and there is no such migration"),
            ("after=0002", "version 2, which is this file itself"),
            ("after=0003", "version 3, and 0003_later.sql comes after"),
            (
                "after=0001 unused-since=<release>",
                "stands for the name of a release",
            ),
            ("after=<version>", "stands for a version"),
            (
                "unused-since=",
                "unused-since needs the name of one release",
            ),
        ] {
            let sql = format!(
                "\n-- forerun:contract {conditions}\nALTER TABLE users DROP COLUMN email;\n"
            );
            project.migration("0002_drop_email.sql", sql);
            project.migration("0003_later.sql", "CREATE TABLE later (id int);\n");
            for command in [
                &["validate"][..],
                &["lint"],
                &["plan", "--release", "2.5.0"],
                &["up", "--release", "2.5.0"],
            ] {
                let _ = text(&project, command, 2)
                    .expect_text(expected)
                    .expect_text("0002_drop_email.sql:2:1");
            }
            let _ = text(&project, &["lint", "--dialect", "sqlite"], 2).expect_text(expected);
        }
        // Also where the gates are waived.
        let fresh = target.another();
        let project = empty_project_for(&fresh);
        add(&project, USERS);
        project.migration(
            "0002_drop_email.sql",
            "-- forerun:contract after=0099\nALTER TABLE users DROP COLUMN email;\n",
        );
        let _ = up(&project, "2.5.0", 2).expect_text("such as after=0001, or leave after= out");
        let _ = fresh.try_query("SELECT 1 FROM users").unwrap_err();
    }
}

/// What a baseline covers was there before any deployment, with a file or without.
#[test]
fn what_is_older_than_the_files_or_a_baseline_can_be_named() {
    for target in databases() {
        for file in [true, false] {
            let target = target.another();
            let project = empty_project_for(&target);
            let _ = target.query("CREATE TABLE users (id integer PRIMARY KEY, email varchar(100))");
            if file {
                project.migration("0003_old.sql", "CREATE TABLE old (id int);\n");
            }
            project.migration("0005_all.sql", "CREATE TABLE everything (id int);\n");
            let _ = text(&project, &["baseline", "5"], 0);
            let _ = text(&project, &["up", "--release", "1.0"], 0);
            let _ = deployed(&project, "1.0", 0);
            project.migration(
                "0006_drop_email.sql",
                "-- forerun:contract after=0003 unused-since=1.0\nALTER TABLE users DROP COLUMN email;\n",
            );
            let _ = text(&project, &["validate"], 0);
            let _ = up(&project, "1.1", 0).expect_text("Applied 1 migration");
        }
    }
}

#[test]
fn a_directive_that_was_spoilt_later_is_told_as_such() {
    for target in databases() {
        let project = ready_to_drop(&target);
        let _ = up(&project, "2.6.0", 0);
        project.migration(DROP.0, DROP.1.replace("after=0002", "after="));
        let refused = up(&project, "2.6.0", 4)
            .expect_text(
                "0003_drop_email.sql was changed after it was applied, and cannot be read any more",
            )
            .expect_text("a version is missing after after=")
            .expect_text("restore the file from version control");
        assert!(
            !refused.stderr.contains("its SQL is another one"),
            "{refused:?}"
        );
    }
}

#[test]
fn an_older_release_is_warned_wherever_it_turns_up() {
    for target in databases() {
        let project = ready_to_drop(&target);
        roll_out(&project, "2.6.0");
        // With the very file, and something new to run.
        add(&project, LATER);
        let warning = "release 2.4.0 uses what 0003_drop_email.sql has taken away: the oldest release that can run is 2.5.0";
        let _ = up(&project, "2.4.0", 0)
            .expect_text(warning)
            .expect_text("Applied 1 migration");
        let _ = deployed(&project, "2.4.0", 0).expect_text(warning);
    }
}

#[test]
fn a_rollout_is_not_closed_while_its_migrations_are_running() {
    for target in [Target::postgres(), Target::mariadb()]
        .into_iter()
        .flatten()
    {
        let project = running(&target);
        let mut gate = Gate::closed(&target);
        project.migration("0002_slow.sql", gate.sql());
        let running = project.spawn(&["migrate", "up", "--release", "2.5.0"]);
        gate.wait_until_reached();
        let _ = deployed(&project, "2.5.0", 75)
            .expect_text("its migrations are still running")
            .expect_text("migrate up");
        gate.open();
        let _ = running.wait().expect_code(0);
        let _ = deployed(&project, "2.5.0", 0);
    }
}

fn git(project: &ScratchProject, words: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(project.path())
        .args(["-c", "commit.gpgsign=false"])
        .args(words);
    for name in ["GIT_AUTHOR", "GIT_COMMITTER"] {
        git.env(format!("{name}_NAME"), "me");
        git.env(format!("{name}_EMAIL"), "me@localhost");
    }
    let output = git.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Files that `x-behind-contract` finds, which stops nothing.
fn behind(project: &ScratchProject, options: &[&str]) -> Vec<String> {
    let words = [&["--format", "json", "migrate", "lint"], options].concat();
    let found = document(&project.run(&words));
    let findings = found["findings"].as_array().unwrap().iter();
    let of_rule = findings.filter(|finding| finding["rule"] == "x-behind-contract");
    of_rule
        .map(|finding| finding["script"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn lint_finds_what_would_stand_behind_a_held_migration() {
    let project = story::project();
    let since = ["--dialect", "postgres", "--base", "base"];
    git(&project, &["init", "--quiet"]);
    git(
        &project,
        &["commit", "--quiet", "--allow-empty", "-m", "none"],
    );
    git(&project, &["branch", "base"]);
    let drop = |directive: &str| {
        let sql =
            format!("-- forerun:contract {directive}\nALTER TABLE users DROP COLUMN email;\n");
        project.migration(DROP.0, sql);
    };
    add(&project, USERS);
    drop("");
    add(&project, LATER);
    // All of it is new: the first deployment waives the gates.
    assert!(behind(&project, &since).is_empty());
    project.remove("migrations/0003_drop_email.sql");
    project.remove("migrations/0004_add_phone.sql");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "users"]);
    git(&project, &["branch", "--force", "base"]);
    add(&project, ADDRESS);
    add(&project, LATER);
    for (directive, found) in [
        ("", true),
        ("after=0002 unused-since=2.5.0", true),
        ("unused-since=2.5.0", true),
        ("after=0001", true),
        ("after=0001 unused-since=2.5.0", false),
    ] {
        drop(directive);
        let expected = match found {
            true => vec!["0004_add_phone.sql".to_owned()],
            false => Vec::new(),
        };
        assert_eq!(behind(&project, &since), expected, "{directive}");
    }
    // What is merged may have been deployed on its own.
    assert!(behind(&project, &since[..2]).is_empty());
    for target in databases() {
        let project = empty_project_for(&target);
        for migration in [USERS, ADDRESS, DROP, LATER] {
            add(&project, migration);
        }
        assert!(behind(&project, &[]).is_empty(), "{target:?}");
        for later in [ADDRESS, DROP, LATER] {
            project.remove(&format!("migrations/{}", later.0));
        }
        roll_out(&project, "2.4.0");
        for migration in [ADDRESS, DROP, LATER] {
            add(&project, migration);
        }
        assert_eq!(behind(&project, &[]), ["0004_add_phone.sql"], "{target:?}");
        // The first part of it has been deployed, so that the rest may be ready.
        let _ = up(&project, "2.6.0", 5);
        assert!(behind(&project, &[]).is_empty(), "{target:?}");
    }
}
