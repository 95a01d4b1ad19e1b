//! What a user sees: JSON for programs, terminals, closed pipes, the last words for the kubelet.
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

use answers::{databases, document, finished, lines};
use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;
use story::{Gate, Product, Target, empty_project_for, project, skipped};

#[test]
fn every_line_of_a_run_is_json_with_its_version() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "0001_a.sql",
            "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (1);\n",
        );
        project.migration(
            "0002_b.sql",
            "INSERT INTO nowhere VALUES ('line\nbreak');\n",
        );
        // Not a terminal: JSON lines without being asked.
        let outcome = project.run(&["migrate", "up"]).expect_code(3);
        assert_eq!(outcome.stderr, "", "{target:?}");
        let lines = lines(&outcome.stdout);
        let events: Vec<&str> = lines
            .iter()
            .map(|line| line["event"].as_str().unwrap())
            .collect();
        for event in [
            "run_started",
            "lock_acquired",
            "planned",
            "migration_started",
            "statement_started",
            "migration_finished",
            "run_finished",
        ] {
            assert!(events.contains(&event), "{target:?}: {event} {events:?}");
        }
        let started = &lines[0];
        assert_eq!(started["command"], "migrate up");
        assert!(started["run_id"].as_str().unwrap().len() == 16 && started["target"].is_string());
        let last = lines.last().unwrap();
        for (field, value) in [
            ("exit_code", Value::from(3)),
            ("outcome", "failed".into()),
            ("migrations", 1.into()),
        ] {
            assert_eq!(last[field], value, "{target:?} {field}");
        }
        let error = &last["error"];
        assert!(error["message"].as_str().unwrap().contains("0002_b.sql"));
        assert!(
            error["state"].is_string() && error["advice"].is_array(),
            "{error}"
        );
        assert_eq!(
            (&error["line"], &error["column"]),
            (&1.into(), &error["column"])
        );
    }
}

/// Errors before a run, and of questions, are JSON as well.
#[test]
fn errors_are_json_too() {
    let project = project();
    project.migration("0001_a.sql", "SELECT 1;\n");
    let error = document(&project.run(&["migrate", "status"]).expect_code(2));
    assert_eq!(
        (&error["exit_code"], &error["error"]["code"]),
        (&2.into(), &"no_database".into())
    );
    let last = finished(&project.run(&["migrate", "up"]).expect_code(2));
    assert_eq!(last["error"]["code"], "no_database");
    let error = document(
        &project
            .run(&["migrate", "plan", "-u", "postgres://a@127.0.0.1:1/b"])
            .expect_code(75),
    );
    assert_eq!(error["error"]["code"], "unreachable");
}

#[test]
fn formats() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_a.sql", "CREATE TABLE a (id integer);\n");
    let text = project
        .command(&["migrate", "status"])
        .env("FORERUN_FORMAT", "text")
        .run()
        .expect_code(0);
    assert!(text.stdout.contains("1 pending"), "{text:?}");
    // The option wins.
    let json = project
        .command(&["migrate", "status", "--format", "json"])
        .env("FORERUN_FORMAT", "text")
        .run();
    let _ = document(&json.expect_code(0));
    let _ = project
        .command(&["migrate", "status"])
        .env("FORERUN_FORMAT", "xml")
        .run()
        .expect_code(2);
    // Quiet: the result only.
    let quiet = project
        .run(&["--format", "text", "-q", "migrate", "up"])
        .expect_code(0);
    assert_eq!(quiet.stderr, "", "{quiet:?}");
    // Results on standard output, everything else beside it.
    project.migration("0002_b.sql", "CREATE TABLE b (id integer);\n");
    let outcome = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(0);
    assert!(
        outcome.stdout.starts_with("Applied 1 migration"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("0002_b.sql"), "{outcome:?}");
}

