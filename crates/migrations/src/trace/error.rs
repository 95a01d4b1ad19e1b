//! Why a trace ended early.

use std::path::PathBuf;

use forerun_sql::Position;

use crate::database::DatabaseError;
use crate::error::RunError;

/// Why a trace ended early. The target is untouched in every case.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The scratch database holds something.
    #[error(
        "the scratch database {scratch} is not empty: it has {}",
        listed(found)
    )]
    NotEmpty {
        /// Which.
        scratch: String,
        /// What is in it, by name.
        found: Vec<String>,
    },
    /// The scratch database is the target.
    #[error("the scratch database {scratch} is the target itself")]
    IsTarget {
        /// Which.
        scratch: String,
    },
    /// A statement failed on the scratch database.
    #[error("{script}: {error}")]
    Statement {
        /// File name.
        script: String,
        /// Path.
        path: PathBuf,
        /// Where the statement is.
        position: Position,
        /// Its text.
        sql: String,
        /// What the server said.
        error: Box<DatabaseError>,
        /// It belongs to a migration that the target has already.
        earlier: bool,
    },
    /// A condition of a migration does not hold on the scratch database.
    #[error("{script}: its condition in line {line} expects {expected} and found {found}")]
    Condition {
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
    /// The run was told to end.
    #[error("{reason}")]
    Stopped {
        /// By a signal, or the time limit.
        reason: Box<RunError>,
        /// What is left in the scratch database.
        left: Left,
    },
    /// The scratch database could not be emptied.
    #[error("the scratch database {scratch} could not be emptied: {error}")]
    NotCleared {
        /// Which.
        scratch: String,
        /// What the server said.
        error: Box<DatabaseError>,
    },
}

/// What is in the scratch database after a trace that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// What was there before: it was not touched.
    Untouched,
    /// Nothing: it was emptied.
    Nothing,
    /// What the migrations made: it could not be emptied.
    Something,
}

/// A few names, and how many there are.
fn listed(found: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match found.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
