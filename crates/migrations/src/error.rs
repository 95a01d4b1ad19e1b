//! Why a run ended early.
//!
//! Data in fields; sentences, hints and exit codes are made in one place, `command_error.rs` of the CLI.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use forerun_sql::{Position, format_duration};
use serde::Serialize;

use crate::database::{Blocker, DatabaseError, Holder};
use crate::directory::{DirectoryError, SumMismatch};
use crate::executor::signal_name;
use crate::history::{Direction, Version};
use crate::ledger::{CloseProblem, Floor};
use crate::lint::Finding;
use crate::number::count;
use crate::plan::{Conflict, Held};

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The directory cannot be used as it is.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The directory is not what its `forerun.sum` says.
    #[error("{0}")]
    Sum(SumMismatch),
    /// The database could not be reached or read; nothing was changed by the step that failed.
    #[error("{doing}: {error}")]
    Database {
        /// What was being done: `connecting`, `reading the history`.
        doing: &'static str,
        /// What the database said.
        error: DatabaseError,
    },
    /// History and directory contradict each other.
    #[error("{} between the history and the directory", count(.0.len(), "conflict"))]
    Conflict(Vec<Conflict>),
    /// A safety rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The history of another tool cannot be taken over as it is.
    #[error("{} with the history of {title} in {table}", count(problems.len(), "problem"))]
    Adoption {
        /// The tool.
        title: &'static str,
        /// Its table.
        table: String,
        /// What stands in the way.
        problems: Vec<crate::history::foreign::Problem>,
    },
    /// Another tool kept its own lock.
    #[error("the lock of {title} was not obtained within {}s", waited.as_secs())]
    OtherLockNotObtained {
        /// The tool.
        title: &'static str,
        /// Time waited.
        waited: Duration,
        /// Who holds it, when known.
        holder: Option<String>,
    },
    /// Another runner kept the lock.
    #[error("the runner lock was not obtained within {}s", waited.as_secs())]
    LockNotObtained {
        /// Time waited.
        waited: Duration,
        /// Who holds it, when known.
        holder: Option<Holder>,
    },
    /// The lock was lost: another runner may have taken over.
    #[error("the runner lock was lost")]
    LeaseLost {
        /// The migration that was being run, if any.
        version: Option<Version>,
    },
    /// A migration failed.
    #[error("{} failed: {}", .0.script, .0.error)]
    Migration(Box<MigrationFailure>),
    /// An assertion of a migration does not hold; nothing was changed.
    #[error("{script}: assertion failed: {message}")]
    Assertion {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Path.
        path: PathBuf,
        /// Where the query is.
        position: Position,
        /// What was asserted.
        message: String,
        /// First row the query returned.
        row: String,
    },
    /// A condition of a migration does not hold; nothing of it was run.
    #[error("{script}: its condition in line {line} expects {expected} and found {found}")]
    Condition {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Path.
        path: PathBuf,
        /// Where the condition is.
        line: u64,
        /// What it expects.
        expected: String,
        /// What the query returned.
        found: String,
    },
    /// The script ended forerun's transaction, so a part of it may be committed.
    #[error("{script} ended the transaction it runs in")]
    TransactionEnded {
        /// Version.
        version: Version,
        /// File name.
        script: String,
    },
    /// A statement of an earlier run has an unknown outcome that only a person can settle.
    #[error("{script}: the outcome of statement {statement} is unknown")]
    InDoubt {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Path.
        path: PathBuf,
        /// Number of the statement.
        statement: i64,
        /// Where it is.
        position: Position,
        /// Its text, shortened.
        sql: String,
    },
    /// A script that is resumed uses a user variable whose value went with the session of the earlier attempt.
    #[error("{script} uses @{name}, whose value is gone")]
    LostVariable {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Path.
        path: PathBuf,
        /// Where it is used.
        position: Position,
        /// Name of the variable, without `@`.
        name: String,
    },
    /// A signal ended the run; it was cleaned up.
    #[error("interrupted by {}{at}", signal_name(*signal))]
    Interrupted {
        /// Its number.
        signal: i32,
        /// Migrations finished before.
        finished: usize,
        /// What it ended.
        at: Box<StoppedAt>,
    },
    /// The time limit of the run was reached; it was cleaned up.
    #[error("the time limit of {} was reached{at}", format_duration(*limit))]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// Migrations finished before.
        finished: usize,
        /// What it ended.
        at: Box<StoppedAt>,
    },
    /// A trace on a scratch database.
    #[error(transparent)]
    Trace(Box<crate::trace::TraceError>),
    /// Contract migrations have to wait, and so does something that the release needs, or the run is strict. What came
    /// before them is done.
    #[error("{} is held: {}", first_script(.held), first_reason(.held))]
    Held {
        /// They, never empty.
        held: Vec<Held>,
        /// What this command had to run and stands behind the first of them, as file names.
        blocked: Vec<String>,
        /// Migrations finished before.
        finished: usize,
    },
    /// `migrate deployed` of a release whose migrations somebody is running.
    #[error("the migrations of release {release} are still running")]
    StillMigrating {
        /// The release.
        release: String,
        /// Who runs them.
        holder: Holder,
    },
    /// This release is older than what the database can serve.
    #[error("release {release} can no longer run: since {} the oldest is {}", floor.script, floor.release)]
    BelowFloor {
        /// The release.
        release: String,
        /// The oldest that may run.
        floor: Floor,
    },
    /// `wait` ran out.
    #[error("not up to date: {reason}")]
    NotUpToDate {
        /// What is missing.
        reason: String,
    },
}

