//! `forerun exec -- CMD`: any migration command under the runner lock.
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
use std::time::{Duration, Instant};

use answers::{databases, lines, servers};
use forerun_test_support::{RunningCommand, ScratchProject};
use story::{Target, empty_project_for, wait_for};

/// Starts a shell script under the lock, and waits until it is where `READY` stands.
fn started(project: &ScratchProject, options: &[&str], script: &str) -> RunningCommand {
    let mut words = vec!["--format", "text", "exec"];
    words.extend(options);
    let script = script.replace("READY", "touch started");
    words.extend(["--", "sh", "-c", &script]);
    let running = project.spawn(&words);
    let file = project.path().join("started");
    wait_for("the command runs", || file.exists());
    running
}

/// Whether a process that wrote its number into a file of the project is still there.
fn alive(project: &ScratchProject, file: &str) -> bool {
    let number = project.read(file);
    let path = format!("/proc/{}/stat", number.trim());
    // A zombie that nobody has waited for runs no more.
    std::fs::read_to_string(path).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn the_command_owns_input_and_output() {
    for target in databases() {
        let project = empty_project_for(&target);
        let outcome = project
            .command(&["exec", "--", "sh", "-c", "cat; echo problem >&2; exit 9"])
            .input("from stdin\n")
            .run()
            .expect_code(9);
        assert_eq!(outcome.stdout, "from stdin\n", "{target:?}");
        assert!(outcome.stderr.contains("problem\n"), "{outcome:?}");
        // What forerun says beside it is JSON for programs, on standard error.
        let own: String = outcome
            .stderr
            .lines()
            .filter(|line| *line != "problem")
            .map(|line| format!("{line}\n"))
            .collect();
        let last = lines(&own).pop().unwrap();
        assert_eq!(
            (&last["event"], &last["exit_code"]),
            (&"run_finished".into(), &9.into())
        );
    }
}

#[test]
fn the_environment_is_unchanged() {
    for target in databases() {
        let project = empty_project_for(&target);
        let url = target.url();
        let print = ["exec", "--", "env"];
        let outcome = project
            .command(&print)
            .env("EXTRA", "a b\nc")
            .run()
            .expect_code(0);
        assert!(
            outcome.stdout.contains(&format!("DATABASE_URL={url}\n")),
            "{outcome:?}"
        );
        assert!(outcome.stdout.contains("EXTRA=a b\nc\n"), "{outcome:?}");
        assert!(!outcome.stdout.contains("FORERUN"), "{outcome:?}");
        // A URL from the command line is not in the environment of the command, under no name.
        let outcome = project
            .command(&["exec", "-u", &url, "--", "env"])
            .env_remove("DATABASE_URL")
            .run()
            .expect_code(0);
        assert!(!outcome.stdout.contains(&url), "{outcome:?}");
    }
}

#[test]
fn arguments_reach_the_command_as_they_are() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    let outcome = project
        .run(&[
            "exec",
            "--",
            "printf",
            "%s|",
            "a b",
            "",
            "--timeout",
            "'x'",
            "$HOME",
            "--",
        ])
        .expect_code(0);
    assert_eq!(outcome.stdout, "a b||--timeout|'x'|$HOME|--|");
}

#[test]
fn commands_that_cannot_run() {
    for target in databases() {
        let project = empty_project_for(&target);
        let outcome = project
            .run(&["exec", "--", "no-such-program"])
            .expect_code(127);
        assert!(outcome.stderr.contains("no-such-program"), "{outcome:?}");
        project.write("not-executable", "#!/bin/sh\n");
        let _ = project
            .run(&["exec", "--", "./not-executable"])
            .expect_code(126);
        assert_eq!(target.holder(), "", "{target:?}: the lock is given back");
        let _ = project.run(&["exec", "--", "true"]).expect_code(0);
    }
}

