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
//!   an error. Versions from 0 to 9223372036854775807 are possible.
//! - **Down scripts** belong to the up script of the same version; without one they are an error. When the rest of
//!   the two names differs there is a warning.
//! - **Empty scripts.** An up script without any statement is recorded as applied with 0 statements, and
//!   [`Script::inspect`] warns; an empty down script reverts nothing and is silent, since the tools of the
//!   golang-migrate layout create them in pairs.
//! - **Text** is UTF-8, with or without byte order mark, with any line ends. Anything else is an error.
//! - An **empty directory** is a warning, a missing or unreadable one an error.

mod create;
mod digest;
mod error;
mod golang_migrate;
mod inspect;
mod layout;
mod location;
mod native;
mod read;
mod sum;
#[cfg(test)]
mod tests;
mod transaction_control;

use std::path::PathBuf;

use serde::Serialize;

use crate::history::{Direction, Version};

pub use create::{NewMigration, create, next_version};
pub(crate) use digest::hex;
pub use error::{DirectoryError, DirectoryWarning};
pub use inspect::{MAX_STATEMENTS, ScriptSummary, ScriptTimeouts, StatementSummary};
pub use layout::Layout;
pub use location::parse_dir;
pub use sum::{SUM_FILE_NAME, SumFile, SumMismatch, SumParseError};
pub use transaction_control::TransactionGroup;

/// A directory of migrations, as it was when it was read.
#[derive(Debug, Clone)]
pub struct MigrationDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// How its files are named.
    pub layout: Layout,
    /// Its migrations, ordered by version.
    pub migrations: Vec<Migration>,
    /// What a person should look at.
    pub warnings: Vec<DirectoryWarning>,
}

/// One version.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its number.
    pub version: Version,
    /// The number as the file name spells it, such as `0007`.
    pub version_text: String,
    /// The words of the file name.
    pub description: String,
    /// What applies it.
    pub up: Script,
    /// What reverts it.
    pub down: Option<Script>,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct Script {
    /// Where it is.
    pub path: PathBuf,
    /// What it does.
    pub direction: Direction,
    /// Its name in the directory.
    pub file_name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the text without byte order mark and with LF line ends, lower-case hex.
    pub normalized: String,
    /// SHA-256 of the bytes, lower-case hex.
    pub raw: String,
}

impl MigrationDirectory {
    /// The migration of a version.
    pub fn get(&self, version: Version) -> Option<&Migration> {
        let found = self
            .migrations
            .binary_search_by_key(&version, |migration| migration.version);
        found.ok().and_then(|index| self.migrations.get(index))
    }
}
