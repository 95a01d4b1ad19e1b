//! Runs things: connect → lock → is the plan still true → run → record → unlock.
//!
//! Each command of the engine is a method of [`Runner`], in a file of its own. They take plain options, tell what
//! happens as events and return plain reports; none of them prints, reads the environment or exits.

mod adopt;
mod announcement;
mod attempt;
mod baseline;
mod batch;
mod conditions;
mod connect;
mod deployments;
mod down;
mod gates;
mod guard;
mod inspect;
mod lint;
mod lock;
mod other_history;
mod past;
mod repair;
mod retry;
mod run;
mod statements;
mod stop;
mod stopped;
mod summaries;
mod trace;
mod transaction;
mod unlock;
mod up;
mod wait;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub use adopt::{AdoptOptions, AdoptReport, AdoptedVersion};
pub use deployments::{Deployed, Ledger};
pub use down::DownTo;
pub use guard::Guard;
pub use inspect::{PendingMigration, Status};
pub use lint::LintMode;
pub use repair::Repair;
pub use stop::{Stop, StopReason, StopSender, signal_name, stop_channel};
pub use trace::Watched;
pub use unlock::LockState;
pub use up::UpOptions;
pub use wait::WaitFor;

use crate::database::{Database, Identity};
use crate::event::Events;
use crate::history::{Direction, Kind, Version};
use crate::plan::Held;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Wait for the database to accept connections; zero: one try.
    pub connect_wait: Duration,
    /// Wait for the runner lock.
    pub lock_wait: Duration,
    /// Longest lock timeout of one try of a statement; the first tries are shorter.
    pub ddl_lock_timeout: Duration,
    /// Longest execution of one statement; `None`: no limit.
    pub statement_timeout: Option<Duration>,
    /// Sum of all tries and pauses after the first lock timeout of a unit of work.
    pub retry_budget: Duration,
    /// How long the lease lasts without a heartbeat.
    pub lease: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_wait: Duration::ZERO,
            lock_wait: Duration::from_secs(60),
            ddl_lock_timeout: Duration::from_secs(5),
            statement_timeout: None,
            retry_budget: Duration::from_secs(600),
            lease: Duration::from_secs(30),
        }
    }
}

/// Runs commands against one database.
pub struct Runner {
    /// The database.
    pub database: Arc<dyn Database>,
    /// Who runs.
    pub identity: Identity,
    /// How long things may take.
    pub limits: Limits,
    /// Where events go.
    pub events: Arc<dyn Events>,
    /// Told when the run must end.
    pub stop: Stop,
    /// Tells it: used when the lock is lost.
    pub stop_sender: StopSender,
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Migrations it ran, in order.
    pub migrations: Vec<FinishedMigration>,
    /// Pending ones that were left for later, as file names.
    pub left_for_later: Vec<String>,
    /// Contract migrations that have to wait; the run stopped before the first of them.
    pub held: Vec<Held>,
    /// What it had to run and stands behind the first of those, as file names.
    pub blocked: Vec<String>,
    /// Versions in the history now.
    pub applied: usize,
    /// Newest version in the history now.
    pub newest: Option<Version>,
}

/// How a run ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    UpToDate,
    /// There was something to do, and another runner did it while this one waited for the lock.
    DoneByAnother,
    /// It ran migrations.
    Done,
    /// It stopped before a contract migration that has to wait; what came before is done.
    Held,
}

/// A migration that a run has run.
#[derive(Debug, Clone, Serialize)]
pub struct FinishedMigration {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Schema or data.
    pub kind: Kind,
    /// Up or down.
    pub direction: Direction,
    /// Statements executed.
    pub statements: u64,
    /// Tries.
    pub attempts: i64,
    /// Seconds it took.
    pub seconds: f64,
}
