//! The table of errors, one by one: exit code, and what a person reads.

use std::path::PathBuf;
use std::time::Duration;

use forerun_migrations::database::{Blocker, DatabaseError, ErrorKind, Holder};
use forerun_migrations::directory::SumMismatch;
use forerun_migrations::error::{
    MigrationFailure, Refusal, RunError, StateAfterFailure, StoppedAt,
};
use forerun_migrations::history::{Direction, Version};
use forerun_migrations::plan::Conflict;
use forerun_sql::{Dialect, Position};

use super::{CommandError, Problem};
use crate::arguments::DirectoryArguments;
use crate::output::error_text;
use crate::settings::SettingsError;

fn run_error(error: RunError, dialect: Dialect) -> CommandError {
    CommandError::Run {
        error: Box::new(error),
        dialect,
        directory: DirectoryArguments::default(),
    }
}

fn code(error: RunError) -> u8 {
    run_error(error, Dialect::Postgres)
        .explain()
        .exit_code
        .number()
}

fn text(error: &CommandError) -> String {
    anstream::adapter::strip_str(&error_text::render(&error.explain())).to_string()
}

fn version() -> Version {
    Version::from(7)
}

fn failure(kind: ErrorKind) -> MigrationFailure {
    let sql = "ALTER TABLE userz\n\tADD COLUMN email text";
    MigrationFailure {
        version: version(),
        script: "0007_add_email.sql".to_owned(),
        path: PathBuf::from("migrations/0007_add_email.sql"),
        direction: Direction::Up,
        statement: Some(2),
        position: Some(Position {
            offset: 40,
            line: 3,
            column: 1,
        }),
        sql: sql.to_owned(),
        error: DatabaseError {
            code: Some("42P01".to_owned()),
            position: sql.find("userz"),
            ..DatabaseError::new(kind, "relation \"userz\" does not exist")
        },
        attempts: 1,
        retried_for: None,
        blockers: Vec::new(),
        state: StateAfterFailure::RolledBack,
        left_invalid: None,
    }
}

fn holder() -> Holder {
    Holder {
        run_id: "5f0c2a9be1d34477".to_owned(),
        actor: "app".to_owned(),
        host: "pod-a".to_owned(),
        release: None,
        purpose: "migrate up".to_owned(),
        backend: "4711".to_owned(),
        alive: Some(true),
        token: 12,
        held_seconds: 8,
        heartbeat_seconds: 2,
        expires_in_seconds: 28,
    }
}

#[test]
fn exit_codes_of_migrations_that_fail() {
    for (kind, expected) in [
        (ErrorKind::Statement, 3),
        (ErrorKind::StatementTimeout, 3),
        (ErrorKind::Unexpected, 3),
        (ErrorKind::LockTimeout, 75),
        (ErrorKind::Deadlock, 75),
        (ErrorKind::ConnectionLost, 75),
        (ErrorKind::Unreachable, 75),
        (ErrorKind::Cancelled, 75),
        (ErrorKind::DiskFull, 75),
        (ErrorKind::ReadOnly, 75),
        (ErrorKind::Authentication, 2),
        (ErrorKind::Configuration, 2),
    ] {
        assert_eq!(
            code(RunError::Migration(Box::new(failure(kind)))),
            expected,
            "{kind:?}"
        );
    }
}

#[test]
fn exit_codes_outside_of_migrations() {
    for (kind, expected) in [
        (ErrorKind::Unreachable, 75),
        (ErrorKind::ConnectionLost, 75),
        (ErrorKind::LockTimeout, 75),
        (ErrorKind::Deadlock, 75),
        (ErrorKind::StatementTimeout, 75),
        (ErrorKind::Cancelled, 75),
        (ErrorKind::DiskFull, 75),
        (ErrorKind::ReadOnly, 75),
        (ErrorKind::Authentication, 2),
        (ErrorKind::Configuration, 2),
        (ErrorKind::Statement, 2),
        (ErrorKind::Unexpected, 2),
    ] {
        let error = DatabaseError::new(kind, "x");
        assert_eq!(
            code(RunError::Database {
                doing: "connecting",
                error
            }),
            expected,
            "{kind:?}"
        );
    }
}

#[test]
fn a_file_that_is_read_only_is_not_temporary() {
    let error = DatabaseError::new(ErrorKind::ReadOnly, "attempt to write a readonly database");
    let error = RunError::Database {
        doing: "taking the runner lock",
        error,
    };
    assert_eq!(
        run_error(error, Dialect::Sqlite)
            .explain()
            .exit_code
            .number(),
        2
    );
    let error = RunError::Migration(Box::new(failure(ErrorKind::ReadOnly)));
    assert_eq!(
        run_error(error, Dialect::Sqlite)
            .explain()
            .exit_code
            .number(),
        2
    );
}

