//! What the engine asks of a database.
//!
//! The drivers implement [`Database`], [`Session`] and [`Monitor`]; the engine knows nothing else about a
//! server. All SQL of the bookkeeping tables lives with the drivers. Nothing here does I/O.
//!
//! A run uses two connections: one [`Session`] that holds the runner lock and executes everything, and one
//! [`Monitor`] for short statements beside it (heartbeat, who blocks us, audit when the session is gone).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use forerun_sql::schema::Catalog;
use forerun_sql::{Classification, Dialect};
use serde::Serialize;

use crate::history::{AppliedVersion, AuditEntry, AuditRow, HistoryRow, JournalRow, Version};
use crate::ledger::{ClientSessions, Deployment, FloorMark};
use crate::masking::{mask_text, mask_text_about};
use crate::trace::Observer;

/// What a database can do; the engine decides by these and never by the product's name.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// DDL takes part in transactions, so a migration and its history row commit together.
    pub transactional_ddl: bool,
    /// A second session can write while the first is in a long transaction, so the heartbeat starts with the run.
    /// Where it cannot (SQLite has one writer) the run itself keeps the lease fresh in the transactions that record,
    /// and the heartbeat, which would compete with it, starts only after a third of the lease.
    pub heartbeat: bool,
}

/// One database that can be connected to.
#[async_trait]
pub trait Database: Send + Sync {
    /// The SQL dialect its scripts are split and classified with.
    fn dialect(&self) -> Dialect;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Where it is, for people: product, host, database; never a secret.
    fn target(&self) -> String;
    /// What its parts are called, for scripts with placeholders: `database`, `user`, `schema`, `host`, as far as they are
    /// known without asking it.
    fn names(&self) -> BTreeMap<&'static str, String>;
    /// Opens the session that executes. One try, bounded by the connect timeout of the URL.
    async fn connect(&self, identity: &Identity) -> Result<Box<dyn Session>, DatabaseError>;
    /// Opens the second connection for the run that `session` executes.
    async fn monitor(&self, identity: &Identity) -> Result<Box<dyn Monitor>, DatabaseError>;
    /// Opens a session that sees what the server does, for scratch databases.
    async fn observer(&self, identity: &Identity) -> Result<Box<dyn Observer>, DatabaseError>;
}

/// Who runs: stored with the lease and with every audit row.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// Random id of this run, the same in events, audit and lease.
    pub run_id: String,
    /// Operating system user, or what `FORERUN_ACTOR` says.
    pub actor: String,
    /// Host or pod name.
    pub host: String,
    /// Release of the application that is being deployed, when it is known.
    pub release: Option<String>,
    /// Version of forerun.
    pub tool_version: String,
}

/// Facts about the server, read once when a session opens.
#[derive(Debug, Clone, Serialize)]
pub struct ServerInfo {
    /// Product and version as the server reports them, such as `PostgreSQL 15.18`.
    pub product: String,
    /// Database (or file) name.
    pub database: String,
    /// Schema that holds the bookkeeping tables; `None` where databases have no schemas.
    pub schema: Option<String>,
    /// Schema in which a script makes what it does not qualify, where only the server knows it: then it is not among the
    /// [`Database::names`].
    #[serde(skip)]
    pub working_schema: Option<String>,
    /// A pooler in transaction mode sits in between: session locks and session settings do not hold, so the
    /// lease row alone guarantees a single runner.
    pub pooled: bool,
}

/// Limits the server enforces on a statement. `None` switches the limit off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// Longest wait for a lock.
    pub lock: Option<Duration>,
    /// Longest execution of one statement.
    pub statement: Option<Duration>,
}

/// What a statement did.
#[derive(Debug, Clone, Default)]
pub struct StatementOutcome {
    /// Rows affected, when the server says.
    pub rows: Option<u64>,
    /// Notices and warnings of the server, in order.
    pub notices: Vec<Notice>,
}

/// A notice or warning from the server.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// Severity as the server names it: `NOTICE`, `WARNING`, `Note`.
    pub severity: String,
    /// Text.
    pub message: String,
}

/// How a commit ended. The third way is why a commit is not a plain `Result`.
#[derive(Debug)]
pub enum CommitOutcome {
    /// Durable.
    Committed,
    /// The server refused it; everything is rolled back.
    RolledBack(DatabaseError),
    /// The connection was lost after the commit was sent: only re-reading the history tells.
    Unknown(DatabaseError),
}

