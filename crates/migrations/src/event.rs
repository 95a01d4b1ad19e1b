//! Everything that can happen in a run, and the only way out of the engine.
//!
//! Consumers (terminal, JSON lines, termination message) implement [`Events`]. The JSON form is documented in
//! `docs/reference/events.md` and versioned by [`EVENTS_FORMAT`]: fields are added, never renamed.

use std::time::Duration;

use serde::Serialize;

use crate::database::{Blocker, DatabaseError, Holder, Notice};
use crate::history::Version;
use crate::ledger::Floor;
use crate::plan::{HeldReason, Mode};

/// Version of the JSON form of events and results.
pub const EVENTS_FORMAT: u32 = 1;

/// Takes events as they happen. Must not block for long: the run waits for it.
pub trait Events: Send + Sync {
    /// One event.
    fn emit(&self, event: &Event);
}

/// Something that happened. Durations are seconds as numbers in JSON.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    RunStarted {
        /// Random id of the run.
        run_id: String,
        /// `migrate up`.
        command: String,
        /// Database, without secrets.
        target: String,
        /// Directory, where one is used.
        directory: Option<String>,
        /// Release being deployed.
        release: Option<String>,
    },
    /// The database does not answer yet; the run goes on trying.
    DatabaseWaiting {
        /// Time since the first try.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
        /// What the last try said.
        error: DatabaseError,
    },
    /// Another runner holds the lock. Repeated while waiting, at least every ten seconds.
    LockWaiting {
        /// Time since the first try.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
        /// Who holds it, once known.
        holder: Option<Holder>,
    },
    /// The runner lock is ours.
    LockAcquired {
        /// Time it took.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
        /// Fencing token.
        token: i64,
        /// A transaction pooler is in between: the lease row alone guards the run.
        pooled: bool,
    },
    /// The lock was taken over from a runner that died or went silent.
    LockTakenOver {
        /// The former holder.
        holder: Holder,
    },
    /// What is going to be done.
    Planned {
        /// Migrations to run.
        pending: usize,
        /// Versions in the history.
        applied: usize,
        /// Bytes of the scripts to run.
        bytes: u64,
    },
    /// Something a person should know and that does not stop the run.
    Warning {
        /// Stable word: `database_ahead`, `comment_changed`.
        code: &'static str,
        /// One sentence.
        message: String,
    },
    /// The release is in the ledger: it may run beside the one before it until `migrate deployed` closes it.
    DeploymentOpened {
        /// Number of the deployment.
        deployment: i64,
        /// Its release.
        release: String,
        /// The release that was completed last.
        previous_release: Option<String>,
        /// It was there already: its run is repeated.
        reopened: bool,
    },
    /// A deployment is completed: only its release runs now.
    DeploymentClosed {
        /// Number of the deployment.
        deployment: i64,
        /// Its release.
        release: String,
        /// Releases whose deployments were never completed, and now never will be.
        superseded: Vec<String>,
        /// It was closed before.
        already: bool,
    },
    /// A contract migration has to wait; the run stops before the first one.
    Held {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Which conditions are missing: `gate`, its facts, and a `message`.
        reasons: Vec<HeldReason>,
        /// File names of pending migrations behind the first one, which the release needs and which wait for it.
        waiting: Vec<String>,
    },
    /// A contract migration runs although it should wait, because somebody accepts the downtime.
    GateOverridden {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// What `--accept-downtime` said.
        reason: String,
        /// Which conditions are missing.
        gates: Vec<HeldReason>,
    },
    /// This release is older than what the database can serve.
    BelowFloor {
        /// The release.
        release: String,
        /// The oldest release that may run, and the migration that made it so.
        floor: Floor,
    },
    /// A migration begins. One per migration, also when it is tried several times.
    MigrationStarted {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Position in this run, from 1.
        number: usize,
        /// Migrations of this run.
        total: usize,
        /// One transaction, or statement by statement.
        mode: Mode,
        /// Statements of the script.
        statements: u64,
        /// Bytes of the script.
        bytes: u64,
        /// Statements an earlier attempt has done.
        resumed_after: Option<i64>,
    },
    /// A statement begins.
    StatementStarted {
        /// Version.
        version: Version,
        /// Number in the script, from 1.
        statement: u64,
        /// What it is: `CREATE TABLE`.
        verb: String,
        /// Line in the script.
        line: u64,
    },
    /// How far the script has been read; on long scripts, a few times a second.
    Progress {
        /// Version.
        version: Version,
        /// Bytes of the script sent.
        bytes_done: u64,
        /// Bytes of the script.
        bytes_total: u64,
    },
    /// A notice of the server.
    Notice {
        /// Version.
        version: Version,
        /// Number of the statement.
        statement: u64,
        /// What it said.
        #[serde(flatten)]
        notice: Notice,
    },
    /// A statement waits for a lock that others hold.
    Blocked {
        /// Version.
        version: Version,
        /// Number of the statement.
        statement: u64,
        /// Time it has run so far.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
        /// Who holds the lock.
        blockers: Vec<Blocker>,
    },
    /// A try failed on a lock or deadlock; everything it did is rolled back and it is tried again.
    Retrying {
        /// Version.
        version: Version,
        /// Number of the statement that failed.
        statement: u64,
        /// The try that failed, from 1.
        attempt: i64,
        /// Why.
        error: DatabaseError,
        /// Pause before the next try.
        #[serde(serialize_with = "seconds")]
        pause: Duration,
        /// What is left of the retry budget.
        #[serde(serialize_with = "seconds")]
        budget_left: Duration,
    },
    /// A statement left open by an earlier run was settled.
    Settled {
        /// Version.
        version: Version,
        /// Number of the statement.
        statement: i64,
        /// Whether it had taken effect.
        done: bool,
        /// How it was found out.
        how: &'static str,
    },
    /// An invalid index left by an earlier concurrent build was dropped.
    InvalidIndexDropped {
        /// Version.
        version: Version,
        /// Index.
        index: String,
    },
    /// A migration is recorded.
    MigrationFinished {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Time from its first statement to the commit.
        #[serde(serialize_with = "seconds")]
        duration: Duration,
        /// Statements executed in this run.
        statements: u64,
        /// Tries it took.
        attempts: i64,
    },
    /// Somebody asked the run to end; it is cancelling and cleaning up.
    Stopping {
        /// Why, in words: `SIGTERM received`.
        reason: String,
    },
    /// The run is over.
    RunFinished {
        /// Exit code.
        exit_code: u8,
        /// Stable word: `applied`, `up_to_date`, `failed`.
        outcome: &'static str,
        /// Migrations applied or reverted.
        migrations: usize,
        /// Time of the whole run.
        #[serde(serialize_with = "seconds")]
        duration: Duration,
        /// One sentence.
        message: String,
    },
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Microseconds are enough, and keep the text short.
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e6)
}
