//! A run that is told to end, runs out of time, or waits in vain for another one: nothing goes on behind our back, and
//! the next run finishes the job.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::fs;
use std::process::Command;
use std::time::Duration;

use story::ledger::{SHORT_LEASE, assert_let_go, migrations, second_run_finishes, servers, start};
use story::{Gate, Target, expect_failure, project_for, skipped, up, up_for_people, wait_for};

/// Kubernetes ends the pod (SIGTERM), or somebody presses Ctrl-C (SIGINT): the statement is cancelled on the server.
#[test]
fn a_signal_cancels_the_statement() {
    for target in servers() {
        for (number, code) in [("TERM", 143), ("INT", 130)] {
            let target = target.another();
            let mut gate = Gate::closed(&target);
            let project = project_for(&target, &migrations(&gate.sql()));
            let running = start(&project, &[]);
            gate.wait_until_reached();
            if number == "TERM" {
                running.terminate();
            } else {
                running.interrupt();
            }
            let words = [
                "interrupted by SIG",
                " in 0002_second.sql",
                "Nothing of 0002_second.sql is applied",
                "1 migration was finished and stays",
                "Run it again",
            ];
            let _ = expect_failure(running, code, &words);
            gate.wait_until_left();
            assert_let_go(&target);
            gate.open();
            second_run_finishes(&project, &target);
        }
    }
}

/// The same within a long statement of SQLite.
#[test]
fn a_signal_cancels_the_statement_on_sqlite() {
    for (number, code) in [("TERM", 143), ("INT", 130)] {
        let Some(target) = Target::sqlite() else {
            return;
        };
        target.query("CREATE TABLE work (steps integer); INSERT INTO work VALUES (1000000000000)");
        let project = project_for(&target, &migrations(&Gate::endless()));
        let running = start(&project, &[]);
        wait_until_sqlite_works(&target);
        if number == "TERM" {
            running.terminate();
        } else {
            running.interrupt();
        }
        let _ = expect_failure(running, code, &["interrupted by SIG", "Run it again"]);
        assert_let_go(&target);
        target.query("UPDATE work SET steps = 1");
        let _ = up(&project, &[]).run().expect_code(0);
        assert_eq!(
            target.query("SELECT entry FROM ledger ORDER BY entry"),
            "1\n3\n20\n21\n700"
        );
        assert_eq!(target.audited(), [1, 2, 3]);
        target.assert_left_clean();
    }
}

/// The first migration is recorded, and somebody is writing: the second one is at work.
fn wait_until_sqlite_works(target: &Target<'_>) {
    target.wait_until("SELECT version FROM forerun_history", "1");
    wait_for("the second migration writes", || {
        target
            .file()
            .try_execute("BEGIN IMMEDIATE;")
            .is_err_and(|error| error.contains("locked"))
    });
}

/// In a container forerun is process 1, for which the kernel ignores signals that have no handler.
#[test]
fn a_signal_ends_process_1() {
    let Some(target) = Target::postgres() else {
        return;
    };
    if !Command::new("unshare")
        .args(["--pid", "--fork", "true"])
        .output()
        .is_ok_and(|tried| tried.status.success())
    {
        return skipped("a new process namespace is not permitted here");
    }
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(&gate.sql()));
    let running = up_for_people(&project, &SHORT_LEASE)
        .wrapped_in(&["unshare", "--pid", "--fork", "--kill-child"])
        .spawn();
    gate.wait_until_reached();
    let children = format!("/proc/{0}/task/{0}/children", running.id());
    let child = fs::read_to_string(children)
        .expect("unshare runs")
        .trim()
        .to_owned();
    assert!(
        Command::new("kill")
            .args(["-TERM", &child])
            .status()
            .is_ok_and(|status| status.success())
    );
    let _ = expect_failure(running, 143, &["interrupted by SIGTERM"]);
    gate.wait_until_left();
    assert_let_go(&target);
    gate.open();
    second_run_finishes(&project, &target);
}

/// `MIGRATION_TIMEOUT` ends a run that takes too long, on the server too.
#[test]
fn the_time_limit_cancels_the_statement() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&gate.sql()));
        let running = up_for_people(&project, &SHORT_LEASE)
            .env("MIGRATION_TIMEOUT", "2")
            .spawn();
        let _ = expect_failure(
            running,
            75,
            &["the time limit of 2s was reached", "MIGRATION_TIMEOUT"],
        );
        gate.wait_until_left();
        assert_let_go(&target);
        gate.open();
        second_run_finishes(&project, &target);
    }
}

