//! What the database remembers: rows of the bookkeeping tables, as plain data.
//!
//! The drivers read and write them; `docs/reference/tables.md` documents the columns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Version of the bookkeeping tables this build reads and writes, stored in `forerun_lock.format`.
pub const TABLES_FORMAT: i32 = 1;

/// Version of a migration: the number in front of its file name. `7` and `0007` are the same version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    /// From digits; `None` when it is not a number from 0 to 9223372036854775807.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(Self)
    }

    /// From a stored number.
    pub fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// As stored: databases have no unsigned 64-bit type in common.
    pub fn as_stored(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a migration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Tables, indexes and the like.
    #[default]
    Schema,
    /// Rows.
    Data,
}

impl Kind {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Data => "data",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "schema" => Some(Self::Schema),
            "data" => Some(Self::Data),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// How a version came into the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Its script ran.
    Applied,
    /// It was declared to be present already (`migrate baseline`).
    Baseline,
}

impl Origin {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Baseline => "baseline",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "applied" => Some(Self::Applied),
            "baseline" => Some(Self::Baseline),
            _ => None,
        }
    }
}

/// Digests of a script, lower-case hex of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// Of the text without byte order mark and with LF line ends: what is compared.
    pub normalized: String,
    /// Of the bytes.
    pub raw: String,
    /// Of the SQL without comments and layout: tells a changed comment from a changed statement.
    pub sql: String,
}

/// The part of a history row that planning needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedVersion {
    /// Version.
    pub version: Version,
    /// File name it was applied from.
    pub script: String,
    /// How it came here.
    pub origin: Origin,
    /// Digests at that time; empty texts for a baseline without a file.
    pub checksums: Checksums,
}

/// A row of `forerun_history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// Version.
    pub version: Version,
    /// Words of the file name.
    pub description: String,
    /// File name.
    pub script: String,
    /// Schema or data.
    pub kind: Kind,
    /// `expand` or `contract`.
    pub phase: String,
    /// How it came here.
    pub origin: Origin,
    /// Digests of the script.
    pub checksums: Checksums,
    /// Statements executed.
    pub statements: i64,
    /// Start, UTC, RFC 3339. Written by forerun's clock.
    pub started_at: String,
    /// End, UTC, RFC 3339. Written by forerun's clock.
    pub finished_at: String,
    /// Milliseconds from start to the record.
    pub duration_ms: i64,
    /// Run that did it.
    pub run_id: String,
    /// Release that was being deployed.
    pub release: Option<String>,
    /// User and host.
    pub applied_by: String,
    /// Version of forerun.
    pub tool_version: String,
}

/// A row of `forerun_journal`: how far an unfinished attempt came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalRow {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Whether the up or the down script is being run.
    pub direction: Direction,
    /// Statements that are done, counted from the start of the script.
    pub statements_done: i64,
    /// Digest of the SQL of these statements: the part of the script that must not change any more.
    pub prefix_checksum: String,
    /// A statement (1-based) that was started and whose end was never recorded.
    pub in_doubt: Option<InDoubt>,
    /// First start of the migration, UTC, RFC 3339.
    pub started_at: String,
    /// Run that wrote this.
    pub run_id: String,
}

/// A statement whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InDoubt {
    /// Its number in the script, from 1.
    pub statement: i64,
    /// Catalog fingerprint before it ran (`definition:<digest>`, `repeatable`, `unknown`).
    pub fingerprint: String,
    /// A person's answer, given with `migrate repair`: it ran, or it did not.
    pub answer: Option<bool>,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Apply.
    Up,
    /// Revert.
    Down,
}

impl Direction {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            _ => None,
        }
    }
}

/// One thing to append to `forerun_audit`. Who and when are added by the driver.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// What happened, a stable word such as `run.started` or `lock.retry`.
    pub event: &'static str,
    /// Version concerned.
    pub version: Option<Version>,
    /// Statement concerned, from 1.
    pub statement: Option<i64>,
    /// Try of this migration, from 1.
    pub attempt: Option<i64>,
    /// One sentence.
    pub message: String,
    /// More, as JSON.
    pub detail: serde_json::Value,
}

/// A row of `forerun_audit`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    /// Order of arrival.
    pub id: i64,
    /// When, UTC, RFC 3339, by the server's clock.
    pub at: String,
    /// Run.
    pub run_id: String,
    /// What happened.
    pub event: String,
    /// Version concerned.
    pub version: Option<Version>,
    /// Statement concerned.
    pub statement: Option<i64>,
    /// Try of this migration.
    pub attempt: Option<i64>,
    /// One sentence.
    pub message: String,
    /// More, as JSON.
    pub detail: serde_json::Value,
    /// User.
    pub actor: String,
    /// Host or pod.
    pub host: String,
    /// Release.
    pub release: Option<String>,
    /// Version of forerun.
    pub tool_version: String,
}
