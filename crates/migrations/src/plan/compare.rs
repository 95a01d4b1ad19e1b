//! The history against the directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::directory::{Migration, MigrationDirectory};
use crate::history::{AppliedVersion, Origin, Version};

/// How an applied script differs from the file it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Only comments or layout: harmless.
    Comments,
    /// The SQL.
    Sql,
}

/// A contradiction between history and directory that stops a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "conflict", rename_all = "snake_case")]
pub enum Conflict {
    /// An applied script has other SQL now.
    Changed {
        /// Version.
        version: Version,
        /// File name now.
        script: String,
        /// Digest recorded.
        recorded: String,
        /// Digest of the file.
        found: String,
    },
    /// An applied version below the newest file has no file.
    Missing {
        /// Version.
        version: Version,
        /// File name it was applied from.
        script: String,
    },
    /// A file that was never applied is older than what has been.
    OutOfOrder {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Newest applied version.
        newest: Version,
    },
    /// The part of a script that an unfinished attempt has run is different now.
    Unresumable {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Statements done.
        statements_done: i64,
    },
    /// An unfinished attempt of a version whose file is gone.
    JournalWithoutFile {
        /// Version.
        version: Version,
        /// File name it ran from.
        script: String,
    },
    /// An unfinished `down` stands in the way of `up`, or the other way round.
    UnfinishedOther {
        /// Version.
        version: Version,
        /// File name it ran from.
        script: String,
        /// What was being done: `up` or `down`.
        direction: &'static str,
    },
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Not applied yet, in order.
    pub pending: Vec<&'a Migration>,
    /// Applied with another text: whether only comments differ must be found out by reading the file.
    pub changed: Vec<(&'a Migration, &'a AppliedVersion)>,
    /// In the history and newer than everything in the directory.
    pub ahead: Vec<Version>,
    /// Contradictions.
    pub conflicts: Vec<Conflict>,
    /// Pending and older than the newest applied version, where that is allowed.
    pub out_of_order: Vec<&'a Migration>,
}

/// Compares. Linear in both.
pub fn compare<'a>(
    directory: &'a MigrationDirectory,
    applied: &'a [AppliedVersion],
    allow_out_of_order: bool,
) -> Comparison<'a> {
    let recorded: BTreeMap<Version, &AppliedVersion> =
        applied.iter().map(|row| (row.version, row)).collect();
    let newest_file = directory
        .migrations
        .last()
        .map(|migration| migration.version);
    let newest_applied = applied.iter().map(|row| row.version).max();
    // A version declared present by `baseline` covers everything that was below it at that time, files or not.
    let baseline = applied
        .iter()
        .filter(|row| row.origin == Origin::Baseline && row.script.is_empty())
        .map(|row| row.version)
        .max();
    let mut result = Comparison {
        pending: Vec::new(),
        changed: Vec::new(),
        ahead: Vec::new(),
        conflicts: Vec::new(),
        out_of_order: Vec::new(),
    };
    let mut files = BTreeSet::new();
    for migration in &directory.migrations {
        files.insert(migration.version);
        if let Some(row) = recorded.get(&migration.version) {
            if !row.checksums.normalized.is_empty()
                && row.checksums.normalized != migration.up.normalized
            {
                result.changed.push((migration, row));
            }
            continue;
        }
        if baseline.is_some_and(|baseline| migration.version <= baseline) {
            continue;
        }
        if let Some(newest) = newest_applied.filter(|newest| migration.version < *newest) {
            if allow_out_of_order {
                result.out_of_order.push(migration);
            } else {
                result.conflicts.push(Conflict::OutOfOrder {
                    version: migration.version,
                    script: migration.up.file_name.clone(),
                    newest,
                });
            }
        }
        result.pending.push(migration);
    }
    for row in applied.iter().filter(|row| !files.contains(&row.version)) {
        if newest_file.is_none_or(|newest| row.version > newest) {
            result.ahead.push(row.version);
        } else if !row.checksums.normalized.is_empty() {
            result.conflicts.push(Conflict::Missing {
                version: row.version,
                script: row.script.clone(),
            });
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Layout, Script};
    use crate::history::{Checksums, Direction};

    fn script(version: i64, digest: &str) -> Script {
        let file_name = format!("{version:04}_x.sql");
        Script {
            path: file_name.clone().into(),
            file_name,
            direction: Direction::Up,
            bytes: 1,
            normalized: digest.to_owned(),
            raw: digest.to_owned(),
        }
    }

    fn directory(versions: &[(i64, &str)]) -> MigrationDirectory {
        MigrationDirectory {
            path: "migrations".into(),
            layout: Layout::Native,
            migrations: versions
                .iter()
                .map(|(version, digest)| Migration {
                    version: Version::from_stored(*version),
                    version_text: format!("{version:04}"),
                    description: "x".to_owned(),
                    up: script(*version, digest),
                    down: None,
                })
                .collect(),
            warnings: Vec::new(),
        }
    }

    fn applied(version: i64, digest: &str) -> AppliedVersion {
        AppliedVersion {
            version: Version::from_stored(version),
            script: if digest.is_empty() {
                String::new()
            } else {
                format!("{version:04}_x.sql")
            },
            origin: if digest.is_empty() {
                Origin::Baseline
            } else {
                Origin::Applied
            },
            checksums: Checksums {
                normalized: digest.to_owned(),
                raw: digest.to_owned(),
                sql: digest.to_owned(),
            },
        }
    }

    fn versions(migrations: &[&Migration]) -> Vec<i64> {
        migrations
            .iter()
            .map(|migration| migration.version.as_stored())
            .collect()
    }

    #[test]
    fn what_is_not_recorded_is_pending_in_order() {
        let directory = directory(&[(1, "a"), (2, "b"), (10, "c")]);
        let history = [applied(1, "a")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), [2, 10]);
        assert!(comparison.conflicts.is_empty());
    }

    #[test]
    fn a_late_file_is_a_conflict_unless_allowed() {
        let directory = directory(&[(1, "a"), (2, "b"), (3, "c")]);
        let history = [applied(1, "a"), applied(3, "c")];
        let strict = compare(&directory, &history, false);
        assert!(matches!(
            strict.conflicts[..],
            [Conflict::OutOfOrder { .. }]
        ));
        let allowed = compare(&directory, &history, true);
        assert!(allowed.conflicts.is_empty());
        assert_eq!(versions(&allowed.pending), [2]);
    }

    #[test]
    fn a_removed_file_is_a_conflict_but_a_newer_database_is_not() {
        let directory = directory(&[(1, "a"), (3, "c")]);
        let history = [
            applied(1, "a"),
            applied(2, "b"),
            applied(3, "c"),
            applied(4, "d"),
        ];
        let comparison = compare(&directory, &history, false);
        assert!(matches!(
            comparison.conflicts[..],
            [Conflict::Missing { .. }]
        ));
        assert_eq!(comparison.ahead, [Version::from_stored(4)]);
    }

    #[test]
    fn another_text_is_reported_as_changed() {
        let directory = directory(&[(1, "a2")]);
        let history = [applied(1, "a")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(comparison.changed.len(), 1);
        assert!(comparison.pending.is_empty());
    }

    #[test]
    fn a_baseline_without_files_covers_everything_below_it() {
        let directory = directory(&[(1, "a"), (2, "b"), (6, "f")]);
        let history = [applied(5, "")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), [6]);
        assert!(comparison.conflicts.is_empty());
    }
}
