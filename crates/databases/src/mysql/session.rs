//! The connection that holds the runner lock and executes.
//!
//! What MySQL makes different: DDL commits by itself, so a transaction here holds one data statement and its
//! bookkeeping; and bookkeeping between the statements of a script changes what `ROW_COUNT()` and
//! `FOUND_ROWS()` return to the script (`LAST_INSERT_ID()` is preserved). A transaction that a script opens
//! itself, and its `LOCK TABLES`, end with the next bookkeeping, because that starts a transaction.
//!
//! Each message to the server costs as much as a small migration, so what is there to guard against a script is
//! sent only when the script has run something to guard against (see `disturbance`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use forerun_migrations::database::{
    Acquire, Canceller, Change, CommitOutcome, DatabaseError, ErrorKind, Fenced, Fingerprint,
    Holder, Identity, Lease, LeaseRequest, Record, ServerInfo, Session, StatementOutcome, Timeouts,
    record_piece_by_piece,
};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, HistoryRow, JournalRow, Version,
};
use forerun_migrations::ledger::{ClientSessions, Deployment, FloorMark};
use forerun_sql::Classification;
use forerun_sql::schema::Catalog;

use super::bookkeeping::Tables;
use super::cancel::KillQuery;
use super::connect::{self, Facts};
use super::connection::Connection;
use super::disturbance::Disturbance;
use super::lock::RunnerLock;
use super::settings::{InitialState, own_limits, set_timeouts};
use super::{catalog, error, existing, ledger, refusal, row};
use crate::connection_url::MysqlOptions;

/// Explicit about chaining, because a script may have changed `completion_type`.
const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";
/// Explicit about writing, because a script may have made the session read-only.
const BEGIN: &str = "START TRANSACTION READ WRITE";
/// A savepoint lives as long as its transaction: without it the transaction is not ours any more. Set before the
/// first statement that could end it.
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
    /// There once it was needed.
    lock: Option<RunnerLock>,
    canceller: Arc<KillQuery>,
    /// Read before the first statement that may change it.
    initial: Option<InitialState>,
    /// A statement that may have changed the session has run since the last reset.
    disturbed: bool,
    /// Limits for the statements that follow; `None` are the server's own.
    timeouts: Option<Timeouts>,
    /// Limits that the server has been told; they follow when a statement of the script runs.
    timeouts_in_force: Option<Timeouts>,
    /// We have opened a transaction and not ended it.
    in_transaction: bool,
    /// The savepoint is set in it.
    marked: bool,
    /// A statement in it has failed, which may have ended it (a deadlock does).
    failed: bool,
    /// The script may have a `LAST_INSERT_ID()` that it relies on.
    has_last_id: bool,
    /// That id, to be put back before the next statement of the script.
    last_id: Option<String>,
}

impl MysqlSession {
    /// Connects.
    pub(super) async fn open(
        options: &MysqlOptions,
        identity: &Identity,
    ) -> Result<Self, DatabaseError> {
        let (connection, facts) = connect::open(options, false).await?;
        Ok(Self {
            info: ServerInfo {
                product: facts.product.clone(),
                database: facts.database.clone(),
                schema: None,
                working_schema: None,
                pooled: false,
            },
            identity: identity.clone(),
            tables: Tables::new(&facts.database),
            lock: None,
            canceller: Arc::new(KillQuery::new(options.clone(), facts.id)),
            connection,
            facts,
            initial: None,
            disturbed: false,
            timeouts: None,
            timeouts_in_force: None,
            in_transaction: false,
            marked: false,
            failed: false,
            has_last_id: false,
            last_id: None,
        })
    }

    /// Whether the server is MariaDB.
    pub(super) fn is_mariadb(&self) -> bool {
        self.facts.mariadb
    }

    /// The lock, and the connection to use it with.
    async fn lock(&mut self) -> Result<(&mut RunnerLock, &mut Connection), DatabaseError> {
        let lock = match self.lock.take() {
            Some(lock) => lock,
            None => {
                let lock_facts = connect::lock_facts(&mut self.connection).await?;
                RunnerLock::new(&self.facts, &lock_facts)
            }
        };
        Ok((self.lock.insert(lock), &mut self.connection))
    }

    /// Tells the server the limits, if it has others.
    async fn apply_timeouts(&mut self) -> Result<(), DatabaseError> {
        if self.timeouts_in_force == self.timeouts {
            return Ok(());
        }
        let sql = match self.timeouts {
            Some(timeouts) => set_timeouts(timeouts, self.facts.mariadb),
            None => format!("SET SESSION {}", own_limits(&self.facts)),
        };
        self.connection.execute(&sql).await?;
        self.timeouts_in_force = self.timeouts;
        Ok(())
    }

