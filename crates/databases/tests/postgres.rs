//! The PostgreSQL driver against real servers: what a user notices of connecting, locking, running,
//! pooling and repairing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "postgres/connecting.rs"]
mod connecting;
#[path = "postgres/locking.rs"]
mod locking;
#[path = "postgres/outside_transactions.rs"]
mod outside_transactions;
#[path = "postgres/pooling.rs"]
mod pooling;
#[path = "postgres/recording.rs"]
mod recording;
#[path = "postgres/running.rs"]
mod running;

use std::sync::Arc;
use std::time::Duration;

use forerun_databases::connection_url::ConnectionUrl;
use forerun_migrations::database::{
    Acquire, Database, DatabaseError, Identity, Lease, LeaseRequest, Session, Timeouts,
};
use forerun_migrations::history::{Checksums, HistoryRow, Kind, Origin, Phase, Version};

/// The database of a URL, with nothing taken from the environment.
fn database(url: &str) -> Arc<dyn Database> {
    forerun_databases::open(&ConnectionUrl::parse(url, &|_| None).unwrap())
}

fn identity(run_id: &str) -> Identity {
    Identity {
        run_id: run_id.to_owned(),
        actor: "tester".to_owned(),
        host: "host-1".to_owned(),
        release: Some("2.6.0".to_owned()),
        tool_version: "0.1.0".to_owned(),
    }
}

async fn connect(url: &str, run_id: &str) -> Box<dyn Session> {
    database(url).connect(&identity(run_id)).await.unwrap()
}

async fn refused(url: &str) -> DatabaseError {
    match database(url).connect(&identity("run")).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

fn request(seconds: f64) -> LeaseRequest {
    LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs_f64(seconds),
    }
}

async fn acquire(session: &mut Box<dyn Session>) -> Lease {
    acquire_for(session, 30.0).await
}

async fn acquire_for(session: &mut Box<dyn Session>, seconds: f64) -> Lease {
    match session.try_acquire(&request(seconds)).await.unwrap() {
        Acquire::Acquired(lease) => lease,
        Acquire::Held(holder) => panic!("held by {holder:?}"),
    }
}

fn no_limits() -> Timeouts {
    Timeouts::default()
}

fn history_row(version: u32) -> HistoryRow {
    HistoryRow {
        version: Version::from(version),
        description: "it's \\ üblich {schema}".to_owned(),
        script: format!("{version:04}_x.sql"),
        kind: Kind::Schema,
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
        applied_by: "tester@host-1".to_owned(),
        tool_version: "0.1.0".to_owned(),
    }
}
