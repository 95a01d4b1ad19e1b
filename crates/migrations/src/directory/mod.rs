//! Reads a directory of migrations into plain data. The only room of the engine that touches files.
//!
//! It knows names, bytes, digests and the statements of a script; it does not know what is applied, decides no
//! order but that of versions, and connects to nothing.
//!
//! # Rules
//! - **Flat.** Only the directory itself is read; subdirectories are not.
//! - **`.sql` files are migrations.** One whose name does not fit the layout is an error, since a migration that
//!   is silently left out is worse than a README that has to be called `README.md`.
//! - **Everything else is ignored**: hidden files (also the `..data` of a mounted ConfigMap), `forerun.sum`,
//!   editor backups (`0007_x.sql~`, `.bak`, `.orig`, `.rej`, `.swp`, `.tmp`, `.save`, `#…#`). What looks like a
//!   migration that lost its ending (`0007_x.SQL`, `0007_x.sql.txt`, `0007_x`) is ignored with a warning.
//! - **Lower case.** A script that ends in `.up.sql` or `.down.sql` in any other case is an error: `7_x.DOWN.sql`
//!   must not be run as an up script.
//! - **Symbolic links** to files are followed.
//! - **Layout.** Detected by the names; see [`Layout`]. Two layouts in one directory are an error.
//! - **Versions** are numbers: `1` and `001` are the same one, and two scripts for one version and direction are
//!   an error. They may be as long as a file name.
//! - **Down scripts** belong to the up script of the same version; without one they are an error. When the rest of
//!   the two names differs there is a warning.
//! - **Empty scripts.** An up script without any statement is recorded as applied with 0 statements, and
//!   [`Script::inspect`] warns; an empty down script reverts nothing and is silent, since the tools of the
//!   golang-migrate layout create them in pairs.
//! - **Text** is UTF-8, with or without byte order mark, with any line ends. Anything else is an error.
//! - An **empty directory** is a warning, a missing or unreadable one an error.

mod contract;
mod convert;
mod create;
mod digest;
mod error;
mod folder;
mod inspect;
mod layout;
mod layouts;
mod location;
mod read;
mod script;
mod sum;
#[cfg(test)]
mod tests;
mod transaction_control;

use std::collections::HashMap;
use std::path::PathBuf;

use crate::history::Version;

pub use convert::{Conversion, ConvertedFile, convert};
pub use create::{NewMigration, create, next_version};
pub(crate) use digest::hex;
pub use error::{DirectoryError, DirectoryWarning, LayoutProblem};
pub use inspect::{
    Allow, ContractConditions, MAX_STATEMENTS, ScriptSummary, ScriptTimeouts, StatementSummary,
};
pub use layout::Layout;
pub(crate) use layouts::liquibase::{PeerChangeset, changeset_version, peer_changesets};
pub use location::parse_dir;
pub use read::{DirectorySource, Lookup, ReadOptions, Variables};
pub use script::Script;
pub use sum::{SUM_FILE_NAME, SumFile, SumMismatch, SumParseError};
pub use transaction_control::TransactionGroup;

/// A directory of migrations, as it was when it was read.
#[derive(Debug, Clone)]
pub struct MigrationDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// How its files are named.
    pub layout: Layout,
    /// Its migrations, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// What a person should look at.
    pub warnings: Vec<DirectoryWarning>,
    /// Where each version stands in `migrations`.
    places: HashMap<Version, usize>,
}

/// One version.
#[derive(Debug, Clone)]
pub struct Migration {
    /// What identifies it.
    pub version: Version,
    /// The same as the file name spells it, such as `0007`.
    pub version_text: String,
    /// The words of the file name.
    pub description: String,
    /// What applies it.
    pub up: Script,
    /// What reverts it.
    pub down: Option<Script>,
    /// When it runs again after it was applied.
    pub repeat: Repeat,
    /// It may run after a later one without anybody's permission, since its layout knows no order there.
    pub any_order: bool,
    /// What makes in one go what this migration and all before it make: on a database without history it runs in their
    /// place. Where it is the same file as `up`, there is nothing else of this version, and a database with a history
    /// leaves it out.
    pub checkpoint: Option<Script>,
    /// What must hold for it to run, in order.
    pub conditions: Vec<Condition>,
}

/// When a migration runs again after it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// Never.
    #[default]
    Never,
    /// When its text has changed.
    WhenChanged,
    /// In every run that changes something or not.
    Always,
}

/// A query whose answer decides whether a migration runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The query. Its first column in its first row is the answer.
    pub sql: String,
    /// The answer that lets the migration run, as text.
    pub expected: String,
    /// What happens with another answer.
    pub otherwise: Otherwise,
    /// Where it is written, from 1.
    pub line: u64,
}

/// What happens to a migration whose condition does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The run fails before it.
    Fail,
    /// It is left out, and tried again in the next run.
    Skip,
    /// It is recorded as applied without running.
    Record,
    /// It runs all the same, with a warning.
    Warn,
}

impl Migration {
    /// One that runs once, in its order, with an up script only.
    pub(crate) fn new(
        version: Version,
        version_text: impl Into<String>,
        description: impl Into<String>,
        up: Script,
    ) -> Self {
        Self {
            version,
            version_text: version_text.into(),
            description: description.into(),
            up,
            down: None,
            repeat: Repeat::default(),
            any_order: false,
            checkpoint: None,
            conditions: Vec::new(),
        }
    }
}

impl MigrationDirectory {
    /// The newest of some versions: the greatest number, or without numbers the one that stands last here.
    pub fn newest<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions
            .into_iter()
            .max_by_key(|version| match version.is_number() {
                true => (true, None, *version),
                false => (false, self.places.get(version), *version),
            })
    }

    /// Where a version stands in the order in which migrations run.
    pub fn place(&self, version: &Version) -> Option<usize> {
        self.places.get(version).copied()
    }

    /// The migration of a version.
    pub fn get(&self, version: &Version) -> Option<&Migration> {
        self.places
            .get(version)
            .and_then(|place| self.migrations.get(*place))
    }
}