#[test]
fn only_one_at_a_time() {
    for target in databases() {
        let project = empty_project_for(&target);
        let running = started(
            &project,
            &[],
            "READY; while [ ! -e done ]; do sleep 0.05; done",
        );
        wait_for("the lock is held", || !target.holder().is_empty());
        let second = |limit: &str| {
            project.spawn(&[
                "--format",
                "text",
                "exec",
                "--lock-timeout",
                limit,
                "--",
                "touch",
                "second",
            ])
        };
        let refused = second("300ms").wait().expect_code(75);
        let _ = refused.expect_text("lock").expect_text("exec sh -c");
        assert!(!project.path().join("second").exists(), "{target:?}");
        // A migration run waits for it as well.
        project.migration("0001_a.sql", "CREATE TABLE a (id integer);\n");
        let _ = project
            .run(&["migrate", "up", "--lock-timeout", "0"])
            .expect_code(75);
        let mut patient = second("60s");
        patient.wait_for_output("waiting for the runner lock");
        assert!(!project.path().join("second").exists(), "{target:?}");
        project.write("done", "");
        let _ = running.wait().expect_code(0);
        let _ = patient.wait().expect_code(0);
        assert!(project.path().join("second").exists());
        let _ = project.run(&["migrate", "up"]).expect_code(0);
    }
}

#[test]
fn signals_are_passed_on() {
    for target in databases() {
        let project = empty_project_for(&target);
        // It decides itself how it ends.
        let script = "trap 'echo told; exit 7' TERM; READY; while :; do sleep 0.05; done";
        let running = started(&project, &[], script);
        running.terminate();
        let outcome = running.wait().expect_code(7);
        assert!(outcome.stdout.contains("told"), "{outcome:?}");
        assert_eq!(target.holder(), "", "{target:?}");
        project.remove("started");
        // Or does not care.
        let running = started(&project, &[], "READY; exec sleep 60");
        running.interrupt();
        let _ = running.wait().expect_code(130);
        project.remove("started");
        let running = started(&project, &[], "READY; exec sleep 60");
        running.terminate();
        let _ = running.wait().expect_code(143);
        assert_eq!(target.holder(), "", "{target:?}");
    }
}

#[test]
fn a_shell_and_its_children_get_the_signal() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    let running = started(&project, &[], "sleep 60 & echo $! > child; READY; wait");
    running.terminate();
    let _ = running.wait().expect_code(143);
    wait_for("the child has ended", || !alive(&project, "child"));
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    let mut running = started(
        &project,
        &[],
        "trap '' TERM; echo $$ > child; READY; while :; do sleep 0.05; done",
    );
    running.terminate();
    running.wait_for_output("SIGTERM");
    running.terminate();
    let _ = running.wait().expect_code(143);
    wait_for("the command has ended", || !alive(&project, "child"));
}

#[test]
fn the_time_limit_ends_the_command() {
    for target in databases() {
        let project = empty_project_for(&target);
        let before = Instant::now();
        let running = started(
            &project,
            &["--timeout", "700ms"],
            "echo $$ > child; READY; exec sleep 60",
        );
        let outcome = running
            .wait()
            .expect_code(75)
            .expect_text("time limit of 700ms");
        assert!(before.elapsed() < Duration::from_secs(30), "{outcome:?}");
        assert!(!alive(&project, "child"), "{target:?}");
        assert_eq!(target.holder(), "", "{target:?}");
    }
}

#[test]
fn a_command_that_was_killed_from_outside() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    let _ = project
        .run(&[
            "--format",
            "text",
            "exec",
            "--",
            "sh",
            "-c",
            "kill -KILL $$",
        ])
        .expect_code(137)
        .expect_text("signal 9");
}

/// Whoever takes the lock by force ends the command with it: two must never run.
#[test]
fn a_lost_lock_ends_the_command() {
    for target in databases() {
        let project = empty_project_for(&target);
        let running = started(
            &project,
            &["--lease", "3s"],
            "echo $$ > child; READY; exec sleep 60",
        );
        wait_for("the lock is held", || !target.holder().is_empty());
        let forced = ["migrate", "unlock", "--force", "--even-if-alive"];
        let _ = project.run(&forced).expect_code(0);
        let _ = running.wait().expect_code(75).expect_text("lock was lost");
        assert!(!alive(&project, "child"), "{target:?}");
    }
}

/// A paused guard, as on a frozen node: its lease runs out, another takes over, and when it wakes up its command
/// must go.
#[test]
fn a_guard_that_slept_too_long_ends_its_command() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    let running = started(
        &project,
        &["--lease", "3s"],
        "echo $$ > child; READY; exec sleep 60",
    );
    wait_for("the lock is held", || !target.holder().is_empty());
    running.pause();
    let _ = project
        .run(&["exec", "--lease", "3s", "--", "true"])
        .expect_code(0);
    running.resume();
    let _ = running.wait().expect_code(75);
    assert!(!alive(&project, "child"));
}