    /// Everything that must happen before a statement of a script: nothing, mostly.
    async fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let disturbance = Disturbance::of(sql);
        self.apply_timeouts().await?;
        if disturbance.session {
            if self.initial.is_none() {
                self.initial = Some(InitialState::read(&mut self.connection, &self.facts).await?);
            }
            self.disturbed = true;
        }
        if disturbance.transaction && self.in_transaction && !self.marked {
            // Not in a transaction that has ended already: the savepoint would make the next one look like ours.
            if !self.failed || self.connection.in_transaction().await? {
                self.connection.execute(MARK).await?;
                self.failed = false;
            }
            self.marked = true;
        }
        if let Some(id) = self.last_id.take() {
            self.connection
                .execute(&format!("DO LAST_INSERT_ID({id})"))
                .await?;
        }
        self.has_last_id |= disturbance.last_id;
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

    /// Whether the script has ended the transaction that we opened.
    async fn transaction_ended(&mut self) -> Result<bool, DatabaseError> {
        if self.marked {
            return match self.connection.execute(REMOVE_MARK).await {
                Ok(()) => {
                    self.connection.execute(MARK).await?;
                    Ok(false)
                }
                Err(error) if error::number(&error) == Some(error::NO_SUCH_ROUTINE) => Ok(true),
                Err(error) => Err(error),
            };
        }
        Ok(self.failed && !self.connection.in_transaction().await?)
    }

    /// Runs `first`, which writes nothing unless the lease is still ours, and then the rest; in the open transaction,
    /// or in one of its own when a single statement is not that by itself.
    async fn write_fenced(
        &mut self,
        first: &str,
        rest: &[String],
    ) -> Result<Fenced, DatabaseError> {
        if self.in_transaction && self.transaction_ended().await? {
            return Ok(Fenced::TransactionEnded);
        }
        // A script may have switched autocommit off, locked tables, or left a transaction open.
        let own = (self.disturbed || !rest.is_empty()) && self.begin_own().await?;
        let write = async {
            if self.connection.write(first).await? == 0 {
                return Ok(Fenced::LeaseLost);
            }
            for statement in rest {
                self.connection.execute(statement).await?;
            }
            Ok(Fenced::Written)
        };
        let result = write.await;
        let keep = matches!(result, Ok(Fenced::Written));
        self.end_own(own, result, keep).await
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
        if self.in_transaction && self.transaction_ended().await? {
            return Ok(Fenced::TransactionEnded);
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
        match &self.lock {
            Some(lock) => lock.backend().to_text(),
            None => self.facts.id.to_string(),
        }
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.canceller) as Arc<dyn Canceller>
    }