#[test]
fn exit_codes_of_everything_else() {
    let script = || "0007_a.sql".to_owned();
    let position = Position::START;
    for (error, expected) in [
        (RunError::Conflict(Vec::new()), 4),
        (RunError::Sum(SumMismatch::default()), 4),
        (
            RunError::LostVariable {
                version: version(),
                script: script(),
                path: script().into(),
                position: Position::START,
                name: "id".to_owned(),
            },
            4,
        ),
        (RunError::Refused(Refusal::PlanChanged), 5),
        (
            RunError::Refused(Refusal::NothingToRepair("x".to_owned())),
            5,
        ),
        (RunError::Refused(Refusal::SchemaFirst(vec![script()])), 5),
        (RunError::Refused(Refusal::NoDownScript(vec![script()])), 5),
        (
            RunError::Refused(Refusal::UnknownToDirectory(vec![version()])),
            5,
        ),
        (
            RunError::Refused(Refusal::HistoryNotEmpty { newest: version() }),
            5,
        ),
        (
            RunError::Refused(Refusal::HolderAlive(Box::new(holder()))),
            5,
        ),
        (
            RunError::LockNotObtained {
                waited: Duration::from_secs(60),
                holder: None,
            },
            75,
        ),
        (RunError::LeaseLost { version: None }, 75),
        (
            RunError::TransactionEnded {
                version: version(),
                script: script(),
            },
            3,
        ),
        (
            RunError::Assertion {
                version: version(),
                script: script(),
                path: script().into(),
                position,
                message: "m".to_owned(),
                row: "r".to_owned(),
            },
            3,
        ),
        (
            RunError::InDoubt {
                version: version(),
                script: script(),
                path: script().into(),
                statement: 2,
                position,
                sql: "x".to_owned(),
            },
            4,
        ),
        (
            RunError::Interrupted {
                signal: 15,
                finished: 0,
                at: Box::new(StoppedAt::Connecting { last: None }),
            },
            143,
        ),
        (
            RunError::Interrupted {
                signal: 2,
                finished: 1,
                at: Box::new(StoppedAt::BetweenMigrations),
            },
            130,
        ),
        (
            RunError::TimedOut {
                limit: Duration::from_secs(300),
                finished: 0,
                at: Box::new(StoppedAt::WaitingForLock { holder: None }),
            },
            75,
        ),
        (
            RunError::NotUpToDate {
                reason: "x".to_owned(),
            },
            6,
        ),
    ] {
        let words = error.to_string();
        assert_eq!(code(error), expected, "{words}");
    }
    let problem = |conflict| Problem {
        code: "x",
        file: None,
        line: None,
        column: None,
        message: String::new(),
        conflict,
        excerpt: None,
    };
    for (error, expected) in [
        (CommandError::Settings(SettingsError::NoDatabase), 2),
        (CommandError::Validation(vec![problem(true)]), 4),
        (
            CommandError::Validation(vec![problem(true), problem(false)]),
            2,
        ),
        (
            CommandError::Usage {
                message: "x".to_owned(),
                advice: "y".to_owned(),
            },
            2,
        ),
        (
            CommandError::Refused {
                message: "x".to_owned(),
                advice: "y".to_owned(),
            },
            5,
        ),
        (
            CommandError::CommandTimedOut {
                limit: Duration::from_secs(1),
                ended: "x".to_owned(),
            },
            75,
        ),
        (
            CommandError::CommandLostLock {
                ended: "x".to_owned(),
            },
            75,
        ),
        (
            CommandError::System {
                action: "x".to_owned(),
                error: std::io::Error::other("y"),
            },
            2,
        ),
    ] {
        assert_eq!(error.explain().exit_code.number(), expected, "{error}");
    }
}

#[test]
fn every_error_ends_in_what_to_do() {
    for kind in [
        ErrorKind::Statement,
        ErrorKind::LockTimeout,
        ErrorKind::ConnectionLost,
        ErrorKind::DiskFull,
    ] {
        for state in [
            StateAfterFailure::RolledBack,
            StateAfterFailure::Partial { statements_done: 1 },
            StateAfterFailure::InDoubt { statements_done: 1 },
            StateAfterFailure::Committed,
            StateAfterFailure::Unknown,
        ] {
            let error = RunError::Migration(Box::new(MigrationFailure {
                state,
                ..failure(kind)
            }));
            let text = text(&run_error(error, Dialect::Postgres));
            let last = text.lines().last().unwrap();
            assert!(
                last.contains("forerun migrate up` again") && last.ends_with('.'),
                "{last}"
            );
        }
    }
}

