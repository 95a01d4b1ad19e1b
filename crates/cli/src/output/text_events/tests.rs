//! The lines of a run, as a person reads them.

use std::sync::Mutex;
use std::time::Duration;

use forerun_migrations::database::{Blocker, DatabaseError, ErrorKind, Holder, Notice};
use forerun_migrations::event::Event;
use forerun_migrations::history::Version;
use forerun_migrations::plan::Mode;

use super::TextEvents;

fn shown(events: &[Event], verbose: bool, quiet: bool) -> String {
    let text = Mutex::new(String::new());
    let lines = TextEvents::new(false, verbose, quiet);
    for event in events {
        lines.show(event, &|line| text.lock().unwrap().push_str(line));
    }
    let text = text.into_inner().unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

fn run() -> Vec<Event> {
    let version = || Version::from(7);
    let holder = Holder {
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
    };
    vec![
        Event::RunStarted {
            run_id: "r".to_owned(),
            command: "migrate up".to_owned(),
            target: "PostgreSQL db/app".to_owned(),
            directory: Some("migrations".to_owned()),
            release: Some("2.6.0".to_owned()),
        },
        Event::DatabaseWaiting {
            waited: Duration::ZERO,
            error: DatabaseError::new(ErrorKind::Unreachable, "connection\nrefused"),
        },
        Event::LockWaiting {
            waited: Duration::from_secs(10),
            holder: Some(holder),
        },
        Event::LockAcquired {
            waited: Duration::from_secs(12),
            token: 13,
            pooled: true,
        },
        Event::Planned {
            pending: 12,
            applied: 6,
            bytes: 10,
        },
        Event::MigrationStarted {
            version: version(),
            script: "0007_a.sql".to_owned(),
            number: 1,
            total: 12,
            mode: Mode::Statements,
            statements: 2,
            bytes: 5,
            resumed_after: Some(1),
        },
        Event::StatementStarted {
            version: version(),
            statement: 2,
            verb: "ALTER TABLE".to_owned(),
            line: 3,
        },
        Event::Notice {
            version: version(),
            statement: 2,
            notice: Notice {
                severity: "NOTICE".to_owned(),
                message: "skipping \u{1b}[2J".to_owned(),
            },
        },
        Event::Blocked {
            version: version(),
            statement: 2,
            waited: Duration::from_millis(900),
            blockers: vec![Blocker {
                backend: "4242".to_owned(),
                user: "report".to_owned(),
                application: "nightly".to_owned(),
                client: String::new(),
                state: "idle in transaction".to_owned(),
                transaction_seconds: Some(340),
                query: "SELECT 1".to_owned(),
            }],
        },
        Event::Retrying {
            version: version(),
            statement: 2,
            attempt: 1,
            error: DatabaseError::new(ErrorKind::LockTimeout, "lock timeout"),
            pause: Duration::from_millis(250),
            budget_left: Duration::from_secs(599),
        },
        Event::MigrationFinished {
            version: version(),
            script: "0007_a.sql".to_owned(),
            duration: Duration::from_millis(1400),
            statements: 1,
            attempts: 2,
        },
        Event::Warning {
            code: "x",
            message: "look".to_owned(),
        },
    ]
}

#[test]
fn a_run() {
    insta::assert_snapshot!(shown(&run(), false, false), @r"
    migrate up: PostgreSQL db/app, migrations in migrations, release 2.6.0
    … waiting for the database: connection refused
    … waiting for the runner lock (10s), held by app on pod-a (`migrate up`, run 5f0c2a9be1d34477, 4711) for 8s, last heartbeat 2s ago
    got the runner lock after 12.0s; a transaction pooler is in between, the lease alone guards the run
    12 migrations to run, 6 applied
    0007_a.sql: goes on after statement 1
      … statement 2 waits for a lock (900ms)
        held by 4242 (report, nightly, idle in transaction, transaction open for 340s): SELECT 1
      try 1 gave way: lock timeout; the next one in 250ms (for 9m59s more)
    ✓  1/12 0007_a.sql  1.4s, 2 tries
    warning: look
    ");
}

#[test]
fn down_reverts() {
    let mut events = run();
    let Some(Event::RunStarted { command, .. }) = events.first_mut() else {
        panic!("a run begins with its start")
    };
    *command = "migrate down".to_owned();
    let text = shown(&events, false, false);
    assert!(
        text.contains("\n12 migrations to revert, 6 applied\n"),
        "{text}"
    );
}

#[test]
fn verbose_adds_statements_and_notices() {
    let text = shown(&run(), true, false);
    assert!(
        text.contains("  statement 2, line 3: ALTER TABLE\n  NOTICE: skipping ·[2J\n"),
        "{text}"
    );
}

#[test]
fn quiet_leaves_warnings() {
    assert_eq!(shown(&run(), false, true), "warning: look\n");
}
