//! `forerun.sum`: the digests of all scripts in one file that is kept in version control.
//!
//! The first line is a digest over all others. Any change of the directory therefore changes that line, so two
//! branches that each add a migration conflict when they are merged, and somebody has to look at the order.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use super::digest::sha256;
use super::error::DirectoryError;
use super::{Migration, MigrationDirectory};

/// Name of the file in the directory of migrations.
pub const SUM_FILE_NAME: &str = "forerun.sum";

const FIRST_WORDS: &str = "forerun.sum 1 ";
const ALGORITHM: &str = "sha256:";

/// The content of a `forerun.sum`. Displayed as the text of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumFile {
    /// Digest that the first line gives, lower-case hex.
    total: String,
    /// File name and digest of the normalised text, ordered by version, up before down.
    entries: Vec<(String, String)>,
}

/// How a directory differs from its `forerun.sum`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SumMismatch {
    /// Files that the sum file does not know.
    pub added: Vec<String>,
    /// Files whose text is another one.
    pub changed: Vec<String>,
    /// Files that the directory does not have any more.
    pub missing: Vec<String>,
    /// The sum file was edited or merged: its first line does not belong to the others, or their order is wrong.
    pub edited: bool,
}

impl std::error::Error for SumMismatch {}

impl fmt::Display for SumMismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the directory does not match its forerun.sum:")?;
        let lists = [
            (&self.added, "added"),
            (&self.changed, "changed"),
            (&self.missing, "missing"),
        ];
        for (files, word) in lists {
            for file in files {
                write!(formatter, "\n  {word}: {file}")?;
            }
        }
        if self.edited {
            formatter.write_str("\n  the sum file itself was edited or merged by hand")?;
        }
        formatter.write_str("\nIf that is intended, run `forerun migrate hash` and commit both")
    }
}

/// Why a text is not a `forerun.sum`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct SumParseError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// Names and digests of the scripts of a migration. Two that share a file have the direction in their names.
fn entries(migration: &Migration) -> impl Iterator<Item = (String, String)> {
    let up = (
        migration.up.file_name.clone(),
        migration.up.normalized.clone(),
    );
    let down = migration.down.as_ref().map(|down| {
        let shared = down.file_name == migration.up.file_name;
        let name = match shared {
            true => format!("{} (down)", down.file_name),
            false => down.file_name.clone(),
        };
        (name, down.normalized.clone())
    });
    std::iter::once(up).chain(down)
}

impl SumFile {
    /// What the sum file of a directory should be.
    pub fn for_directory(directory: &MigrationDirectory) -> Self {
        let entries: Vec<_> = directory.migrations.iter().flat_map(entries).collect();
        Self {
            total: total(&entries),
            entries,
        }
    }

    /// Reads the sum file of a directory; `None` when there is none.
    pub fn read(directory: &Path) -> Result<Option<Self>, DirectoryError> {
        let path = directory.join(SUM_FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(DirectoryError::SumFormat {
                    path,
                    line: 1,
                    reason: "it is not UTF-8 text",
                });
            }
            Err(error) => return Err(DirectoryError::io("read", path)(error)),
        };
        match text.parse() {
            Ok(sum) => Ok(Some(sum)),
            Err(SumParseError { line, reason }) => {
                Err(DirectoryError::SumFormat { path, line, reason })
            }
        }
    }

    /// Writes it into a directory: the old one is replaced as a whole or not at all.
    pub fn write(&self, directory: &Path) -> Result<(), DirectoryError> {
        let path = directory.join(SUM_FILE_NAME);
        let temporary = directory.join(format!(".{SUM_FILE_NAME}.{}", std::process::id()));
        let written =
            fs::write(&temporary, self.to_string()).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            DirectoryError::io("write", path)(error)
        })
    }

    /// Compares it with a directory.
    pub fn verify(&self, directory: &MigrationDirectory) -> Result<(), SumMismatch> {
        let actual = Self::for_directory(directory);
        if *self == actual {
            return Ok(());
        }
        let mut mismatch = SumMismatch::default();
        let recorded: std::collections::BTreeMap<_, _> = self
            .entries
            .iter()
            .map(|(file, digest)| (file.as_str(), digest.as_str()))
            .collect();
        let mut present = std::collections::BTreeSet::new();
        for (file, digest) in &actual.entries {
            present.insert(file.as_str());
            match recorded.get(file.as_str()) {
                None => mismatch.added.push(file.clone()),
                Some(known) if known != digest => mismatch.changed.push(file.clone()),
                Some(_) => {}
            }
        }
        let missing = self
            .entries
            .iter()
            .filter(|(file, _)| !present.contains(file.as_str()));
        mismatch.missing = missing.map(|(file, _)| file.clone()).collect();
        let only_order = mismatch == SumMismatch::default();
        mismatch.edited = only_order || self.total != total(&self.entries);
        Err(mismatch)
    }
}

impl fmt::Display for SumFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{FIRST_WORDS}{ALGORITHM}{}", self.total)?;
        formatter.write_str(&lines(&self.entries))
    }
}

impl FromStr for SumFile {
    type Err = SumParseError;

    /// Reads the text of a file. Whether it fits itself or a directory is found out by [`SumFile::verify`].
    fn from_str(text: &str) -> Result<Self, SumParseError> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        for (line, content) in lines.clone() {
            if content.starts_with("<<<<<<< ") || content.starts_with(">>>>>>> ") {
                let reason = "a merge conflict: two branches changed the migrations. Put them in order, then hash again";
                return Err(SumParseError { line, reason });
            }
        }
        let reason = "the first line should be `forerun.sum 1 sha256:<digest>`";
        let first = lines
            .next()
            .map(|(_, first)| first)
            .and_then(|first| first.strip_prefix(FIRST_WORDS));
        let total = first
            .and_then(parse_digest)
            .ok_or(SumParseError { line: 1, reason })?;
        let mut entries = Vec::new();
        for (line, content) in lines {
            let entry = content.split_once("  ").and_then(|(digest, file)| {
                (!file.is_empty()).then_some((file.to_owned(), parse_digest(digest)?))
            });
            let reason = "each line should be `sha256:<digest>  <file name>`";
            entries.push(entry.ok_or(SumParseError { line, reason })?);
        }
        Ok(Self { total, entries })
    }
}

fn parse_digest(text: &str) -> Option<String> {
    let hex = text.strip_prefix(ALGORITHM)?;
    let valid = hex.len() == 64
        && hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    valid.then(|| hex.to_owned())
}

fn lines(entries: &[(String, String)]) -> String {
    entries
        .iter()
        .map(|(file, digest)| format!("{ALGORITHM}{digest}  {file}\n"))
        .collect()
}

fn total(entries: &[(String, String)]) -> String {
    sha256(&lines(entries))
}
