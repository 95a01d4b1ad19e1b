//! Histories of other tools: how each of ten remembers what it has applied.
//!
//! A history is one file here that implements [`PeerHistory`], and one line in the list below. It says which table is
//! the tool's, with which query to read it, what its rows mean, and how the tool keeps others away meanwhile. It
//! connects to nothing and decides nothing about our own history: [`mapping`] puts its entries beside a directory, and
//! `executor::adopt` carries that out. A peer's table is only ever read.

mod atlas;
pub(crate) mod checksum_atlas;
mod checksum_flyway;
pub(crate) mod checksum_liquibase;
mod checksum_refinery;
mod checksum_sqlx;
mod dbmate;
mod diesel;
mod flyway;
mod golang_migrate;
mod goose;
mod liquibase;
mod mapping;
#[cfg(test)]
mod mapping_tests;
mod one_number;
mod refinery;
mod sql;
mod sqlx;
mod table;
mod tern;
#[cfg(test)]
mod tests;

use forerun_sql::Dialect;

use super::Version;
use crate::directory::{DirectoryError, Migration, MigrationDirectory, ReadOptions};

pub use mapping::{Acceptance, Accepted, Adoption, Item, Problem, Recorded, map};
pub use table::{Table, TableName, read_tables, tables_query};

/// All histories.
static ALL: &[&dyn PeerHistory] = &[
    &atlas::Atlas,
    &dbmate::Dbmate,
    &diesel::Diesel,
    &flyway::Flyway,
    &golang_migrate::GolangMigrate,
    &goose::Goose,
    &liquibase::Liquibase,
    &refinery::Refinery,
    &sqlx::Sqlx,
    &tern::Tern,
];

/// The history of one tool.
pub trait PeerHistory: Sync {
    /// Its name, the same as that of its layout: lower case, words joined by `-`.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// Names that it gives to its table, in lower case.
    fn tables(&self) -> &'static [&'static str];

    /// Schemas (MySQL: databases) where its table may be although the connection does not look there.
    fn schemas(&self) -> &'static [&'static str] {
        &[]
    }

    /// Names, in lower case, of other tables of it that [`PeerHistory::lock`] wants to know about.
    fn companions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether a table is its own, by its columns: several tools use the same name.
    fn recognises(&self, table: &Table) -> bool;

    /// The query that reads its table.
    fn query(&self, place: &Place<'_>) -> String;

    /// How it keeps others away; empty where it does not.
    fn lock(&self, _place: &Place<'_>) -> PeerLock {
        PeerLock::default()
    }

    /// What the rows of [`PeerHistory::query`] say.
    fn state(&self, rows: &[Row]) -> State;

    /// For each entry the migration that it is about.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn find<'d>(
        &self,
        entries: &[Entry],
        files: Files<'d>,
    ) -> Result<Vec<Option<&'d Migration>>, DirectoryError> {
        let of = |entry: &Entry| files.directory.get(&entry.version);
        Ok(entries.iter().map(of).collect())
    }

    /// Whether files are what was applied, by the tool's own checksum.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn verify(
        &self,
        _files: Files<'_>,
        pairs: &[(&Entry, &Migration)],
    ) -> Result<Vec<Verdict>, DirectoryError> {
        Ok(vec![Verdict::NotKept; pairs.len()])
    }
}

/// All histories.
pub fn all() -> impl Iterator<Item = &'static dyn PeerHistory> {
    ALL.iter().copied()
}

/// The history of a name, such as `golang-migrate`.
pub fn named(name: &str) -> Option<&'static dyn PeerHistory> {
    all().find(|peer| peer.name() == name)
}

/// Where a table of a peer is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Grammar of the database.
    pub dialect: Dialect,
    /// Name of the database.
    pub database: &'a str,
    /// The table.
    pub table: &'a Table,
    /// Other tables that were found, among them the companions.
    pub others: &'a [Table],
}

/// The migrations that a history is about.
#[derive(Debug, Clone, Copy)]
pub struct Files<'d> {
    /// As they were read.
    pub directory: &'d MigrationDirectory,
    /// How they were.
    pub options: &'d ReadOptions,
}

/// How a peer keeps others away while it works. Taken by trying, within a transaction.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PeerLock {
    /// Queries that try, in order. The lock is not to be had when one returns a row whose first column is not true.
    pub tries: Vec<String>,
    /// Statements that give back what outlives the transaction.
    pub releases: Vec<String>,
    /// A query for who holds it: the columns of its rows, put together, are shown to people.
    pub holder: Option<String>,
}

/// One row of a peer's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Option<String>>);

impl Row {
    /// A column; `None` for NULL.
    fn optional(&self, column: usize) -> Option<&str> {
        self.0.get(column).and_then(Option::as_deref)
    }