/// How [`Session::record_and_commit`] ended.
#[derive(Debug)]
pub enum RecordOutcome {
    /// It was written, and the commit ended like this.
    Ended(CommitOutcome),
    /// It must not be written, and nothing was: for any reason but [`Fenced::Written`].
    Refused(Fenced),
}

/// Request for the runner lock.
#[derive(Debug, Clone)]
pub struct LeaseRequest {
    /// What the holder does, for people: `migrate up`.
    pub purpose: String,
    /// How long the lease lasts without a heartbeat.
    pub duration: Duration,
}

/// The runner lock, held.
#[derive(Debug, Clone, Serialize)]
pub struct Lease {
    /// Fencing token: grows by one with every acquisition and is checked in each transaction that records.
    pub token: i64,
    /// How long the lease lasts without a heartbeat.
    #[serde(skip)]
    pub duration: Duration,
    /// The holder whose lease was taken over because it had died or expired, for the audit.
    pub taken_over: Option<Holder>,
}

/// Who holds the runner lock.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Holder {
    /// Its run.
    pub run_id: String,
    /// Its user.
    pub actor: String,
    /// Its host or pod.
    pub host: String,
    /// Its release.
    pub release: Option<String>,
    /// What it does: `migrate up`.
    pub purpose: String,
    /// Its server-side session: a process or connection id.
    pub backend: String,
    /// Whether that session still exists; `None` when it cannot be told.
    pub alive: Option<bool>,
    /// Fencing token it holds.
    pub token: i64,
    /// Seconds since it took the lock, by the server's clock.
    pub held_seconds: i64,
    /// Seconds since its last heartbeat, by the server's clock.
    pub heartbeat_seconds: i64,
    /// Seconds until its lease expires; negative when it has.
    pub expires_in_seconds: i64,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} on {} (`{}`, run {}, {}",
            self.actor, self.host, self.purpose, self.run_id, self.backend
        )?;
        if let Some(release) = &self.release {
            write!(formatter, ", release {release}")?;
        }
        write!(
            formatter,
            ") for {}s, last heartbeat {}s ago",
            self.held_seconds, self.heartbeat_seconds
        )?;
        if self.alive == Some(false) {
            write!(formatter, ", its session is gone")?;
        }
        Ok(())
    }
}

/// Result of one try to take the runner lock.
#[derive(Debug)]
pub enum Acquire {
    /// Ours.
    Acquired(Lease),
    /// Somebody else's; `None` when the holder has not written its lease yet.
    Held(Option<Holder>),
}

/// Result of a write that is only valid while the lease is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fenced {
    /// Written.
    Written,
    /// The lease is no longer ours; nothing was written, the transaction must be rolled back.
    LeaseLost,
    /// The script ended the transaction it runs in; what it committed stays.
    TransactionEnded,
}

/// A migration that is sent together with others; see [`Session::apply_together`].
#[derive(Debug, Clone, Copy)]
pub struct Together<'a> {
    /// Its statements, which only create tables.
    pub statements: &'a [String],
    /// Its row of the history. The session puts the times into it.
    pub row: &'a HistoryRow,
    /// Its entry of the audit. The duration in its detail likewise.
    pub audit: &'a AuditEntry,
}

/// How [`Session::apply_together`] ended.
#[derive(Debug, Default)]
pub struct TogetherOutcome {
    /// So many, from the first, are applied and recorded.
    pub applied: usize,
    /// What the server remarked on, of whichever of them.
    pub notices: Vec<Notice>,
    /// The error of the connection; then more may be applied than were counted.
    pub lost: Option<DatabaseError>,
}

/// The end of one or more migrations: written together, or not at all.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Limits of the transaction to open for it; `None` when one is open.
    pub begin: Option<Timeouts>,
    /// What becomes of their versions, in order; the journal of these goes.
    pub changes: &'a [Change],
    /// Progress of migrations that follow: their first statements are about to be sent.
    pub announced: &'a [JournalRow],
    /// Entries for the audit.
    pub audit: &'a [AuditEntry],
}

/// What becomes of a version at the end of its migration.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is applied.
    Applied(Box<HistoryRow>),
    /// It is reverted.
    Reverted(Version),
}

/// Catalog state of the objects a statement names, taken before it runs and again after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fingerprint {
    /// Digest of the definitions: a different one afterwards proves that the statement took effect.
    Definition(String),
    /// The same of a statement that creates one object which is not there: whatever happens to objects of other names.
    Absent(String),
    /// Running the statement a second time does no harm (`VACUUM`, `ANALYZE`, `REINDEX`).
    Repeatable,
    /// The catalog cannot tell.
    Unknown,
}

