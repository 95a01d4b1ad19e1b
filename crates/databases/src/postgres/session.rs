//! The connection that holds the runner lock and executes: its state, and one line per thing the engine asks.
//!
//! `statements` runs the user's SQL, `lock` takes the runner lock, `bookkeeping` reads and writes the tables,
//! `catalog` and `indexes` look at what statements left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_trait::async_trait;
use forerun_migrations::database::{
    Acquire, Canceller, CommitOutcome, DatabaseError, ErrorKind, Fenced, Fingerprint, Holder,
    Identity, Lease, LeaseRequest, Record, RecordOutcome, ServerInfo, Session, StatementOutcome,
    Timeouts, Together, TogetherOutcome,
};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, HistoryRow, JournalRow, Version,
};
use forerun_migrations::ledger::{ClientSessions, Deployment, FloorMark};
use forerun_sql::Classification;
use forerun_sql::schema::Catalog;
use tokio_postgres::SimpleQueryRow;

use crate::connection_url::PostgresOptions;

use super::connect::Facts;
use super::link::Link;
use super::row::Row;
use super::statements::Copy;
use super::{bookkeeping, existing, ledger, lock};

/// What lies between us and the server session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The server session is ours: nothing in between, or a pooler in session mode.
    Direct,
    /// A pooler; until it is tried out it is treated as one that shares sessions.
    Suspected,
    /// A pooler that gives the server session to others between transactions.
    Shared,
}

/// What stands for a session in the lease when the server session changes with every transaction.
pub(super) const POOLED_BACKEND: &str = "pooled";

pub(super) struct PostgresSession {
    pub(super) link: Link,
    pub(super) options: PostgresOptions,
    pub(super) identity: Identity,
    pub(super) facts: Facts,
    pub(super) pooling: Pooling,
    /// A transaction with these limits is to be opened with the next message: one round trip less.
    pub(super) to_begin: Option<Timeouts>,
    /// Id of the open transaction: another one, or none, means that the script ended it.
    pub(super) transaction: Option<i64>,
    /// Nothing ran since the last commit or rollback, so no transaction can be open.
    pub(super) clean: bool,
    pub(super) copy: Option<Copy>,
    pub(super) lock_key: i64,
    /// How often this server session took the advisory lock (it counts).
    pub(super) lock_taken: u32,
    /// What the script did to user and names is set aside for the rest of the transaction.
    pub(super) own_identity: bool,
    /// Audit entries of the open transaction, sent with its COMMIT: one round trip less.
    pub(super) audit_before_commit: String,
    /// Since the last reset something ran that may have changed the session: user, settings, temporary objects.
    pub(super) disturbed: bool,
    /// The session is still as the last script left it. It is put back with the next message to the server.
    pub(super) reset_pending: bool,
    /// Limits set for what runs outside a transaction.
    pub(super) session_timeouts: Timeouts,
    /// How far our clock is ahead of the server's, in microseconds.
    pub(super) clock_ahead: i64,
    /// There are event triggers: they may look at the text of a message (`current_query()`) and raise warnings of their
    /// own, so nothing of ours is sent with a statement.
    pub(super) event_triggers: bool,
    /// Settings of the session that are set again after a reset.
    pub(super) settings: Vec<String>,
    /// Process id of the server session in use, for the monitor.
    pub(super) process_id: Arc<AtomicI32>,
}

impl PostgresSession {
    pub(super) fn new(
        link: Link,
        options: PostgresOptions,
        identity: Identity,
        facts: Facts,
        process_id: Arc<AtomicI32>,
    ) -> Self {
        process_id.store(facts.process_id, Ordering::Release);
        Self {
            link,
            options,
            identity,
            pooling: if facts.pooler {
                Pooling::Suspected
            } else {
                Pooling::Direct
            },
            to_begin: None,
            transaction: None,
            clean: true,
            copy: None,
            lock_key: lock::key(&facts.schema),
            lock_taken: 0,
            settings: Vec::new(),
            own_identity: false,
            audit_before_commit: String::new(),
            disturbed: false,
            reset_pending: false,
            clock_ahead: 0,
            event_triggers: false,
            session_timeouts: Timeouts::default(),
            process_id,
            facts,
        }
    }

    /// The row begins with the process id of the session that answered.
    pub(super) fn note_process_id(&self, row: &SimpleQueryRow) -> Result<(), DatabaseError> {
        let process_id = Row(row).number(0)?;
        self.process_id.store(
            i32::try_from(process_id).unwrap_or_default(),
            Ordering::Release,
        );
        Ok(())
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn server(&self) -> &ServerInfo {
        &self.facts.info
    }

    fn backend(&self) -> String {
        match self.pooling {
            Pooling::Direct => self.facts.backend.clone(),
            Pooling::Suspected | Pooling::Shared => POOLED_BACKEND.to_owned(),
        }
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.link.canceller()
    }

    async fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.begin_transaction(timeouts).await
    }

