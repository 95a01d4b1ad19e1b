//! `events.md`: every event with an example, as JSON lines have them.

use std::fmt::Write;
use std::time::Duration;

use forerun_migrations::database::{Blocker, DatabaseError, ErrorKind, Holder, Notice};
use forerun_migrations::event::{EVENTS_FORMAT, Event};
use forerun_migrations::history::Version;
use forerun_migrations::ledger::{Floor, HoldReason};
use forerun_migrations::plan::{HeldReason, Mode};

use super::GENERATED;

pub(super) fn page() -> String {
    let mut text = format!("{GENERATED}\n# Events\n\n");
    let _ = write!(
        text,
        "Where standard output is no terminal, or with `--format json`, a run prints one JSON object per line. Each has \
         `format` ({EVENTS_FORMAT}), `at` (UTC) and `event`. Durations are seconds. Fields are added, never renamed; unknown \
         events and fields are to be ignored. A command line that cannot be understood is answered in plain text. The last \
         line is `run_finished`; when the run failed it has `error` with \
         `code`, `message`, `file`, `line`, `column`, `details`, `state` and `advice`.\n\nCommands that answer a question \
         (`plan`, `status`, `history`, `deployments`, `validate`, `lint`, `hash`, `new`, `unlock`, `repair` without an action, `check`) print one JSON \
         document with `format` instead, with `error` when they failed and `warnings` when there are any.\n"
    );
    for event in examples() {
        let Ok(value) = serde_json::to_value(&event) else {
            continue;
        };
        let name = value
            .get("event")
            .and_then(|name| name.as_str())
            .unwrap_or_default()
            .to_owned();
        let _ = write!(
            text,
            "\n## {name}\n\n{}\n\n```json\n{value}\n```\n",
            meaning(&event)
        );
    }
    text.push_str(&super::deploy_events::section());
    text
}

/// What an event says. The compiler asks for one for each.
fn meaning(event: &Event) -> &'static str {
    match event {
        Event::RunStarted { .. } => "The run began.",
        Event::DatabaseWaiting { .. } => {
            "The database does not answer yet; the run goes on trying."
        }
        Event::LockWaiting { .. } => {
            "Another runner holds the lock. Repeated at least every ten seconds."
        }
        Event::LockAcquired { .. } => "The runner lock is held. `token` grows with every holder.",
        Event::LockTakenOver { .. } => {
            "The lock was taken over from a runner that died or went silent."
        }
        Event::Planned { .. } => "What is going to be done.",
        Event::Warning { .. } => {
            "Something to look at that does not stop the run. `code` is a stable word."
        }
        Event::MigrationStarted { .. } => "A migration begins.",
        Event::StatementStarted { .. } => "A statement begins.",
        Event::Progress { .. } => "How far a long script has been sent.",
        Event::Notice { .. } => "A notice of the server.",
        Event::Blocked { .. } => "A statement waits for a lock that others hold.",
        Event::Retrying { .. } => "A try gave way to others; it is rolled back and made again.",
        Event::Settled { .. } => {
            "It was found out whether a statement of an earlier run took effect."
        }
        Event::InvalidIndexDropped { .. } => {
            "An invalid index that a failed concurrent build left behind was dropped."
        }
        Event::MigrationFinished { .. } => "A migration is done and recorded.",
        Event::DeploymentOpened { .. } => {
            "The release is in the ledger, new or again; `migrate deployed` closes it."
        }
        Event::DeploymentClosed { .. } => "A deployment is completed: only its release runs now.",
        Event::Held { .. } => {
            "A contract migration has to wait, and the run stops before the first one. Each reason has `gate`, its facts \
             and a `message`; the gates are in [Two versions at once](../guide/two-versions.md). `waiting` names the pending \
             files behind the first one that the release needs: where there are any, the command ends with exit code 5."
        }
        Event::GateOverridden { .. } => {
            "A contract migration runs although it should wait (`--accept-downtime`)."
        }
        Event::BelowFloor { .. } => {
            "This release is older than the oldest that may run on this database; `wait` ends with exit code 5."
        }
        Event::Stopping { .. } => "The run was told to end; it cancels and cleans up.",
        Event::RunFinished { .. } => "The run is over. Always the last line.",
    }
}