    /// The same where nothing and an empty text mean the same.
    fn text(&self, column: usize) -> &str {
        self.optional(column).unwrap_or_default()
    }

    fn number(&self, column: usize) -> Option<i64> {
        self.optional(column)?.trim().parse().ok()
    }

    /// A truth value, as the three databases write it. NULL is false.
    fn truth(&self, column: usize) -> bool {
        is_true(self.text(column))
    }
}

/// Whether the text of a column is a true one.
pub fn is_true(text: &str) -> bool {
    matches!(text, "t" | "1") || text.eq_ignore_ascii_case("true")
}

/// What a peer's table says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Migrations that are applied, in the order in which they were.
    pub entries: Vec<Entry>,
    /// Versions up to which everything is applied, whatever is in `entries`.
    pub up_to: Vec<UpTo>,
    /// What must be settled with the peer first.
    pub problems: Vec<Trouble>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// A migration that a peer has applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What to record when there is no file for it.
    pub version: Version,
    /// The row in the peer's words, such as `version_id 3`.
    pub row: String,
    /// The peer's description, if it keeps one.
    pub description: String,
    /// The peer's checksum of it, if it keeps one.
    pub checksum: Option<String>,
    /// When and by whom.
    pub facts: Facts,
    /// The row as it was read, for [`PeerHistory::find`].
    pub columns: Row,
}

/// When something was applied, and by whom, as far as the peer knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// End, UTC, RFC 3339.
    pub at: Option<String>,
    /// Milliseconds it took.
    pub duration_ms: Option<i64>,
    /// User.
    pub by: Option<String>,
}

/// Everything up to a version is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpTo {
    /// The version.
    pub version: Version,
    /// The row in the peer's words.
    pub row: String,
    /// There must be a migration of that version: it was run, and not only declared.
    pub ran: bool,
    /// When and by whom.
    pub facts: Facts,
}

/// Something that must be settled with the peer before its history can be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// What to do.
    pub advice: String,
}

/// What a peer's checksum says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The peer keeps none.
    NotKept,
    /// The file is what was applied.
    Same,
    /// It is not.
    Differs {
        /// What the peer recorded.
        recorded: String,
        /// What the file has.
        found: String,
    },
    /// It may be: its checksum builds on that of an earlier file which differs.
    Unknown,
}

impl State {
    /// Whether the peer has done nothing in this database.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.up_to.is_empty() && self.problems.is_empty()
    }

    /// In a few words: `12 applied`, `at version 7`.
    pub fn summary(&self) -> String {
        match (&self.up_to[..], self.entries.len()) {
            ([up_to, ..], 0) => format!("at {}", up_to.row),
            (_, 0) => "in the middle of a change".to_owned(),
            (_, count) => format!("{count} applied"),
        }
    }

    /// Adds an entry whose identity is its version; a problem when that is none that can be recorded.
    fn push(&mut self, version: &str, row: impl Into<String>, columns: &Row) -> Option<&mut Entry> {
        let parsed = Version::parse(version).or_else(|| Version::named(version));
        self.push_version(parsed, row.into(), columns)
    }

    /// The same with the version that its layout makes of it, if it makes one.
    fn push_version(
        &mut self,
        version: Option<Version>,
        row: String,
        columns: &Row,
    ) -> Option<&mut Entry> {
        let Some(version) = version else {
            self.trouble(
                format!("`{row}` cannot be recorded: it is neither a number nor a name of a migration"),
                "compare the row with the files; it may have been written by hand or by another tool",
            );
            return None;
        };
        self.entries.push(Entry {
            version,
            row,
            description: String::new(),
            checksum: None,
            facts: Facts::default(),
            columns: columns.clone(),
        });
        self.entries.last_mut()
    }

    fn trouble(&mut self, message: impl Into<String>, advice: impl Into<String>) {
        self.problems.push(Trouble {
            message: message.into(),
            advice: advice.into(),
        });
    }
}

/// The verdict on each pair by a function of its own.
fn each(
    pairs: &[(&Entry, &Migration)],
    mut verdict: impl FnMut(&Entry, &Migration) -> Result<Verdict, DirectoryError>,
) -> Result<Vec<Verdict>, DirectoryError> {
    let verdicts = pairs
        .iter()
        .map(|(entry, migration)| verdict(entry, migration));
    verdicts.collect()
}

/// The verdict of a recorded checksum on what was found.
fn compared(recorded: &str, found: impl Into<String>) -> Verdict {
    let found = found.into();
    if recorded == found {
        Verdict::Same
    } else {
        Verdict::Differs {
            recorded: recorded.to_owned(),
            found,
        }
    }
}