    async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.apply_timeouts(timeouts).await
    }

    async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        self.run_statement(sql).await
    }

    async fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        self.query_first_row(sql).await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.catch_up().await?;
        let rows = self.link.rows(sql).await?;
        rows.iter().map(|row| Row(row).all()).collect()
    }

    async fn copy_start(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.start_copy(sql).await
    }

    async fn copy_data(&mut self, chunk: &[u8]) -> Result<(), DatabaseError> {
        self.send_copy(chunk).await
    }

    async fn copy_finish(&mut self) -> Result<StatementOutcome, DatabaseError> {
        self.finish_copy().await
    }

    async fn commit(&mut self) -> CommitOutcome {
        self.commit_transaction().await
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.roll_back().await
    }

    fn abandon(&mut self) {
        self.link.abandon(DatabaseError::new(
            ErrorKind::ConnectionLost,
            "the server did not answer; the connection was given up",
        ));
    }

    async fn reset(&mut self) -> Result<bool, DatabaseError> {
        self.reset_session().await
    }

    async fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        self.catch_up().await?;
        bookkeeping::applied(&self.link, &self.facts.schema).await
    }

    async fn journal(&mut self) -> Result<Vec<JournalRow>, DatabaseError> {
        self.catch_up().await?;
        bookkeeping::journal(&self.link, &self.facts.schema).await
    }

    async fn history(&mut self) -> Result<Vec<HistoryRow>, DatabaseError> {
        self.catch_up().await?;
        bookkeeping::history(&self.link, &self.facts.schema).await
    }

    async fn audit_trail(
        &mut self,
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        self.catch_up().await?;
        bookkeeping::audit_trail(&self.link, &self.facts.schema, version).await
    }

    async fn check_format(&mut self) -> Result<(), DatabaseError> {
        self.catch_up().await?;
        bookkeeping::check_format(&self.link, &self.facts.schema).await
    }

    async fn was_ever_complete(&mut self) -> Result<bool, DatabaseError> {
        self.catch_up().await?;
        bookkeeping::was_ever_complete(&self.link, &self.facts.schema).await
    }

    async fn deployments(&mut self) -> Result<Vec<Deployment>, DatabaseError> {
        self.catch_up().await?;
        ledger::deployments(&self.link, &self.facts.schema).await
    }

    async fn floor_marks(&mut self) -> Result<Vec<FloorMark>, DatabaseError> {
        self.catch_up().await?;
        ledger::floor_marks(&self.link, &self.facts.schema).await
    }

    async fn client_sessions(&mut self) -> Result<ClientSessions, DatabaseError> {
        self.catch_up().await?;
        ledger::client_sessions(&self.link).await
    }

    async fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError> {
        self.catch_up().await?;
        self.try_lock(request).await
    }

    async fn holder(&mut self) -> Result<Option<Holder>, DatabaseError> {
        self.catch_up().await?;
        lock::holder(&self.link, &self.facts.schema).await
    }

    async fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        self.unlock(lease).await
    }

    async fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        self.end_holder(holder).await
    }

    async fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        self.write_history(lease, row).await
    }

    async fn record_and_commit(
        &mut self,
        lease: &Lease,
        record: Record<'_>,
    ) -> Result<RecordOutcome, DatabaseError> {
        self.record_and_end(lease, record).await
    }

    fn most_together(&self) -> usize {
        self.room_for_others()
    }

    async fn apply_together(
        &mut self,
        lease: &Lease,
        limits: Timeouts,
        migrations: &[Together<'_>],
    ) -> TogetherOutcome {
        self.send_together(lease, limits, migrations).await
    }

    async fn record_reverted(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        self.delete_history(lease, version).await
    }

    async fn record_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        self.update_checksums(lease, row).await
    }

    async fn write_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError> {
        self.upsert_deployment(lease, row).await
    }

    async fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        self.upsert_journal(lease, row).await
    }

    async fn clear_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        self.delete_journal(lease, version).await
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        self.append_audit(entries).await
    }

    async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        self.catch_up().await?;
        existing::catalog(&self.link, &self.facts.schema).await
    }

    async fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError> {
        self.catch_up().await?;
        super::catalog::fingerprint(&self.link, statement).await
    }

    async fn drop_invalid_indexes(
        &mut self,
        statement: &Classification,
        sql: &str,
        limits: Option<Timeouts>,
    ) -> Result<Vec<String>, DatabaseError> {
        self.catch_up().await?;
        self.repair_indexes(statement, sql, limits).await
    }

    async fn invalid_index(
        &mut self,
        statement: &Classification,
        sql: &str,
    ) -> Result<Option<String>, DatabaseError> {
        self.catch_up().await?;
        super::indexes::left_invalid(&self.link, statement, sql).await
    }
}