/// The same within a long statement of SQLite.
#[test]
fn the_time_limit_cancels_the_statement_on_sqlite() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    target.query("CREATE TABLE work (steps integer); INSERT INTO work VALUES (1000000000000)");
    let project = project_for(&target, &migrations(&Gate::endless()));
    let _ = expect_failure(
        start(&project, &["--timeout", "1s"]),
        75,
        &["the time limit of 1s was reached"],
    );
    assert_let_go(&target);
    target.query("UPDATE work SET steps = 1");
    let _ = up(&project, &[]).run().expect_code(0);
    assert_eq!(target.audited(), [1, 2, 3]);
}

/// Where what is done cannot be rolled back it is said how far it is.
#[test]
fn a_signal_between_statements_that_stay() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let script = format!("CREATE TABLE b (i integer);\n{}", gate.sql());
    let project = project_for(&target, &[("0001_b.sql", script)]);
    let running = start(&project, &[]);
    gate.wait_until_reached();
    running.terminate();
    let words = [
        "interrupted by SIGTERM in 0001_b.sql",
        // A server may end the wait for a user lock without an error: statement 2 is done then.
        " of 0001_b.sql ",
        " done and recorded; the next run goes on with statement ",
    ];
    let _ = expect_failure(running, 143, &words);
    gate.open();
    let _ = up(&project, &[]).run().expect_code(0);
    target.assert_left_clean();
}

/// A run that only waited says for what, and that it has run nothing; so do its last words.
#[test]
fn the_end_of_a_run_that_only_waited() {
    for target in servers() {
        let mut project = project_for(&target, &migrations(""));
        let words = project.write("termination-log", "");
        project.set_env("TERMINATION_MESSAGE_PATH", &words.display().to_string());
        let first = project
            .command(&["exec", "--", "sleep", "60"])
            .env("FORERUN_ACTOR", "deploy-bot")
            .spawn();
        wait_for("the lock is held", || target.holder() == "deploy-bot");
        let readable = [
            "the time limit of 1s was reached while waiting for the runner lock, held by deploy-bot",
            "Nothing was run.",
        ];
        let _ = expect_failure(start(&project, &["--timeout", "1s"]), 75, &readable);
        for text in ["held by deploy-bot", "Nothing was run."] {
            assert!(project.read("termination-log").contains(text), "{text}");
        }
        let mut late = start(&project, &[]);
        late.wait_for_output("waiting for the runner lock");
        late.terminate();
        let readable = ["interrupted by SIGTERM while waiting", "Nothing was run."];
        let _ = expect_failure(late, 143, &readable);
        first.terminate();
        let _ = first.wait().expect_code(143);

        let proxy = target.database().proxy();
        proxy.refuse(true);
        let url = target.database().url_through(&proxy);
        let late = start(&project, &["--wait", "1m", "--timeout", "1s", "-u", &url]);
        let readable = [
            "reached while waiting for the database: cannot reach",
            "Nothing was run.",
        ];
        let _ = expect_failure(late, 75, &readable);
        for text in ["waiting for the database: ", "Nothing was run."] {
            assert!(project.read("termination-log").contains(text), "{text}");
        }
    }
}

/// Another run is at work for longer than this one waits: temporary, and it is said who that is.
#[test]
fn the_lock_is_held_by_another() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&gate.sql()));
        let first = up(&project, &["--release", "2.6.0"])
            .env("FORERUN_ACTOR", "deploy-bot")
            .spawn();
        gate.wait_until_reached();
        let late = start(&project, &["--lock-timeout", "1s"]);
        let readable = [
            "another runner kept the runner lock",
            "deploy-bot",
            "release 2.6.0",
            "forerun migrate unlock",
        ];
        let _ = expect_failure(late, 75, &readable);
        gate.open();
        let _ = first.wait().expect_code(0);
        second_run_finishes(&project, &target);
    }
    let Some(target) = Target::sqlite() else {
        return;
    };
    target.query("CREATE TABLE work (steps integer); INSERT INTO work VALUES (1000000000000)");
    let project = project_for(&target, &migrations(&Gate::endless()));
    let first = up(&project, &[])
        .env("FORERUN_ACTOR", "deploy-bot")
        .patience(Duration::from_secs(60))
        .spawn();
    wait_until_sqlite_works(&target);
    let late = start(&project, &["--lock-timeout", "1s"]);
    let _ = expect_failure(
        late,
        75,
        &["another runner kept the runner lock", "deploy-bot"],
    );
    first.terminate();
    let _ = first.wait().expect_code(143);
}