/// The connection that holds the runner lock and executes.
#[async_trait]
pub trait Session: Send {
    /// The server at the other end.
    fn server(&self) -> &ServerInfo;
    /// Server-side id of this session, as stored in the lease.
    fn backend(&self) -> String;
    /// Stops what this session is executing, from another task.
    fn canceller(&self) -> Arc<dyn Canceller>;

    /// Opens a transaction with these limits.
    async fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError>;
    /// Sets limits for what follows: within the open transaction, else for the session.
    async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError>;
    /// Runs one statement.
    async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError>;
    /// Runs one query and returns its first row as readable text, or `None` without rows.
    async fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError>;
    /// All rows of a reading query of our own, each column as text, `None` for NULL. For small results: they are kept.
    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError>;
    /// Starts a `COPY … FROM STDIN`.
    async fn copy_start(&mut self, sql: &str) -> Result<(), DatabaseError>;
    /// Sends rows.
    async fn copy_data(&mut self, chunk: &[u8]) -> Result<(), DatabaseError>;
    /// Ends the copy; returns what it did.
    async fn copy_finish(&mut self) -> Result<StatementOutcome, DatabaseError>;
    /// Commits.
    async fn commit(&mut self) -> CommitOutcome;
    /// Rolls back; also ends a transaction that a script left open. No error when none is open.
    async fn rollback(&mut self) -> Result<(), DatabaseError>;
    /// Gives the connection up without waiting for the server: every later call fails at once.
    fn abandon(&mut self) {}
    /// Whether a statement of the next script would find the session as after a [`Session::reset`].
    fn is_undisturbed(&self) -> bool {
        false
    }
    /// Undoes what a script changed in the session: role, search path, settings, temporary objects.
    /// Ends an open transaction by rolling it back and says so with `true`.
    async fn reset(&mut self) -> Result<bool, DatabaseError>;

