//! What is in a database without a row of its own in the history.

use super::compare::Row;
use crate::directory::MigrationDirectory;
use crate::history::{AppliedVersion, Origin, Version};

/// The version up to which everything counts as present, files or not: declared so by `baseline`, or made by a
/// checkpoint.
pub(super) fn covered<'a>(directory: &MigrationDirectory, rows: &[Row<'a>]) -> Option<&'a Version> {
    let covers = |(row, _): &&Row<'a>| covers(directory, &row.version, row.origin, &row.script);
    let versions = rows.iter().filter(covers).map(|(row, _)| &row.version);
    versions.max()
}

/// Whether a row of the history stands for everything up to its version.
pub(crate) fn covers(
    directory: &MigrationDirectory,
    version: &Version,
    origin: Origin,
    script: &str,
) -> bool {
    let declared = origin == Origin::Baseline && script.is_empty();
    let checkpoint = || directory.get(version)?.checkpoint.as_ref();
    declared || checkpoint().is_some_and(|checkpoint| checkpoint.file_name == script)
}

/// Whether a version is applied, or covered by one that is.
pub(crate) fn is_present(
    directory: &MigrationDirectory,
    applied: &[AppliedVersion],
    version: &Version,
) -> bool {
    applied.iter().any(|row| {
        let covered = || covers(directory, &row.version, row.origin, &row.script);
        row.version == *version || (version.is_number() && *version < row.version && covered())
    })
}
