//! The connection that holds the runner lock and executes.
//!
//! What MySQL makes different: DDL commits by itself, so a transaction here holds one data statement and its
//! bookkeeping; and bookkeeping between the statements of a script changes what `ROW_COUNT()` and
//! `FOUND_ROWS()` return to the script (`LAST_INSERT_ID()` is preserved). A transaction that a script opens
//! itself, and its `LOCK TABLES`, end with the next bookkeeping, because that starts a transaction.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use forerun_migrations::database::{
    Acquire, Canceller, CommitOutcome, DatabaseError, ErrorKind, Fenced, Fingerprint, Holder,
    Identity, Lease, LeaseRequest, ServerInfo, Session, StatementOutcome, Timeouts,
};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, HistoryRow, JournalRow, Version,
};
use forerun_sql::Classification;

use super::bookkeeping::{Tables, applied_version};
use super::cancel::KillQuery;
use super::connect::{self, Facts};
use super::connection::Connection;
use super::lock::{Backend, RunnerLock};
use super::settings::{InitialState, set_timeouts};
use super::{catalog, error, row};
use crate::connection_url::MysqlOptions;

/// Explicit about chaining, because a script may have changed `completion_type`.
const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";
/// Explicit about writing, because a script may have made the session read-only.
const BEGIN: &str = "START TRANSACTION READ WRITE";
/// A savepoint lives as long as its transaction: without it the transaction is not ours any more.
const MARK: &str = "SAVEPOINT forerun_transaction";
const REMOVE_MARK: &str = "RELEASE SAVEPOINT forerun_transaction";
/// `ER_ERROR_DURING_COMMIT`: the server itself does not know how far it came.
const ERROR_DURING_COMMIT: u16 = 1180;

/// The executing session.
pub(super) struct MysqlSession {
    connection: Connection,
    facts: Facts,
    info: ServerInfo,
    identity: Identity,
    tables: Tables,
    lock: RunnerLock,
    initial: InitialState,
    canceller: Arc<KillQuery>,
    /// Limits in force; `None` when the server's own are.
    timeouts: Option<Timeouts>,
    /// We have opened a transaction and not ended it.
    in_transaction: bool,
}

impl MysqlSession {
    /// Connects.
    pub(super) async fn open(
        options: &MysqlOptions,
        identity: &Identity,
    ) -> Result<Self, DatabaseError> {
        let (mut connection, facts) = connect::open(options, false).await?;
        let initial = InitialState::read(&mut connection, &facts.database).await?;
        Ok(Self {
            info: ServerInfo {
                product: facts.product.clone(),
                database: facts.database.clone(),
                schema: None,
                pooled: false,
            },
            identity: identity.clone(),
            tables: Tables::new(&facts.database),
            lock: RunnerLock::new(&facts),
            canceller: Arc::new(KillQuery::new(options.clone(), facts.id)),
            connection,
            facts,
            initial,
            timeouts: None,
            in_transaction: false,
        })
    }