    /// Applied versions, in any order; `None` when the bookkeeping tables do not exist. Only reads.
    async fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError>;
    /// Unfinished attempts. Only reads; empty when the tables do not exist.
    async fn journal(&mut self) -> Result<Vec<JournalRow>, DatabaseError>;
    /// Full history, in any order. Only reads; empty when the tables do not exist.
    async fn history(&mut self) -> Result<Vec<HistoryRow>, DatabaseError>;
    /// Audit rows, oldest first, of one version or all. Only reads; empty when the tables do not exist.
    async fn audit_trail(
        &mut self,
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError>;

    /// An error when the bookkeeping tables are of a newer forerun. Only reads; none when they do not exist. Taking the lock
    /// has it too.
    async fn check_format(&mut self) -> Result<(), DatabaseError>;
    /// Whether a run has ever brought the database to the end of a directory (its entry `run.finished` of the audit has `ok`
    /// and leaves nothing for later), or versions were declared present or taken over (`baseline…`, `adopt…`). Only reads;
    /// `false` when the tables do not exist.
    async fn was_ever_complete(&mut self) -> Result<bool, DatabaseError>;

    /// All deployments, in any order. Only reads; empty when the tables do not exist, or are of a time before there were
    /// any.
    async fn deployments(&mut self) -> Result<Vec<Deployment>, DatabaseError>;
    /// The applied contract migrations that say since when nothing uses what they took away. Only reads, likewise.
    async fn floor_marks(&mut self) -> Result<Vec<FloorMark>, DatabaseError>;
    /// Who else is connected to this database, without forerun's own sessions. Where the server does not tell, that is the
    /// answer and no error.
    async fn client_sessions(&mut self) -> Result<ClientSessions, DatabaseError>;

    /// One try to take the runner lock: never blocks in the server. Creates or upgrades the bookkeeping
    /// tables under it. Takes over the lease of a session that is gone or has let it expire, after ending
    /// that session.
    async fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError>;
    /// Who holds the lock. Only reads.
    async fn holder(&mut self) -> Result<Option<Holder>, DatabaseError>;
    /// Gives the lock back. Does nothing when it is no longer ours.
    async fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError>;
    /// Ends another holder: terminates its session where it still exists and clears its lease.
    async fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError>;

    /// Records a version as applied, in the open transaction, if the lease is still ours; removes its journal.
    async fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError>;
    /// Removes a version from the history, in the open transaction, if the lease is still ours.
    async fn record_reverted(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError>;
    /// Writes what ends migrations, if the lease is still ours. The caller commits, or rolls back.
    async fn record(&mut self, lease: &Lease, record: Record<'_>) -> Result<Fenced, DatabaseError> {
        record_piece_by_piece(self, lease, record).await
    }
    /// [`Session::record`] and [`Session::commit`], in fewer messages where the session knows how. After anything but
    /// [`CommitOutcome::Committed`] the caller rolls back.
    async fn record_and_commit(
        &mut self,
        lease: &Lease,
        record: Record<'_>,
    ) -> Result<RecordOutcome, DatabaseError> {
        record_then_commit(self, lease, record).await
    }
    /// How many migrations [`Session::apply_together`] takes now; less than two where it has nothing to offer.
    fn most_together(&self) -> usize {
        1
    }
    /// Runs, records and commits migrations that only create tables, without a wait between them: each in a transaction
    /// of its own, or all in one and each behind a savepoint. None is applied unless the lease is still ours and the one
    /// before it is applied. After an error of the server nothing is left of the others.
    async fn apply_together(
        &mut self,
        _lease: &Lease,
        _limits: Timeouts,
        _migrations: &[Together<'_>],
    ) -> TogetherOutcome {
        TogetherOutcome::default()
    }
    /// Replaces the checksums of an applied version, in the open transaction, if the lease is still ours.
    async fn record_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError>;
    /// Writes a deployment, new or changed, if the lease is still ours: in the open transaction, else in one of its own.
    async fn write_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError>;
    /// Writes the progress of an attempt (one row per version), if the lease is still ours: in the open
    /// transaction, else in one of its own.
    async fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError>;
    /// Removes the progress of a version, likewise.
    async fn clear_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError>;
    /// Appends to the audit: in the open transaction, else in one of its own.
    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError>;

    /// What exists in the database: tables, keys, indexes, views, without forerun's own. Only reads, outside of a
    /// transaction; waits for no lock, and gives up after 30 seconds.
    async fn catalog(&mut self) -> Result<Catalog, DatabaseError>;
    /// Catalog state of what the statement names.
    async fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError>;
    /// Whether the server refused a failed statement that commits by itself before any of it ran: its parser, or the rights of
    /// the user. Where that is not certain: no.
    async fn refused_unrun(
        &mut self,
        _statement: &Classification,
        _sql: &str,
        _error: &DatabaseError,
    ) -> bool {
        false
    }
    /// Drops the invalid leftovers of a concurrent index build; returns their names. Before a build there are no `limits`: it
    /// waits for old transactions, and for somebody else's build of the same index. After one that failed it keeps to
    /// them, or does nothing where it cannot.
    async fn drop_invalid_indexes(
        &mut self,
        statement: &Classification,
        sql: &str,
        limits: Option<Timeouts>,
    ) -> Result<Vec<String>, DatabaseError>;
    /// Name of an index that the statement built and that is not valid, if there is one.
    async fn invalid_index(
        &mut self,
        statement: &Classification,
        sql: &str,
    ) -> Result<Option<String>, DatabaseError>;
}

/// [`Session::record`] with the other methods, for sessions that have no shorter way.
///
/// # Errors
/// Of the first one that fails.
pub async fn record_piece_by_piece<S: Session + ?Sized>(
    session: &mut S,
    lease: &Lease,
    record: Record<'_>,
) -> Result<Fenced, DatabaseError> {
    if let Some(timeouts) = record.begin {
        session.begin(timeouts).await?;
    }
    let mut fenced = Fenced::Written;
    for change in record.changes {
        if fenced == Fenced::Written {
            fenced = match change {
                Change::Applied(row) => session.record_applied(lease, row).await?,
                Change::Reverted(version) => session.record_reverted(lease, version).await?,
            };
        }
    }
    for next in record.announced {
        if fenced == Fenced::Written {
            fenced = session.write_journal(lease, next).await?;
        }
    }
    if fenced == Fenced::Written {
        session.audit(record.audit).await?;
    }
    Ok(fenced)
}

/// [`Session::record_and_commit`] with the two methods.
///
/// # Errors
/// Of the record.
pub async fn record_then_commit<S: Session + ?Sized>(
    session: &mut S,
    lease: &Lease,
    record: Record<'_>,
) -> Result<RecordOutcome, DatabaseError> {
    Ok(match session.record(lease, record).await? {
        Fenced::Written => RecordOutcome::Ended(session.commit().await),
        refused => RecordOutcome::Refused(refused),
    })
}

/// Stops what a session is executing, on the server; the session's own call then returns
/// [`ErrorKind::Cancelled`].
#[async_trait]
pub trait Canceller: Send + Sync {
    /// Asks the server to cancel. Best effort: the statement may have ended already.
    async fn cancel(&self) -> Result<(), DatabaseError>;
}

/// The second connection of a run.
#[async_trait]
pub trait Monitor: Send {
    /// Prolongs the lease; `false` when it is no longer ours.
    async fn heartbeat(&mut self, lease: &Lease) -> Result<bool, DatabaseError>;
    /// Sessions that the session `backend` waits for.
    async fn blockers(&mut self, backend: &str) -> Result<Vec<Blocker>, DatabaseError>;
    /// Appends to the audit in a transaction of its own.
    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError>;
}

/// A session that holds a lock we wait for.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Blocker {
    /// Server-side id.
    pub backend: String,
    /// Its database user.
    pub user: String,
    /// What it calls itself.
    pub application: String,
    /// Where it comes from.
    pub client: String,
    /// What it does: `idle in transaction`, `active`.
    pub state: String,
    /// Age of its transaction in seconds.
    pub transaction_seconds: Option<i64>,
    /// Its current or last statement, shortened to 200 characters.
    pub query: String,
}

impl Blocker {
    /// The same without secrets in its statement.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.query = mask_text(&self.query);
        self
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}", self.backend, self.user)?;
        for part in [&self.application, &self.client, &self.state] {
            if !part.is_empty() {
                write!(formatter, ", {part}")?;
            }
        }
        if let Some(seconds) = self.transaction_seconds {
            write!(formatter, ", transaction open for {seconds}s")?;
        }
        write!(formatter, ")")?;
        if !self.query.is_empty() {
            write!(formatter, ": {}", self.query)?;
        }
        Ok(())
    }
}