fn examples() -> Vec<Event> {
    let version = || Version::from(7);
    let script = || "0007_add_email.sql".to_owned();
    let holder = || Holder {
        run_id: "5f0c2a9be1d34477".to_owned(),
        actor: "app".to_owned(),
        host: "shop-migrations-x7k2p".to_owned(),
        release: Some("2.6.0".to_owned()),
        purpose: "migrate up".to_owned(),
        backend: "4711".to_owned(),
        alive: Some(true),
        token: 12,
        held_seconds: 8,
        heartbeat_seconds: 2,
        expires_in_seconds: 28,
    };
    let still_used = || {
        let reason = HoldReason::StillUsed {
            unused_since: "2.5.0".to_owned(),
            running: "2.4.0".to_owned(),
            deploy_first: Some("2.5.0".to_owned()),
        };
        HeldReason::new(reason, false)
    };
    let lock_timeout = DatabaseError {
        code: Some("55P03".to_owned()),
        ..DatabaseError::new(
            ErrorKind::LockTimeout,
            "canceling statement due to lock timeout",
        )
    };
    vec![
        Event::RunStarted {
            run_id: "5f0c2a9be1d34477".to_owned(),
            command: "migrate up".to_owned(),
            target: "PostgreSQL app on db:5432".to_owned(),
            directory: Some("migrations".to_owned()),
            release: Some("2.6.0".to_owned()),
        },
        Event::DatabaseWaiting {
            waited: Duration::from_secs(3),
            error: DatabaseError::new(ErrorKind::Unreachable, "connection refused"),
        },
        Event::LockWaiting {
            waited: Duration::from_secs(10),
            holder: Some(holder()),
        },
        Event::LockAcquired {
            waited: Duration::from_millis(12),
            token: 13,
            pooled: false,
        },
        Event::LockTakenOver { holder: holder() },
        Event::Planned {
            pending: 3,
            applied: 6,
            bytes: 2048,
        },
        Event::Warning {
            code: "database_ahead",
            message: "the database is at version 9, …".to_owned(),
        },
        Event::MigrationStarted {
            version: version(),
            script: script(),
            number: 1,
            total: 3,
            mode: Mode::Transaction,
            statements: 2,
            bytes: 512,
            resumed_after: None,
        },
        Event::StatementStarted {
            version: version(),
            statement: 1,
            verb: "ALTER TABLE".to_owned(),
            line: 3,
        },
        Event::Progress {
            version: version(),
            bytes_done: 65_536,
            bytes_total: 1_048_576,
        },
        Event::Notice {
            version: version(),
            statement: 1,
            notice: Notice {
                severity: "NOTICE".to_owned(),
                message: "relation exists, skipping".to_owned(),
            },
        },
        Event::Blocked {
            version: version(),
            statement: 1,
            waited: Duration::from_millis(900),
            blockers: vec![Blocker {
                backend: "4242".to_owned(),
                user: "report".to_owned(),
                application: "nightly".to_owned(),
                client: "10.0.0.7".to_owned(),
                state: "idle in transaction".to_owned(),
                transaction_seconds: Some(340),
                query: "SELECT * FROM users".to_owned(),
            }],
        },
        Event::Retrying {
            version: version(),
            statement: 1,
            attempt: 1,
            error: lock_timeout,
            pause: Duration::from_millis(250),
            budget_left: Duration::from_secs(599),
        },
        Event::Settled {
            version: version(),
            statement: 2,
            done: true,
            how: "catalog",
        },
        Event::InvalidIndexDropped {
            version: version(),
            index: "users_email_idx".to_owned(),
        },
        Event::MigrationFinished {
            version: version(),
            script: script(),
            duration: Duration::from_millis(42),
            statements: 2,
            attempts: 1,
        },
        Event::DeploymentOpened {
            deployment: 8,
            release: "2.6.0".to_owned(),
            previous_release: Some("2.5.0".to_owned()),
            reopened: false,
        },
        Event::DeploymentClosed {
            deployment: 8,
            release: "2.6.0".to_owned(),
            superseded: vec!["2.5.1".to_owned()],
            already: false,
        },
        Event::Held {
            version: version(),
            script: script(),
            reasons: vec![still_used()],
            waiting: Vec::new(),
        },
        Event::GateOverridden {
            version: version(),
            script: script(),
            reason: "maintenance window on Sunday".to_owned(),
            gates: vec![still_used()],
        },
        Event::BelowFloor {
            release: "2.4.0".to_owned(),
            floor: Floor {
                release: "2.5.0".to_owned(),
                version: version(),
                script: script(),
            },
        },
        Event::Stopping {
            reason: "SIGTERM received".to_owned(),
        },
        Event::RunFinished {
            exit_code: 0,
            outcome: "applied",
            migrations: 3,
            duration: Duration::from_millis(180),
            message: "Applied 3 migrations in 180ms; the database is at version 9.".to_owned(),
        },
    ]
}
