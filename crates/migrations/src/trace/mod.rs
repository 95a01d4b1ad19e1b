//! Asks the server: runs migrations on a scratch database and reports what the server did for each statement.
//!
//! What a statement locks, reads and writes anew depends on the server's version, on column types and on what earlier
//! migrations have made. Here nobody reasons about it: the statements run, and a driver ([`Observer`]) looks at what
//! happened. Only ever on a scratch database, which is empty before and after; [`Runner::trace`](crate::executor::Runner::trace)
//! sees to that. Nothing here knows a product, and nothing here touches the target.

mod beyond;
mod error;
mod findings;
mod observer;
mod tracer;

use serde::Serialize;

use forerun_sql::Position;
use forerun_sql::effect::Effect;

pub use error::{Left, TraceError};
pub use findings::findings;
pub use observer::{Observation, Observer, Place};
pub use tracer::{Failure, How, Tracer};

use crate::database::ServerInfo;
use crate::history::Version;

/// What the server did for the migrations of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// The server of the scratch database.
    pub server: ServerInfo,
    /// Earlier migrations that were run first, without looking.
    pub earlier: usize,
    /// The migrations, in order.
    pub migrations: Vec<TracedMigration>,
}

/// What the server did for one migration.
#[derive(Debug, Clone, Serialize)]
pub struct TracedMigration {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Its statements, in order.
    pub statements: Vec<TracedStatement>,
    /// Why it was not run, where a condition of it does not hold on the scratch database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// What the server did for one statement.
#[derive(Debug, Clone, Serialize)]
pub struct TracedStatement {
    /// Its number in the script, from 1.
    pub statement: u64,
    /// Where it begins.
    #[serde(flatten)]
    pub position: Position,
    /// Its leading keywords.
    pub verb: String,
    /// Its first characters, on one line.
    pub preview: String,
    /// Where `effects` come from.
    pub source: Source,
    /// The server was looked at while it ran.
    #[serde(skip)]
    pub watched: bool,
    /// What happened to tables that were there before the traced migrations.
    pub effects: Vec<Effect>,
    /// Locks of earlier statements of the same transaction, which others wait for while this one works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Effect>,
    /// More about it: the algorithm that the server took, or why nothing was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where effects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The server was seen doing it.
    Observed,
    /// The statement ran, but not all of it could be seen: locks are as the manual says.
    Documented,
    /// The statement was not run; as the manual says.
    NotRun,
}

impl TracedStatement {
    /// The effects for which others wait as long as a table is large.
    pub fn long_blocking(&self) -> impl Iterator<Item = &Effect> {
        let all = self.effects.iter().chain(&self.held);
        all.filter(|effect| effect.is_long_blocking())
    }
}