    async fn ensure_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        if self.timeouts != Some(timeouts) {
            self.timeouts = None;
            self.connection
                .execute(&set_timeouts(timeouts, self.facts.mariadb))
                .await?;
            self.timeouts = Some(timeouts);
        }
        Ok(())
    }

    /// Opens a transaction for bookkeeping unless one is open; says whether it did.
    async fn begin_own(&mut self) -> Result<bool, DatabaseError> {
        if self.in_transaction {
            return Ok(false);
        }
        self.connection.execute(BEGIN).await?;
        Ok(true)
    }

    /// Ends the transaction of [`Self::begin_own`]: commits what succeeded, takes back the rest.
    async fn end_own<T>(
        &mut self,
        own: bool,
        result: Result<T, DatabaseError>,
        keep: bool,
    ) -> Result<T, DatabaseError> {
        if own {
            let ended = self
                .connection
                .execute(if keep { COMMIT } else { ROLLBACK })
                .await;
            let value = result?;
            ended?;
            return Ok(value);
        }
        result
    }

    /// Whether a write is allowed. Locks the lease row, so that nobody takes over until we have committed.
    async fn fence(&mut self, lease: &Lease) -> Result<Fenced, DatabaseError> {
        if self.in_transaction {
            match self.connection.execute(REMOVE_MARK).await {
                Ok(()) => self.connection.execute(MARK).await?,
                Err(error) if error::number(&error) == Some(error::NO_SUCH_ROUTINE) => {
                    return Ok(Fenced::TransactionEnded);
                }
                Err(error) => return Err(error),
            }
        }
        let select = "SELECT token FROM {database}.forerun_lock WHERE name = 'runner' FOR UPDATE";
        let found = self
            .connection
            .first(&self.tables.statement(select, &[]))
            .await?;
        let token = found.map(|found| row::number(&found, 0)).transpose()?;
        Ok(if token == Some(lease.token) {
            Fenced::Written
        } else {
            Fenced::LeaseLost
        })
    }

    /// Runs a statement under a time limit that the server does not enforce.
    pub(super) async fn run_within(
        &mut self,
        sql: &str,
        limit: Duration,
    ) -> Result<StatementOutcome, DatabaseError> {
        let canceller = Arc::clone(&self.canceller);
        let statement = self.connection.run(sql);
        tokio::pin!(statement);
        tokio::select! {
            result = &mut statement => return result,
            () = tokio::time::sleep(limit) => {}
        }
        // When the cancel fails, the statement goes on and its own outcome counts.
        let (result, _) = tokio::join!(statement, canceller.cancel());
        result.map_err(|error| match error.kind {
            ErrorKind::Cancelled => DatabaseError {
                kind: ErrorKind::StatementTimeout,
                message: format!(
                    "the statement ran longer than {} s and was stopped",
                    limit.as_secs_f32()
                ),
                ..error
            },
            _ => error,
        })
    }
}

/// Runs `$write` if the lease is still ours, in the open transaction or in one of its own.
macro_rules! fenced {
    ($session:ident, $lease:ident, $write:expr) => {{
        let own = $session.begin_own().await?;
        let result = match $session.fence($lease).await {
            Ok(Fenced::Written) => $write.await.map(|()| Fenced::Written),
            other => other,
        };
        let keep = matches!(result, Ok(Fenced::Written));
        $session.end_own(own, result, keep).await
    }};
}

#[async_trait]
impl Session for MysqlSession {
    fn server(&self) -> &ServerInfo {
        &self.info
    }

