//! The SQLite driver on real files, with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bookkeeping;
mod files;
mod lock;
mod processes;
mod statements;

use std::path::Path;
use std::time::Duration;

use forerun_databases::connection_url::SqliteOptions;
use forerun_databases::sqlite::Sqlite;
use forerun_migrations::database::{
    Acquire, CommitOutcome, Database, DatabaseError, ErrorKind, Holder, Identity, Lease,
    LeaseRequest, Session, Timeouts,
};
use forerun_migrations::history::{
    AuditEntry, Checksums, HistoryRow, Kind, Origin, Phase, Version,
};
use serde_json::json;
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(60);
const NO_LIMITS: Timeouts = Timeouts {
    lock: None,
    statement: None,
};

fn options(path: &Path) -> SqliteOptions {
    SqliteOptions {
        path: path.to_owned(),
        create: true,
        busy_timeout: Duration::from_millis(500),
        warnings: Vec::new(),
    }
}

fn identity(run: &str) -> Identity {
    Identity {
        run_id: run.to_owned(),
        actor: "ann".to_owned(),
        host: "machine".to_owned(),
        release: Some("2.6.0".to_owned()),
        tool_version: "0.1.0".to_owned(),
    }
}

fn database(folder: &TempDir) -> Sqlite {
    Sqlite::new(options(&folder.path().join("app.db")))
}

async fn session(folder: &TempDir, run: &str) -> Box<dyn Session> {
    database(folder).connect(&identity(run)).await.unwrap()
}

fn request(duration: Duration) -> LeaseRequest {
    LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration,
    }
}

async fn acquire(session: &mut dyn Session, duration: Duration) -> Lease {
    match session.try_acquire(&request(duration)).await.unwrap() {
        Acquire::Acquired(lease) => lease,
        Acquire::Held(holder) => panic!("held by {holder:?}"),
    }
}

async fn held_by(session: &mut dyn Session) -> Option<Holder> {
    match session.try_acquire(&request(LONG)).await.unwrap() {
        Acquire::Acquired(lease) => panic!("not held, taken as {lease:?}"),
        Acquire::Held(holder) => holder,
    }
}

fn history_row(version: u32) -> HistoryRow {
    HistoryRow {
        version: Version::from(version),
        description: "a table".to_owned(),
        script: format!("{version}_a_table.sql"),
        kind: Kind::Data,
        phase: Phase::Expand,
        unused_since: None,
        deployment: None,
        origin: Origin::Applied,
        checksums: Checksums {
            normalized: "n".repeat(64),
            raw: "r".repeat(64),
            sql: "s".repeat(64),
        },
        statements: 3,
        started_at: "2026-11-21T22:30:33.123456Z".to_owned(),
        finished_at: "2026-11-21T22:30:34.123456Z".to_owned(),
        duration_ms: 1000,
        run_id: "run".to_owned(),
        release: None,
        applied_by: "ann@machine".to_owned(),
        tool_version: "0.1.0".to_owned(),
    }
}

fn note(message: &str) -> AuditEntry {
    AuditEntry {
        event: "test.note",
        version: Some(Version::from(7)),
        statement: None,
        attempt: Some(1),
        message: message.to_owned(),
        detail: json!({ "seconds": 1.5 }),
    }
}

/// Runs one statement in a transaction of its own.
async fn change(session: &mut dyn Session, sql: &str) {
    session.begin(NO_LIMITS).await.unwrap();
    session.run(sql).await.unwrap();
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
}

async fn count(session: &mut dyn Session, sql: &str) -> String {
    session.first_row(sql).await.unwrap().unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T, DatabaseError>) -> ErrorKind {
    result.unwrap_err().kind
}

/// Limits with this lock timeout.
fn lock_timeout(milliseconds: u64) -> Timeouts {
    Timeouts {
        lock: Some(Duration::from_millis(milliseconds)),
        statement: None,
    }
}