#[test]
fn a_statement_that_was_refused() {
    let error = RunError::Migration(Box::new(failure(ErrorKind::Statement)));
    insta::assert_snapshot!(text(&run_error(error, Dialect::Postgres)), @r#"
    error: 0007_add_email.sql failed in statement 2: relation "userz" does not exist (42P01)

      migrations/0007_add_email.sql:3:13
      3 │ ALTER TABLE userz
        │             ^

      state       Nothing of 0007_add_email.sql is applied: it was rolled back. Migrations before it stay as they are.

    Correct the script or the data and run `forerun migrate up` again.
    "#);
}

#[test]
fn retries_that_were_used_up() {
    let mut failure = failure(ErrorKind::LockTimeout);
    failure.error = DatabaseError {
        code: Some("55P03".to_owned()),
        ..DatabaseError::new(
            ErrorKind::LockTimeout,
            "canceling statement due to lock timeout",
        )
    };
    failure.attempts = 9;
    failure.retried_for = Some(Duration::from_millis(600_123));
    failure.state = StateAfterFailure::Partial { statements_done: 3 };
    failure.blockers = vec![Blocker {
        backend: "4242".to_owned(),
        user: "report".to_owned(),
        application: "nightly".to_owned(),
        client: "10.0.0.7".to_owned(),
        state: "idle in transaction".to_owned(),
        transaction_seconds: Some(340),
        query: "SELECT * FROM users".to_owned(),
    }];
    insta::assert_snapshot!(text(&run_error(RunError::Migration(Box::new(failure)), Dialect::Mysql)), @r#"
    error: 0007_add_email.sql failed in statement 2: canceling statement due to lock timeout (55P03)

      migrations/0007_add_email.sql:3:1
      3 │ ALTER TABLE userz
      4 │     ADD COLUMN email text

      blocked by  4242 (report, nightly, 10.0.0.7, idle in transaction, transaction open for 340s): SELECT * FROM users
      tries       9 in 10m
      state       Statements 1 to 3 are done and recorded, since this script cannot run in one transaction; the next run goes on with statement 4.

    End the sessions that hold the lock, or wait for them, and run `forerun migrate up` again; --ddl-lock-timeout and --retry-budget set how long it tries.
    "#);
}

#[test]
fn a_statement_in_doubt() {
    let error = RunError::InDoubt {
        version: version(),
        script: "0007_a.sql".to_owned(),
        path: "migrations/0007_a.sql".into(),
        statement: 2,
        position: Position {
            offset: 30,
            line: 4,
            column: 1,
        },
        sql: "UPDATE users\nSET visits = visits + 1".to_owned(),
    };
    insta::assert_snapshot!(text(&run_error(error, Dialect::Mysql)), @r#"
    error: did statement 2 of 0007_a.sql take effect? An earlier run ended while it was running

      migrations/0007_a.sql:4:1
      4 │ UPDATE users
      5 │ SET visits = visits + 1

      check       look in the database whether the change of this statement is there
      if it is    forerun migrate repair 7 --done
      if not      forerun migrate repair 7 --not-done
      state       The statements before it are done and recorded; nothing was run now.

    Answer with one of the two commands, then run `forerun migrate up` again.
    "#);
}

#[test]
fn conflicts_are_listed_with_what_to_do() {
    let script = || "0007_a.sql".to_owned();
    let conflicts = vec![
        Conflict::Changed {
            version: version(),
            script: script(),
            applied_from: script(),
            recorded: "0123456789abcdef".to_owned(),
            found: "fedcba9876543210".to_owned(),
            unreadable: None,
        },
        Conflict::Changed {
            version: version(),
            script: script(),
            applied_from: "0007_b.sql".to_owned(),
            recorded: "0123456789abcdef".to_owned(),
            found: "fedcba9876543210".to_owned(),
            unreadable: None,
        },
        Conflict::Missing {
            version: version(),
            script: script(),
        },
        Conflict::OutOfOrder {
            version: version(),
            script: script(),
            newest: Version::from(9),
        },
        Conflict::Unresumable {
            version: version(),
            script: script(),
            statements_done: 3,
            in_doubt: None,
        },
        Conflict::Unresumable {
            version: version(),
            script: script(),
            statements_done: 3,
            in_doubt: Some(4),
        },
        Conflict::InDoubt {
            version: version(),
            script: script(),
            statement: 4,
        },
        Conflict::JournalWithoutFile {
            version: version(),
            script: script(),
        },
        Conflict::UnfinishedOther {
            version: version(),
            script: script(),
            direction: "down",
        },
    ];
    insta::assert_snapshot!(text(&run_error(RunError::Conflict(conflicts), Dialect::Postgres)), @r#"
    error: the history and the directory contradict each other in 9 places

      conflict    0007_a.sql was changed after it was applied: its SQL is another one (checksum 0123456789ab was recorded, the file has fedcba987654)
      do          restore the file from version control and put the change into a new migration; or, if the database is as the file says already, record it with `forerun migrate repair 7 --accept-change`
      conflict    version 7 was applied from 0007_b.sql; the directory has 0007_a.sql for it, with other SQL
      do          give 0007_a.sql a new version (`forerun migrate new` shows which) and restore 0007_b.sql from version control; or, if it is the same migration under another name and the database is as the file says already, record it with `forerun migrate repair 7 --accept-change`
      conflict    version 7 is applied (from 0007_a.sql), but the directory has no file for it
      do          restore 0007_a.sql from version control: an applied migration must stay in the directory
      conflict    0007_a.sql was never applied and is older than version 9, which is
      do          rename it to a version that is newer than all others (`forerun migrate new` shows which); or apply it late with --allow-out-of-order
      conflict    0007_a.sql is half applied (its first 3 statements), and that part of the file is different now: the run cannot go on after it
      do          restore that part of the file; or undo by hand what it did and run `forerun migrate repair 7 --start-over`
      conflict    0007_a.sql is half applied (its first 3 statements; statement 4 was started and may have taken effect), and statement 4 is different now
      do          look in the database whether statement 4 took effect as it was: if not, run `forerun migrate repair 7 --not-done`, and it may be different; if it did, restore it and run `forerun migrate repair 7 --done`
      conflict    statement 4 of 0007_a.sql was started and may have taken effect, which only you can find out
      do          look in the database whether its change is there: if it is, run `forerun migrate repair 7 --done`; if not, `forerun migrate repair 7 --not-done`
      conflict    version 7 is half applied (from 0007_a.sql), but the directory has no file for it
      do          restore 0007_a.sql; or undo by hand what it did and run `forerun migrate repair 7 --start-over`
      conflict    reverting 0007_a.sql was started and is not finished
      do          finish it with `forerun migrate down`; or undo by hand what it did and run `forerun migrate repair 7 --start-over`
      state       No more of it was run.

    Settle each conflict as described; `forerun migrate status` shows what is left.
    "#);
}

#[test]
fn a_lock_that_another_runner_kept() {
    let error = RunError::LockNotObtained {
        waited: Duration::from_millis(60_050),
        holder: Some(holder()),
    };
    insta::assert_snapshot!(text(&run_error(error, Dialect::Postgres)), @r#"
    error: another runner kept the runner lock for the 1m that this one waited

      holder      app on pod-a (`migrate up`, run 5f0c2a9be1d34477, 4711) for 8s, last heartbeat 2s ago
      state       Nothing was run.

    Wait for the other runner and try again (--lock-timeout sets how long); if it is dead, see `forerun migrate unlock`.
    "#);
}

#[test]
fn a_commit_without_an_answer_says_that_it_arrived() {
    let failure = MigrationFailure {
        statement: None,
        position: None,
        sql: String::new(),
        error: DatabaseError::new(ErrorKind::ConnectionLost, "connection closed"),
        state: StateAfterFailure::Committed,
        left_invalid: None,
        ..failure(ErrorKind::ConnectionLost)
    };
    insta::assert_snapshot!(text(&run_error(RunError::Migration(Box::new(failure)), Dialect::Postgres)), @r#"
    error: 0007_add_email.sql failed: connection closed

      state       0007_add_email.sql is applied and recorded: the commit had arrived before the connection was lost, or another runner has done it.

    Run `forerun migrate up` again for what comes after it.
    "#);
}

#[test]
fn json_has_the_same_as_the_text() {
    let error = run_error(
        RunError::Migration(Box::new(failure(ErrorKind::Statement))),
        Dialect::Postgres,
    );
    let value = serde_json::to_value(error.explain()).unwrap();
    assert_eq!(value["code"], "statement");
    assert_eq!(value["file"], "migrations/0007_add_email.sql");
    assert_eq!((&value["line"], &value["column"]), (&3.into(), &13.into()));
    assert!(value["state"].as_str().unwrap().contains("rolled back"));
}
