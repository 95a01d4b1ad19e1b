//! What the database remembers: rows of the bookkeeping tables, as plain data.
//!
//! The drivers read and write them; `docs/reference/tables.md` documents the columns.

pub mod foreign;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Version of the bookkeeping tables this build reads and writes, stored in `forerun_lock.format`.
pub const TABLES_FORMAT: i32 = 2;

/// Longest text of a version, in characters; what the bookkeeping tables hold.
pub const VERSION_CHARACTERS: usize = 255;

/// What identifies a migration: a number such as `7`, one with dots such as `1.10.2`, or a name.
///
/// Numbers are compared part by part, and a part that is missing is 0: `7`, `0007` and `7.0` are the same version, and
/// `1.9` comes before `1.10`. Names, which some layouts give to migrations without a number, come after all numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(Arc<str>);

impl Version {
    /// From digits, or numbers with dots between them; `None` when it is neither, or longer than
    /// [`VERSION_CHARACTERS`].
    pub fn parse(text: &str) -> Option<Self> {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() > VERSION_CHARACTERS || !text.split('.').all(is_number) {
            return None;
        }
        let mut canonical = String::with_capacity(text.len());
        // Where the text would end if all parts that follow were 0.
        let mut end = 0;
        for part in text.split('.') {
            let digits = part.trim_start_matches('0');
            if !canonical.is_empty() {
                canonical.push('.');
            }
            canonical.push_str(if digits.is_empty() { "0" } else { digits });
            if !digits.is_empty() || end == 0 {
                end = canonical.len();
            }
        }
        canonical.truncate(end);
        Some(Self(canonical.into()))
    }

    /// A migration that has no number. `None` when the text is empty, begins like a number, or is longer than
    /// [`VERSION_CHARACTERS`].
    pub fn named(name: &str) -> Option<Self> {
        let first = name.chars().next()?;
        let fits = name.chars().count() <= VERSION_CHARACTERS;
        (fits && !first.is_ascii_digit()).then(|| Self(name.into()))
    }

    /// From the text that [`Version::as_str`] gave.
    pub fn from_stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// As stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a number, with or without dots.
    pub fn is_number(&self) -> bool {
        self.0
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    }
}

impl From<u32> for Version {
    fn from(number: u32) -> Self {
        Self(number.to_string().into())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_number(), other.is_number()) {
            (true, true) => {}
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => return self.0.cmp(&other.0),
        }
        // Without leading zeros the longer number is the larger one.
        let by_size =
            |left: &str, right: &str| left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if !self.0.contains('.') && !other.0.contains('.') {
            return by_size(&self.0, &other.0);
        }
        let (mut left, mut right) = (self.0.split('.'), other.0.split('.'));
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(left), Some(right)) => by_size(left, right),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
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

/// Whether a migration only adds, or takes away what an earlier release of the application may still use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// What runs now and what is being deployed can both live with it.
    #[default]
    Expand,
    /// It has the directive `forerun:contract`: it waits until nothing uses what it takes away.
    Contract,
}

impl Phase {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Contract => "contract",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "expand" => Some(Self::Expand),
            "contract" => Some(Self::Contract),
            _ => None,
        }
    }
}

impl fmt::Display for Phase {
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
    /// Another tool had applied it (`migrate adopt`).
    Adopted,
}

impl Origin {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Baseline => "baseline",
            Self::Adopted => "adopted",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "applied" => Some(Self::Applied),
            "baseline" => Some(Self::Baseline),
            "adopted" => Some(Self::Adopted),
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
    /// Whether it takes away what an earlier release may use.
    pub phase: Phase,
    /// Of a contract migration: the first release that does not use what it takes away, if the script says so.
    pub unused_since: Option<String>,
    /// The deployment that was open, as in `forerun_deployment`; `None` when the run had no release.
    pub deployment: Option<i64>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn spellings_of_one_number_are_one_version() {
        for (one, other) in [
            ("7", "0007"),
            ("1.0", "1"),
            ("1.0.0", "01"),
            ("0", "000.0"),
            ("1.00.2", "1.0.2"),
        ] {
            assert_eq!(version(one), version(other));
        }
        assert_eq!(version("0010.020.0").as_str(), "10.20");
        assert_eq!(version("0").as_str(), "0");
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "1..2",
            "v1",
            "-1",
            "1 ",
            &"1".repeat(256),
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_part_by_part_and_come_before_names() {
        let ordered = [
            "0",
            "0.1",
            "1",
            "1.2",
            "1.10",
            "2",
            "10",
            "20260101120000",
            "99999999999999999999",
        ];
        let mut versions: Vec<Version> = ordered.iter().rev().map(|text| version(text)).collect();
        versions.push(Version::named("R__b").unwrap());
        versions.insert(0, Version::named("R__a").unwrap());
        versions.sort();
        let sorted: Vec<&str> = versions.iter().map(Version::as_str).collect();
        assert_eq!(sorted, [&ordered[..], &["R__a", "R__b"]].concat());
    }

    #[test]
    fn a_name_cannot_be_taken_for_a_number() {
        assert_eq!(Version::named("7a"), None);
        assert_eq!(Version::named(""), None);
        assert!(!Version::named("ann:1").unwrap().is_number());
    }
}