    fn backend(&self) -> String {
        Backend::of(&self.facts).to_text()
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.canceller) as Arc<dyn Canceller>
    }

    async fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.ensure_timeouts(timeouts).await?;
        self.connection.execute(BEGIN).await?;
        self.in_transaction = true;
        self.connection.execute(MARK).await
    }

    async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.ensure_timeouts(timeouts).await
    }

    async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        match self.timeouts.and_then(|timeouts| timeouts.statement) {
            Some(limit) if !self.facts.mariadb => self.run_within(sql, limit).await,
            _ => self.connection.run(sql).await,
        }
    }

    async fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        Ok(self
            .connection
            .first(sql)
            .await?
            .as_ref()
            .map(row::readable))
    }

    async fn copy_start(&mut self, _sql: &str) -> Result<(), DatabaseError> {
        Err(no_copy())
    }

    async fn copy_data(&mut self, _chunk: &[u8]) -> Result<(), DatabaseError> {
        Err(no_copy())
    }

    async fn copy_finish(&mut self) -> Result<StatementOutcome, DatabaseError> {
        Err(no_copy())
    }

    async fn commit(&mut self) -> CommitOutcome {
        self.in_transaction = false;
        match self.connection.execute(COMMIT).await {
            Ok(()) => CommitOutcome::Committed,
            Err(error) if refused(&error) => match self.connection.execute(ROLLBACK).await {
                Ok(()) => CommitOutcome::RolledBack(error),
                Err(_) => CommitOutcome::Unknown(error),
            },
            Err(error) => CommitOutcome::Unknown(error),
        }
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.in_transaction = false;
        self.connection.execute(ROLLBACK).await
    }

    async fn reset(&mut self) -> Result<bool, DatabaseError> {
        let was_open = self.connection.in_transaction().await?;
        self.rollback().await?;
        self.timeouts = None;
        self.initial.restore(&mut self.connection).await?;
        Ok(was_open)
    }

    async fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        let history = self.tables.history(&mut self.connection).await?;
        Ok(history.map(|rows| rows.into_iter().map(applied_version).collect()))
    }

    async fn journal(&mut self) -> Result<Vec<JournalRow>, DatabaseError> {
        self.tables.journal(&mut self.connection).await
    }

    async fn history(&mut self) -> Result<Vec<HistoryRow>, DatabaseError> {
        Ok(self
            .tables
            .history(&mut self.connection)
            .await?
            .unwrap_or_default())
    }

    async fn audit_trail(
        &mut self,
        version: Option<Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        self.tables.audit_trail(&mut self.connection, version).await
    }

    async fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError> {
        self.lock
            .try_acquire(&mut self.connection, &self.identity, request)
            .await
    }

    async fn holder(&mut self) -> Result<Option<Holder>, DatabaseError> {
        self.lock.holder(&mut self.connection).await
    }

    async fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        if self.in_transaction {
            self.rollback().await?;
        }
        self.lock.release(&mut self.connection, lease).await
    }

    async fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        self.lock.evict(&mut self.connection, holder).await
    }

    async fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(self, lease, async {
            self.tables
                .insert_history(&mut self.connection, row)
                .await?;
            self.tables
                .delete_journal(&mut self.connection, row.version)
                .await
        })
    }

    async fn record_reverted(
        &mut self,
        lease: &Lease,
        version: Version,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(self, lease, async {
            self.tables
                .delete_history(&mut self.connection, version)
                .await?;
            self.tables
                .delete_journal(&mut self.connection, version)
                .await
        })
    }

    async fn record_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(
            self,
            lease,
            self.tables.update_checksums(&mut self.connection, row)
        )
    }

    async fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(
            self,
            lease,
            self.tables.replace_journal(&mut self.connection, row)
        )
    }

    async fn clear_journal(
        &mut self,
        lease: &Lease,
        version: Version,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(
            self,
            lease,
            self.tables.delete_journal(&mut self.connection, version)
        )
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        let own = self.begin_own().await?;
        // The audit counts its rows; a script may be about to use the id of its own last row.
        let last_id = self.connection.first("SELECT LAST_INSERT_ID()").await?;
        let result = self
            .tables
            .insert_audit(&mut self.connection, &self.identity, entries)
            .await;
        let keep = result.is_ok();
        self.end_own(own, result, keep).await?;
        if let Some(last_id) = last_id {
            self.connection
                .execute(&format!("DO LAST_INSERT_ID({})", row::text(&last_id, 0)))
                .await?;
        }
        Ok(())
    }

    async fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError> {
        catalog::fingerprint(&mut self.connection, statement).await
    }

    async fn drop_invalid_indexes(
        &mut self,
        _statement: &Classification,
        _sql: &str,
    ) -> Result<Vec<String>, DatabaseError> {
        // An index that could not be built does not exist here.
        Ok(Vec::new())
    }

    async fn invalid_index(
        &mut self,
        _statement: &Classification,
        _sql: &str,
    ) -> Result<Option<String>, DatabaseError> {
        Ok(None)
    }
}

/// Whether an error of `COMMIT` means for certain that nothing was committed. A commit that was interrupted,
/// or could not be written, may have come far enough to last.
fn refused(error: &DatabaseError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Deadlock | ErrorKind::LockTimeout | ErrorKind::ReadOnly | ErrorKind::Statement
    ) && error::number(error) != Some(ERROR_DURING_COMMIT)
}

fn no_copy() -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Statement,
        "COPY is a statement of PostgreSQL; MySQL and MariaDB do not have it",
    )
}