/// What went wrong, in the terms the engine decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Nobody answers, the name does not resolve, the server is starting or stopping, too many connections.
    Unreachable,
    /// User or password refused.
    Authentication,
    /// The database does not exist, TLS does not match, an option is wrong: waiting does not help.
    Configuration,
    /// The connection ended while in use, or was terminated.
    ConnectionLost,
    /// A lock was not obtained in time.
    LockTimeout,
    /// Chosen as the victim of a deadlock or a serialization failure.
    Deadlock,
    /// The statement ran longer than allowed.
    StatementTimeout,
    /// Cancelled on request.
    Cancelled,
    /// The server or file accepts no writes.
    ReadOnly,
    /// No space left.
    DiskFull,
    /// The server refused the statement.
    Statement,
    /// What the server sent cannot be understood: bookkeeping tables of a newer version, protocol errors.
    Unexpected,
}

impl ErrorKind {
    /// Worth another try of the same unit of work, after it was rolled back.
    pub fn is_lock_trouble(self) -> bool {
        matches!(self, Self::LockTimeout | Self::Deadlock)
    }
}

/// An error of the database, complete enough to be shown with the SQL that caused it.
#[derive(Debug, Clone, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct DatabaseError {
    /// Decides what happens next.
    pub kind: ErrorKind,
    /// SQLSTATE or the server's own number.
    pub code: Option<String>,
    /// The server's sentence, without secrets.
    pub message: String,
    /// More detail, from the server.
    pub detail: Option<String>,
    /// Advice: from the server, or ours.
    pub hint: Option<String>,
    /// Where in a function or procedure it happened.
    pub context: Option<String>,
    /// Byte offset in the statement that was sent.
    pub position: Option<usize>,
}

impl DatabaseError {
    /// An error with a message only.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            detail: None,
            hint: None,
            context: None,
            position: None,
        }
    }

    /// The bookkeeping tables are of a format that this build does not know.
    pub fn newer_format(format: i64) -> Self {
        let known = crate::history::TABLES_FORMAT;
        Self::new(
            ErrorKind::Unexpected,
            format!(
                "the bookkeeping tables were written by a newer forerun (format {format}, this build knows {known}): \
                 use that version"
            ),
        )
    }

    /// The same without secrets of `sql`, the statement that it is about.
    #[must_use]
    pub fn masked(mut self, sql: &str) -> Self {
        self.message = mask_text_about(&self.message, sql);
        for text in [&mut self.detail, &mut self.hint, &mut self.context]
            .into_iter()
            .flatten()
        {
            *text = mask_text_about(text, sql);
        }
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
