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
            let _ = expect_failure(running, code, &["interrupted by SIG", "Run it again"]);
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