/// What a run was at when it was told to end.
#[derive(Debug, Clone)]
pub enum StoppedAt {
    /// It waited for the database; nothing was run.
    Connecting {
        /// Why the last try had failed, if one had.
        last: Option<Box<DatabaseError>>,
    },
    /// It waited for the runner lock; nothing was run.
    WaitingForLock {
        /// Who holds it, when known.
        holder: Option<Box<Holder>>,
    },
    /// It waited for another tool to give back its own lock; nothing was recorded.
    WaitingForTool {
        /// The tool.
        title: &'static str,
    },
    /// It waited for others to bring the database up to date; that is all it does.
    WaitingForVersion {
        /// What was missing.
        missing: String,
    },
    /// It was between two migrations: none is half done.
    BetweenMigrations,
    /// It ran a migration.
    Migration {
        /// File name.
        script: String,
        /// Up or down.
        direction: Direction,
        /// What the database holds of it now.
        state: StateAfterFailure,
    },
}

impl fmt::Display for StoppedAt {
    /// What follows `interrupted by SIGTERM`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { last: None } => {
                formatter.write_str(" while connecting to the database")
            }
            Self::Connecting { last: Some(error) } => {
                write!(formatter, " while waiting for the database: {error}")
            }
            Self::WaitingForLock { holder: None } => {
                formatter.write_str(" while waiting for the runner lock")
            }
            Self::WaitingForLock {
                holder: Some(holder),
            } => write!(
                formatter,
                " while waiting for the runner lock, held by {holder}"
            ),
            Self::WaitingForTool { title } => write!(
                formatter,
                " while waiting for {title}, which holds its own lock"
            ),
            Self::WaitingForVersion { missing } => write!(formatter, " while waiting: {missing}"),
            Self::BetweenMigrations => Ok(()),
            Self::Migration { script, .. } => write!(formatter, " in {script}"),
        }
    }
}

/// A safety rule that forbids what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// `migrate data` while schema migrations come first.
    #[error("{} before the first pending data migration", schema_first(.0.len()))]
    SchemaFirst(Vec<String>),
    /// `migrate down` of something without a down script.
    #[error("no down script for {}", .0.join(", "))]
    NoDownScript(Vec<String>),
    /// `migrate down` of versions whose files this directory does not have.
    #[error("the directory does not have {}", versions(.0))]
    UnknownToDirectory(Vec<Version>),
    /// `migrate baseline` below what is recorded already.
    #[error("the history is not empty: its newest version is {newest}")]
    HistoryNotEmpty {
        /// Newest recorded version.
        newest: Version,
    },
    /// `migrate baseline` of a version without a file, where there are files before it.
    #[error("the directory has no file for version {version}")]
    NoFileForBaseline {
        /// What was asked for.
        version: Version,
        /// The newest before it that has a file.
        before: Version,
        /// The oldest after it that has one.
        after: Option<Version>,
    },
    /// `migrate deployed` of a deployment that is not to be closed.
    #[error("{} cannot be closed: {problem}", the_deployment(.release.as_deref()))]
    NotClosable {
        /// The release, if one was given.
        release: Option<String>,
        /// Why not.
        problem: Box<CloseProblem>,
    },
    /// What `migrate down` would revert changed while it waited for the lock.
    #[error(
        "the database changed while this run waited for the lock; it would not revert what it was asked to"
    )]
    PlanChanged,
    /// The linter has found what must not run.
    #[error("{}", stopped_by(.0))]
    Lint(Vec<Finding>),
    /// `unlock --force` of a holder that is alive.
    #[error("the holder of the lock is alive: {0}")]
    HolderAlive(Box<Holder>),
    /// What was to be repaired does not need it.
    #[error("{0}")]
    NothingToRepair(String),
    /// Running where another tool has a history and we have none.
    #[error("this database was migrated by {}", other_tools(.0))]
    OtherHistory(Vec<OtherTool>),
    /// `migrate adopt` without a history of another tool.
    #[error("there is no history of another tool in this database")]
    NoOtherHistory {
        /// Names of tables that were looked for.
        looked_for: Vec<String>,
    },
    /// `migrate adopt` where more than one tool has a history.
    #[error("this database was migrated by {}", other_tools(.0))]
    SeveralHistories(Vec<OtherTool>),
    /// `migrate adopt --table` of a table that is no history of a known tool.
    #[error("{table} is not the history of a tool that is known: it has the columns {}", columns.join(", "))]
    UnknownTable {
        /// The table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// `migrate adopt --undo` when something was applied since.
    #[error("{} was applied by forerun since the history was taken over", versions(.0))]
    AppliedSince(Vec<Version>),
}

