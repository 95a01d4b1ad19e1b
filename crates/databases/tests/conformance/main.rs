//! What the engine relies on, the same for every driver. Differences are stated by capability, never by product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

mod engine;
mod locking;
mod recording;
mod statements;
mod together;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forerun_databases::connection_url::ConnectionUrl;
use forerun_databases::open;
use forerun_migrations::database::{
    Acquire, CommitOutcome, Database, Identity, Lease, LeaseRequest, Session, Timeouts,
};
use forerun_migrations::event::{Event, Events};
use forerun_migrations::executor::{Limits, Runner, stop_channel};
use forerun_test_support::{MariadbServer, PostgresServer, SqliteFile, TestDatabase};

/// One empty database and its driver.
pub struct Target {
    pub database: Arc<dyn Database>,
    pub url: String,
    _directory: tempfile::TempDir,
    server: Server,
}

enum Server {
    Running(TestDatabase<'static>),
    File(PathBuf),
}

impl Target {
    /// What a plain client of that database reads.
    pub fn query(&self, sql: &str) -> String {
        match &self.server {
            Server::Running(database) => database.query(sql),
            Server::File(path) => SqliteFile::at(path).expect("sqlite3").query(sql),
        }
        .trim()
        .to_owned()
    }

    pub fn runner(&self, run_id: &str) -> (Runner, Arc<Recorder>) {
        let events = Arc::new(Recorder::default());
        let (stop_sender, stop) = stop_channel();
        let runner = Runner {
            database: Arc::clone(&self.database),
            identity: identity(run_id),
            limits: Limits::default(),
            events: Arc::clone(&events) as Arc<dyn Events>,
            stop,
            stop_sender,
        };
        (runner, events)
    }
}

pub fn identity(run_id: &str) -> Identity {
    Identity {
        run_id: run_id.to_owned(),
        actor: "tester".to_owned(),
        host: "pod-1".to_owned(),
        release: Some("2.6.0".to_owned()),
        tool_version: "0.0.0".to_owned(),
    }
}

pub const LIMITS: Timeouts = Timeouts {
    lock: Some(Duration::from_secs(5)),
    statement: None,
};

pub async fn session(target: &Target, run_id: &str) -> Box<dyn Session> {
    target
        .database
        .connect(&identity(run_id))
        .await
        .expect("connects")
}

pub async fn acquire(session: &mut Box<dyn Session>) -> Acquire {
    let request = LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs(30),
    };
    session.try_acquire(&request).await.expect("tries")
}

pub async fn lease(session: &mut Box<dyn Session>) -> Lease {
    for _ in 0..100 {
        if let Acquire::Acquired(lease) = acquire(session).await {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the lock is not to be had");
}

pub async fn committed(session: &mut Box<dyn Session>) {
    let outcome = session.commit().await;
    assert!(matches!(outcome, CommitOutcome::Committed), "{outcome:?}");
}

#[derive(Default)]
pub struct Recorder(pub Mutex<Vec<Event>>);

impl Events for Recorder {
    fn emit(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn target(url: String, server: Server, directory: tempfile::TempDir) -> Target {
    let parsed = ConnectionUrl::parse(&url, &|_| None).expect("a good URL");
    Target {
        database: open(&parsed),
        url,
        _directory: directory,
        server,
    }
}

fn postgres() -> Option<Target> {
    let database = PostgresServer::shared()?.fresh_database();
    Some(target(
        database.url.clone(),
        Server::Running(database),
        tempfile::tempdir().unwrap(),
    ))
}

fn mariadb() -> Option<Target> {
    let database = MariadbServer::shared()?.fresh_database();
    Some(target(
        database.url.clone(),
        Server::Running(database),
        tempfile::tempdir().unwrap(),
    ))
}

fn sqlite() -> Option<Target> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    SqliteFile::at(&path)?;
    Some(target(
        format!("sqlite://{}", path.display()),
        Server::File(path),
        directory,
    ))
}

/// One test per case and driver.
macro_rules! conformance {
    ($($module:ident::$case:ident),* $(,)?) => {
        mod on_postgres { $(#[tokio::test] async fn $case() {
            let Some(target) = super::postgres() else { return };
            super::$module::$case(&target).await;
        })* }
        mod on_mariadb { $(#[tokio::test] async fn $case() {
            let Some(target) = super::mariadb() else { return };
            super::$module::$case(&target).await;
        })* }
        mod on_sqlite { $(#[tokio::test] async fn $case() {
            let Some(target) = super::sqlite() else { return };
            super::$module::$case(&target).await;
        })* }
    };
}

conformance! {
    locking::only_one_session_gets_the_lock,
    locking::a_session_that_is_gone_loses_the_lock_at_once,
    locking::a_released_lock_can_be_taken_again_with_a_higher_token,
    locking::an_expired_lease_is_taken_over_and_its_holder_writes_no_more,
    locking::many_runners_take_turns,
    locking::a_write_with_an_old_token_changes_nothing,
    locking::a_forced_eviction_frees_the_lock,
    locking::tables_of_a_newer_format_are_left_alone,
    recording::reading_an_untouched_database_finds_and_creates_nothing,
    recording::a_history_row_reads_back_as_written,
    recording::a_deployment_reads_back_as_written,
    recording::a_journal_row_reads_back_as_written,
    recording::the_audit_keeps_its_order_and_who_wrote_it,
    recording::a_run_that_came_to_the_end_is_found_in_the_audit,
    recording::a_rolled_back_record_leaves_no_trace,
    recording::a_script_that_ends_the_transaction_is_noticed,
    recording::a_script_may_use_savepoints,
    statements::statements_report_rows_and_first_rows,
    statements::all_rows_of_a_query_come_as_text,
    statements::errors_tell_their_kind,
    statements::a_cancelled_statement_comes_back,
    statements::a_long_statement_is_ended_by_its_time_limit,
    statements::a_transaction_that_a_script_leaves_open_is_rolled_back_and_told,
    together::all_are_applied,
    together::those_before_an_error_are_applied,
    together::what_follows_a_syntax_error_is_not_applied,
    together::after_an_error_in_the_first_none_is_applied,
    together::after_a_takeover_none_is_applied,
    engine::migrations_are_applied_once_and_recorded,
    engine::a_failed_migration_leaves_what_was_before_and_goes_on_when_mended,
    engine::down_reverts_the_newest_first,
    engine::an_assertion_that_fails_stops_before_any_change,
    engine::planning_changes_nothing,
    engine::changed_sql_is_a_conflict_and_a_changed_comment_is_not,
}