/// No escape codes but where they were asked for.
#[test]
fn colours() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_a.sql", "CREATE TABLE a (id integer;\n");
    let run = |variables: &[(&str, &str)], options: &[&str]| {
        let mut command = project.command(&["--format", "text"]);
        for option in options.iter().chain(&["migrate", "up"]) {
            command = command.argument(option);
        }
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let outcome = command.run().expect_code(3);
        outcome.stderr.contains('\u{1b}')
    };
    assert!(!run(&[], &[]));
    assert!(run(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!run(&[("CLICOLOR_FORCE", "1")], &["--no-color"]));
}

/// A terminal of `script`, in which the words after it run.
fn in_terminal(
    project: &ScratchProject,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Option<CommandOutcome> {
    if !Path::new("/usr/bin/script").exists() {
        skipped("`script` is not installed");
        return None;
    }
    let mut command = project.command(arguments).env("TERM", "xterm-256color");
    for (name, value) in variables {
        command = command.env(name, value);
    }
    Some(
        command
            .wrapped_in(&["sh", "-c", "exec script -qec \"$*\" /dev/null", "sh"])
            .run(),
    )
}

/// Whether there is a code for colour or weight: `ESC [ … m`.
fn has_style(text: &str) -> bool {
    text.split("\u{1b}[").skip(1).any(|code| {
        code.trim_start_matches(|character: char| character.is_ascii_digit() || character == ';')
            .starts_with('m')
    })
}

#[test]
fn a_terminal_gets_lines_a_bar_and_one_sentence() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    target.query("CREATE TABLE ledger (entry integer); CREATE TABLE work (steps integer); INSERT INTO work VALUES (3000000)");
    project.migration("0001_slow.sql", Gate::endless());
    project.migration("0002_next.sql", "CREATE TABLE a (id integer);\n");
    let again = || target.query("DELETE FROM forerun_history; DROP TABLE a");
    let Some(outcome) = in_terminal(&project, &["migrate", "up"], &[]) else {
        return;
    };
    let outcome = outcome.expect_code(0);
    let screen = &outcome.stdout;
    assert!(has_style(screen), "{screen}");
    for said in [
        "✓",
        "0001_slow.sql: statement 1, INSERT",
        "%",
        "Applied 2 migrations",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(
        screen.trim_end().ends_with("the database is at version 2."),
        "{screen}"
    );
    // Nothing is done before something is done.
    let first_bar = screen.split('%').next().unwrap();
    assert!(first_bar.ends_with("  0"), "{first_bar}");

    again();
    let outcome = in_terminal(&project, &["migrate", "up"], &[("NO_COLOR", "1")])
        .unwrap()
        .expect_code(0);
    let screen = &outcome.stdout;
    assert!(!has_style(screen), "{screen}");
    assert!(
        screen.contains("0001_slow.sql: statement 1, INSERT"),
        "the bar needs no colour: {screen}"
    );
    // The bar is gone at the end: whatever was drawn is overwritten.
    for line in screen.lines() {
        let left = line.rsplit("\u{1b}[2K").next().unwrap();
        assert!(!left.contains('\u{1b}') && !left.contains('━'), "{line:?}");
    }

    again();
    let outcome = in_terminal(&project, &["migrate", "up"], &[("TERM", "dumb")])
        .unwrap()
        .expect_code(0);
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome:?}");
    assert!(
        outcome.stdout.contains("✓ 1/2 0001_slow.sql"),
        "{outcome:?}"
    );
    // JSON in a terminal, when asked for, has neither bars nor colours.
    let json = in_terminal(&project, &["--format", "json", "migrate", "up"], &[])
        .unwrap()
        .expect_code(0);
    assert_eq!(lines(&json.stdout).last().unwrap()["outcome"], "up_to_date");
}

/// A reader that goes away, like `| head`: no panic, and a run is finished all the same.
#[test]
fn a_closed_pipe() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    for number in 1..30 {
        project.migration(
            &format!("{number:04}_a.sql"),
            format!("CREATE TABLE t{number} (id integer);\n"),
        );
    }
    let closed = |arguments: &[&str], streams: &str| {
        let shell = format!(
            "{{ sleep 0.2; \"$@\" {streams}; echo $? > code; }} 2> stderr | true; cat stderr code"
        );
        let outcome = project
            .command(arguments)
            .wrapped_in(&["sh", "-c", &shell, "sh"])
            .run()
            .expect_code(0);
        assert!(
            !outcome.stdout.contains("panicked") && !outcome.stdout.contains("Broken"),
            "{outcome:?}"
        );
        project.read("code").trim().to_owned()
    };
    for streams in ["", "2>&1"] {
        assert_eq!(
            closed(&["--format", "json", "migrate", "plan"], streams),
            "0"
        );
        assert_eq!(closed(&["--help"], streams), "0");
        assert_eq!(closed(&["completions", "bash"], streams), "0");
        assert_eq!(closed(&["man"], streams), "0");
    }
    assert_eq!(
        closed(&["--format", "text", "migrate", "up", "-v"], "2>&1"),
        "0"
    );
    assert_eq!(
        target.applied().len(),
        29,
        "nobody reads, but all is applied"
    );
    for format in ["text", "json"] {
        assert_eq!(
            closed(&["--format", format, "migrate", "history"], "2>&1"),
            "0"
        );
    }
    // A disk that is full is no reason to call a result delivered.
    if Path::new("/dev/full").exists() {
        let full = project
            .command(&["--format", "json", "migrate", "status"])
            .wrapped_in(&["sh", "-c", "\"$@\" > /dev/full", "sh"])
            .run();
        assert_ne!(full.code(), Some(0), "{full:?}");
        assert!(!full.stderr.contains("panicked"), "{full:?}");
    }
}