/// A tool that has migrated the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherTool {
    /// Its name, as `--from` takes it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its table.
    pub table: String,
    /// How far it came, in a few words.
    pub summary: String,
}

/// `goose (goose_db_version, 12 applied) and by …`
fn other_tools(tools: &[OtherTool]) -> String {
    let described = |tool: &OtherTool| format!("{} ({}, {})", tool.title, tool.table, tool.summary);
    let described: Vec<String> = tools.iter().map(described).collect();
    described.join(" and by ")
}

fn the_deployment(release: Option<&str>) -> String {
    match release {
        Some(release) => format!("the deployment of release {release}"),
        None => "the newest deployment".to_owned(),
    }
}

fn first_script(held: &[Held]) -> &str {
    held.first().map_or("", |held| held.script.as_str())
}

fn first_reason(held: &[Held]) -> String {
    let reason = |held: &Held| match held.waiting_sentence() {
        Some(waiting) => format!("{}; {waiting}", held.sentences()),
        None => held.sentences(),
    };
    held.first().map(reason).unwrap_or_default()
}

/// `0007_x.sql would break the release that runs, or hold its requests up`
fn stopped_by(findings: &[Finding]) -> String {
    let mut scripts: Vec<&str> = findings
        .iter()
        .map(|finding| finding.script.as_str())
        .collect();
    scripts.dedup();
    format!(
        "{} would break the release that is running, or stop its requests for long",
        scripts.join(", ")
    )
}

fn schema_first(count: usize) -> String {
    match count {
        1 => "1 pending schema migration comes".to_owned(),
        _ => format!("{count} pending schema migrations come"),
    }
}

/// `version 3`, `versions 3, 4`.
fn versions(versions: &[Version]) -> String {
    let numbers: Vec<String> = versions.iter().map(ToString::to_string).collect();
    let noun = if versions.len() == 1 {
        "version"
    } else {
        "versions"
    };
    format!("{noun} {}", numbers.join(", "))
}

/// A migration that failed, with everything a person needs to find out why.
#[derive(Debug, Clone, Serialize)]
pub struct MigrationFailure {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Path.
    pub path: PathBuf,
    /// Up or down.
    pub direction: Direction,
    /// Number of the statement that failed, from 1; `None` when it was the commit or the record.
    pub statement: Option<u64>,
    /// Where that statement starts.
    pub position: Option<Position>,
    /// Its text, at most a few kilobytes.
    pub sql: String,
    /// What the database said.
    pub error: DatabaseError,
    /// Tries made.
    pub attempts: i64,
    /// Time spent on lock retries, when those were used up.
    pub retried_for: Option<Duration>,
    /// Who held the lock, when that was the trouble.
    pub blockers: Vec<Blocker>,
    /// What the database holds of this migration now.
    pub state: StateAfterFailure,
    /// An invalid index that a concurrent build left behind and that could not be dropped at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_invalid: Option<String>,
}

/// What the database holds of a migration that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAfterFailure {
    /// Nothing: the transaction was rolled back.
    RolledBack,
    /// The statements up to this number; the next run goes on after it.
    Partial {
        /// Statements done.
        statements_done: i64,
    },
    /// The statements up to this number, and perhaps the one after them; the next run finds out, or asks.
    InDoubt {
        /// Statements that are certainly done.
        statements_done: i64,
    },
    /// All of it: the commit had arrived before the connection was lost.
    Committed,
    /// Not known until the next run reads the history.
    Unknown,
}
