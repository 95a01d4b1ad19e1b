//! The MySQL/MariaDB driver against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bookkeeping;
mod connect;
mod execute;
mod fingerprint;
mod lock;
mod record;

use std::time::Duration;

use forerun_databases::connection_url::{ConnectionUrl, MysqlOptions};
use forerun_databases::mysql::Mysql;
use forerun_migrations::database::{
    Acquire, Database, DatabaseError, Identity, Lease, LeaseRequest, Session,
};
use forerun_migrations::history::{
    Checksums, Direction, HistoryRow, InDoubt, JournalRow, Kind, Origin, Phase, Version,
};

fn options(url: &str) -> MysqlOptions {
    match ConnectionUrl::parse(url, &|_| None).unwrap() {
        ConnectionUrl::Mysql(options) => options,
        other => panic!("not a MySQL URL: {other:?}"),
    }
}

fn database(url: &str) -> Mysql {
    Mysql::new(options(url))
}

fn identity(run_id: &str) -> Identity {
    Identity {
        run_id: run_id.to_owned(),
        actor: "tester".to_owned(),
        host: "pod-1".to_owned(),
        release: Some("2.6.0".to_owned()),
        tool_version: "0.1.0".to_owned(),
    }
}

async fn try_connect(url: &str) -> Result<Box<dyn Session>, DatabaseError> {
    database(url).connect(&identity("run-1")).await
}

async fn connect(url: &str, run_id: &str) -> Box<dyn Session> {
    database(url).connect(&identity(run_id)).await.unwrap()
}

fn request(duration: Duration) -> LeaseRequest {
    LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration,
    }
}

const MINUTE: Duration = Duration::from_secs(60);

async fn acquire(session: &mut dyn Session) -> Lease {
    match session.try_acquire(&request(MINUTE)).await.unwrap() {
        Acquire::Acquired(lease) => lease,
        Acquire::Held(holder) => panic!("held by {holder:?}"),
    }
}

fn version(number: u32) -> Version {
    Version::from(number)
}

fn history_row(number: u32) -> HistoryRow {
    HistoryRow {
        version: version(number),
        description: "größe ändern 'quoted' \\ {database}".to_owned(),
        script: format!("{number:04}_größe.sql"),
        kind: Kind::Data,
        phase: Phase::Expand,
        unused_since: None,
        deployment: None,
        origin: Origin::Applied,
        checksums: Checksums {
            normalized: "a".repeat(64),
            raw: "b".repeat(64),
            sql: "c".repeat(64),
        },
        statements: 3,
        started_at: "2026-11-21T22:30:33.123456Z".to_owned(),
        finished_at: "2026-11-21T22:30:34.000000Z".to_owned(),
        duration_ms: 876,
        run_id: "run-1".to_owned(),
        release: None,
        applied_by: "tester@pod-1".to_owned(),
        tool_version: "0.1.0".to_owned(),
    }
}

fn journal_row(number: u32, fingerprint: Option<&str>) -> JournalRow {
    JournalRow {
        version: version(number),
        script: format!("{number:04}_größe.sql"),
        direction: Direction::Up,
        statements_done: 1,
        prefix_checksum: "d".repeat(64),
        in_doubt: fingerprint.map(|fingerprint| InDoubt {
            statement: 2,
            fingerprint: fingerprint.to_owned(),
            answer: Some(true),
        }),
        started_at: "2026-11-21T22:30:33.100000Z".to_owned(),
        run_id: "run-1".to_owned(),
    }
}