#[test]
fn the_last_words_for_the_kubelet() {
    for target in databases() {
        let mut project = empty_project_for(&target);
        let file = project.write("termination-log", "");
        project.set_env("TERMINATION_MESSAGE_PATH", &file.display().to_string());
        let last_words = || {
            let text = project.read("termination-log");
            assert!(text.len() <= 4096, "{text}");
            let value: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(value["format"], 1);
            value
        };
        project.migration("0001_a.sql", "CREATE TABLE a (id integer);\n");
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        let words = last_words();
        assert_eq!(
            (&words["exit_code"], &words["outcome"]),
            (&0.into(), &"applied".into())
        );
        assert!(
            words["message"]
                .as_str()
                .unwrap()
                .contains("Applied 1 migration")
        );

        let long = format!("INSERT INTO nowhere VALUES ('{}');\n", "x".repeat(20_000));
        project.migration("0002_b.sql", long);
        let _ = project.run(&["migrate", "up"]).expect_code(3);
        let words = last_words();
        assert_eq!(
            (&words["exit_code"], &words["outcome"]),
            (&3.into(), &"failed".into())
        );
        assert!(
            words["place"]
                .as_str()
                .unwrap()
                .starts_with("migrations/0002_b.sql:1:"),
            "{words}"
        );
        assert!(
            words["state"].is_string() && words["hint"].is_string(),
            "{words}"
        );

        let _ = project.run(&["migrate", "data"]).expect_code(0);
        assert_eq!(last_words()["exit_code"], 0);
        let _ = project
            .run(&["exec", "--", "sh", "-c", "exit 17"])
            .expect_code(17);
        assert_eq!(last_words()["exit_code"], 17);
        let _ = project
            .run(&["migrate", "up", "--dir", "elsewhere"])
            .expect_code(2);
        assert_eq!(last_words()["exit_code"], 2);
        let running = project.spawn(&["exec", "--", "sh", "-c", "touch ready; exec sleep 60"]);
        story::wait_for("the command runs", || project.path().join("ready").exists());
        running.terminate();
        let _ = running.wait().expect_code(143);
        assert_eq!(last_words()["exit_code"], 143);
    }
}

/// Wrong arguments are found before anything else, and the kubelet is told of those too.
#[test]
fn the_last_words_about_wrong_arguments() {
    let mut project = project();
    let file = project.write("termination-log", "");
    project.set_env("TERMINATION_MESSAGE_PATH", &file.display().to_string());
    let _ = project
        .run(&["migrate", "up", "--tiemout", "5"])
        .expect_code(2);
    let text = project.read("termination-log");
    let words: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert_eq!(words["exit_code"], 2);
    assert!(
        words["message"].as_str().unwrap().contains("--tiemout"),
        "{words}"
    );
}

/// No file is made for last words that nobody asked for.
#[test]
fn no_last_words_without_a_file() {
    let mut project = project();
    let file = project.path().join("termination-log");
    project.set_env("TERMINATION_MESSAGE_PATH", &file.display().to_string());
    project.set_env("DATABASE_URL", "sqlite:a.db");
    let _ = project.run(&["migrate", "up"]).expect_code(0);
    assert!(!file.exists());
}

#[test]
fn notices_of_the_server_with_verbose() {
    for target in databases() {
        let project = empty_project_for(&target);
        let sql = match target.product {
            Product::Postgres => {
                "DO $$ BEGIN RAISE NOTICE 'seen by few'; RAISE WARNING 'seen by all'; END $$;\n"
            }
            Product::Mariadb => "DROP TABLE IF EXISTS seen_by_few;\n",
            Product::Sqlite => continue,
        };
        project.migration("0001_a.sql", sql);
        let verbose = project
            .run(&["--format", "text", "-v", "migrate", "up"])
            .expect_code(0);
        let notice = if target.product == Product::Postgres {
            "seen by few"
        } else {
            "seen_by_few"
        };
        assert!(verbose.stderr.contains(notice), "{verbose:?}");
        assert!(
            verbose.stderr.contains("statement 1, line 1"),
            "{verbose:?}"
        );
        project.migration("0002_a.sql", sql);
        // The linter has its own words for the table.
        let plain = project
            .run(&["--format", "text", "migrate", "up", "--lint", "off"])
            .expect_code(0);
        assert!(!plain.stderr.contains(notice), "{plain:?}");
        if target.product == Product::Postgres {
            assert!(plain.stderr.contains("seen by all"), "{plain:?}");
        }
    }
}

/// A server, a file or a name cannot rewrite the terminal of whoever looks.
#[test]
fn control_characters_are_not_passed_on() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "0001_\u{1b}[31mred.sql",
            "SELECT '\u{1b}[2J\u{7}' FROM \"\u{1b}]0;x\u{7}\";\n",
        );
        for arguments in [
            &["migrate", "plan"][..],
            &["migrate", "status"],
            &["-v", "migrate", "up"],
        ] {
            let mut words = vec!["--format", "text"];
            words.extend(arguments);
            let outcome = project.run(&words);
            let shown = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(
                !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
                "{target:?}: {outcome:?}"
            );
        }
    }
}