/// The lock of a killed guard is free for the next one, so its command must not go on.
#[test]
fn a_killed_guard_takes_its_command_with_it() {
    for target in databases() {
        let project = empty_project_for(&target);
        let running = started(
            &project,
            &["--lease", "3s"],
            "sleep 60 & echo $! > child; echo $$ > shell; READY; wait",
        );
        wait_for("the command runs", || project.path().join("shell").exists());
        running.kill();
        let _ = running.wait();
        wait_for("the command has ended", || {
            !alive(&project, "child") && !alive(&project, "shell")
        });
        let _ = project
            .run(&["exec", "--lock-timeout", "30", "--", "true"])
            .expect_code(0);
    }
}

#[test]
fn the_audit_knows_what_ran() {
    for target in databases() {
        let project = empty_project_for(&target);
        let _ = project
            .command(&[
                "exec",
                "--release",
                "2.5.0",
                "--",
                "sh",
                "-c",
                "exit 4",
                "--password=hush",
                "TOKEN=hush",
            ])
            .env("FORERUN_ACTOR", "deploy-bot")
            .env("POD_NAME", "pod-1")
            .run()
            .expect_code(4);
        let rows = target.query(
            "SELECT event, actor, host, app_release, message FROM forerun_audit ORDER BY id",
        );
        for said in [
            "run.started|deploy-bot|pod-1|2.5.0|exec sh -c 'exit 4'",
            "exec.finished|deploy-bot|pod-1|2.5.0|the command ended with exit code 4",
            "run.finished|",
        ] {
            assert!(rows.contains(said), "{target:?}: {said}\n{rows}");
        }
        assert!(!rows.contains("hush"), "{rows}");
        let detail = target.query("SELECT detail FROM forerun_audit WHERE event = 'exec.finished'");
        assert!(
            detail.replace(' ', "").contains("\"exit_code\":4"),
            "{detail}"
        );
        target.assert_left_clean();
    }
}

/// Why forerun ended the command, and that this is a failure whatever the command says.
#[test]
fn the_audit_knows_why_the_command_was_ended() {
    for target in databases() {
        let project = empty_project_for(&target);
        let patient = "trap '' TERM; sleep 2";
        let _ = project
            .run(&["exec", "--timeout", "1s", "--", "sh", "-c", patient])
            .expect_code(75);
        let rows = target.query("SELECT event, message, detail FROM forerun_audit ORDER BY id");
        let ended = "|the time limit of 1s was reached; the command ended with exit code 0|";
        for event in ["exec.finished", "run.finished"] {
            assert!(rows.contains(&format!("{event}{ended}")), "{rows}");
        }
        assert!(rows.replace(' ', "").contains("\"ok\":false"), "{rows}");
    }
}

/// Out of time before it has the lock: it is not a migration that was not run.
#[test]
fn a_command_that_was_never_started() {
    for target in databases() {
        let project = empty_project_for(&target);
        let first = started(&project, &[], "READY; exec sleep 60");
        let late = [
            "--format",
            "text",
            "exec",
            "--timeout",
            "1s",
            "--",
            "touch",
            "ran",
        ];
        let _ = project
            .run(&late)
            .expect_code(75)
            .expect_text("while waiting for the runner lock, held by")
            .expect_text("The command was not started.");
        assert!(!project.path().join("ran").exists());
        first.terminate();
        let _ = first.wait();
    }
}

/// It waits for a database that is starting, and then for nothing: the command starts only with the lock.
#[test]
fn it_waits_for_the_database() {
    for target in servers() {
        let project = empty_project_for(&target);
        let proxy = target.database().proxy();
        proxy.refuse(true);
        let url = target.database().url_through(&proxy);
        let mut running = project.spawn(&[
            "--format", "text", "exec", "--wait", "1m", "-u", &url, "--", "touch", "ran",
        ]);
        running.wait_for_output("waiting for the database");
        assert!(!project.path().join("ran").exists());
        proxy.refuse(false);
        let _ = running.wait().expect_code(0);
        assert!(Path::new(&project.path().join("ran")).exists());
    }
}