    async fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.timeouts = Some(timeouts);
        self.connection.execute(BEGIN).await?;
        self.in_transaction = true;
        self.marked = false;
        self.failed = false;
        Ok(())
    }

    async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        self.timeouts = Some(timeouts);
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        self.prepare(sql).await?;
        let result = match self.timeouts.and_then(|timeouts| timeouts.statement) {
            Some(limit) if !self.facts.mariadb => self.run_within(sql, limit).await,
            _ => self.connection.run(sql).await,
        };
        self.failed |= result.is_err();
        result
    }

    async fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        self.prepare(sql).await?;
        let result = self.connection.first(sql).await;
        self.failed |= result.is_err();
        Ok(result?.as_ref().map(row::readable))
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.connection.map_rows(sql, row::all).await
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

    fn is_undisturbed(&self) -> bool {
        !self.disturbed
    }

    async fn reset(&mut self) -> Result<bool, DatabaseError> {
        self.timeouts = None;
        self.last_id = None;
        self.has_last_id = false;
        let initial = self.initial.clone().filter(|_| self.disturbed);
        let Some(initial) = initial else {
            let was_open = self.in_transaction && self.connection.in_transaction().await?;
            if self.in_transaction {
                self.rollback().await?;
            }
            // Limits on waiting may stay until the next statement of a script; a limit on time could end our own.
            if self
                .timeouts_in_force
                .is_some_and(|timeouts| timeouts.statement.is_some())
            {
                self.apply_timeouts().await?;
            }
            return Ok(was_open);
        };
        let was_open = self.connection.in_transaction().await?;
        self.rollback().await?;
        initial.restore(&mut self.connection).await?;
        self.timeouts_in_force = None;
        self.disturbed = false;
        Ok(was_open)
    }

    async fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        self.tables.applied(&mut self.connection).await
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
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        self.tables.audit_trail(&mut self.connection, version).await
    }

    async fn check_format(&mut self) -> Result<(), DatabaseError> {
        self.tables.check_format(&mut self.connection).await
    }

    async fn was_ever_complete(&mut self) -> Result<bool, DatabaseError> {
        self.tables.was_ever_complete(&mut self.connection).await
    }

    async fn deployments(&mut self) -> Result<Vec<Deployment>, DatabaseError> {
        self.tables.deployments(&mut self.connection).await
    }

    async fn floor_marks(&mut self) -> Result<Vec<FloorMark>, DatabaseError> {
        self.tables.floor_marks(&mut self.connection).await
    }

    async fn client_sessions(&mut self) -> Result<ClientSessions, DatabaseError> {
        let database = self.facts.database.clone();
        ledger::client_sessions(&mut self.connection, &database).await
    }

    async fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError> {
        let identity = self.identity.clone();
        let (lock, connection) = self.lock().await?;
        lock.try_acquire(connection, &identity, request).await
    }

    async fn holder(&mut self) -> Result<Option<Holder>, DatabaseError> {
        let (lock, connection) = self.lock().await?;
        lock.holder(connection).await
    }

    async fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        if self.in_transaction {
            self.rollback().await?;
        }
        let (lock, connection) = self.lock().await?;
        lock.release(connection, lease).await
    }

    async fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        let (lock, connection) = self.lock().await?;
        lock.evict(connection, holder).await
    }

    async fn record(&mut self, lease: &Lease, record: Record<'_>) -> Result<Fenced, DatabaseError> {
        let applied = record.changes.iter().map(|change| match change {
            Change::Applied(row) => Some(row.as_ref()),
            Change::Reverted(_) => None,
        });
        let applied: Option<Vec<&HistoryRow>> = applied.collect();
        let Some([first, more @ ..]) = applied.as_deref() else {
            return record_piece_by_piece(self, lease, record).await;
        };
        if let Some(timeouts) = record.begin {
            self.begin(timeouts).await?;
        }
        let versions: Vec<&Version> = applied.iter().flatten().map(|row| &row.version).collect();
        let mut rest = vec![self.tables.delete_journal(&versions)];
        if !more.is_empty() {
            rest.push(self.tables.insert_more_history(more));
        }
        if !record.announced.is_empty() {
            rest.push(self.tables.replace_journals(record.announced));
        }
        let first = self.tables.insert_history(first, lease.token);
        let fenced = self.write_fenced(&first, &rest).await?;
        if fenced == Fenced::Written {
            self.audit(record.audit).await?;
        }
        Ok(fenced)
    }

    async fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        let record = self.tables.insert_history(row, lease.token);
        let forget = self.tables.delete_journal(&[&row.version]);
        self.write_fenced(&record, &[forget]).await
    }

    async fn record_reverted(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(self, lease, async {
            self.tables
                .delete_history(&mut self.connection, version)
                .await?;
            self.connection
                .execute(&self.tables.delete_journal(&[version]))
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

    async fn write_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(
            self,
            lease,
            self.connection
                .execute(&self.tables.replace_deployment(row))
        )
    }

    async fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        let progress = self.tables.replace_journal(row, lease.token);
        self.write_fenced(&progress, &[]).await
    }

    async fn clear_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        fenced!(
            self,
            lease,
            self.connection
                .execute(&self.tables.delete_journal(&[version]))
        )
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        if entries.is_empty() {
            return Ok(());
        }
        // A script may have switched autocommit off.
        let own = self.disturbed && self.begin_own().await?;
        // The audit counts its rows; a script may be about to use the id of its own last row.
        if self.has_last_id && self.last_id.is_none() {
            self.last_id = self
                .connection
                .first("SELECT LAST_INSERT_ID()")
                .await?
                .map(|found| row::text(&found, 0));
        }
        let result = self
            .tables
            .insert_audit(&mut self.connection, &self.identity, entries)
            .await;
        let keep = result.is_ok();
        self.end_own(own, result, keep).await
    }

    async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        existing::catalog(&mut self.connection, &self.facts).await
    }

    async fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError> {
        catalog::fingerprint(&mut self.connection, statement, self.facts.mariadb).await
    }

    async fn refused_unrun(
        &mut self,
        statement: &Classification,
        sql: &str,
        error: &DatabaseError,
    ) -> bool {
        refusal::refused_unrun(&mut self.connection, statement, sql, error).await
    }

    async fn drop_invalid_indexes(
        &mut self,
        _statement: &Classification,
        _sql: &str,
        _limits: Option<Timeouts>,
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
