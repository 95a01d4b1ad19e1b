//! What is in a database without a row of its own in the history.

use super::compare::Row;
use crate::directory::MigrationDirectory;
use crate::history::{AppliedVersion, Origin, Version};

/// The version up to which everything counts as present, recorded or not: the newest checkpoint that was run. (A
/// `baseline` records what it declares present, so that a file that comes later is told from it.)
pub(super) fn covered<'a>(directory: &MigrationDirectory, rows: &[Row<'a>]) -> Option<&'a Version> {
    let was_run = |(row, _): &&Row<'a>| is_checkpoint(directory, &row.version, &row.script);
    let versions = rows.iter().filter(was_run).map(|(row, _)| &row.version);
    versions.max()
}

fn is_checkpoint(directory: &MigrationDirectory, version: &Version, script: &str) -> bool {
    let migration = directory.get(version);
    let checkpoint = migration.and_then(|migration| migration.checkpoint.as_ref());
    checkpoint.is_some_and(|checkpoint| checkpoint.file_name == script)
}

/// Whether a row of the history stands for everything up to its version.
pub(crate) fn covers(
    directory: &MigrationDirectory,
    version: &Version,
    origin: Origin,
    script: &str,
) -> bool {
    let declared = origin == Origin::Baseline && script.is_empty();
    declared || is_checkpoint(directory, version, script)
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
