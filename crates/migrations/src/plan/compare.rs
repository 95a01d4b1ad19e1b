//! The history against the directory.

use serde::Serialize;

use super::covered::covered;
use crate::directory::{Migration, MigrationDirectory, Repeat, Script};
use crate::history::{AppliedVersion, Version};

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
        /// File name it was applied from.
        applied_from: String,
        /// Digest recorded.
        recorded: String,
        /// Digest of the file.
        found: String,
        /// What is wrong with the file as it is now, where that keeps its SQL from being read.
        unreadable: Option<String>,
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
    /// What is applied has names that the directory does not know at all: it may be the same under other names, and
    /// running it would do it twice.
    OtherNames {
        /// One of the applied versions.
        version: Version,
        /// How many there are.
        applied: usize,
        /// The last migration of the directory that would have run.
        last: Version,
    },
    /// The part of a script that an unfinished attempt has run is different now.
    Unresumable {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Statements done.
        statements_done: i64,
        /// The statement after them, if it may have taken effect.
        in_doubt: Option<i64>,
    },
    /// A statement of an unfinished attempt of which only a person can tell whether it took effect.
    InDoubt {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Number of the statement.
        statement: i64,
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

/// A migration that is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// Which.
    pub migration: &'a Migration,
    /// Its up script, or the checkpoint that stands for it and all before it.
    pub script: &'a Script,
    /// It is recorded already and runs once more.
    pub again: bool,
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// To be run, in order.
    pub pending: Vec<Pending<'a>>,
    /// Applied with another text: whether only comments differ must be found out by reading the file.
    pub changed: Vec<(&'a Migration, &'a AppliedVersion)>,
    /// In the history and newer than everything in the directory.
    pub ahead: Vec<Version>,
    /// In the history, without a number that could tell whether they are newer, and not in the directory.
    pub gone: Vec<Version>,
    /// Contradictions.
    pub conflicts: Vec<Conflict>,
    /// Pending and older than the newest applied version, where that is allowed.
    pub out_of_order: Vec<&'a Migration>,
}

/// A row of the history, and the place of its migration in the directory.
pub(super) type Row<'a> = (&'a AppliedVersion, Option<usize>);

/// Compares. Linear in both, but for the look-up of versions.
pub fn compare<'a>(
    directory: &'a MigrationDirectory,
    applied: &'a [AppliedVersion],
    allow_out_of_order: bool,
) -> Comparison<'a> {
    let rows: Vec<Row<'a>> = applied
        .iter()
        .map(|row| (row, directory.place(&row.version)))
        .collect();
    let mut recorded = vec![None; directory.migrations.len()];
    for (row, place) in &rows {
        if let Some(known) = place.and_then(|place| recorded.get_mut(place)) {
            *known = Some(*row);
        }
    }
    let migration_of = |row: &Row<'_>| directory.migrations.get(row.1?);
    // What runs again has no place in the order, and a number none among names.
    let ordered = rows
        .iter()
        .filter(|row| migration_of(row).is_none_or(|migration| migration.repeat == Repeat::Never));
    let (numbers, names): (Vec<&Version>, Vec<&Version>) = ordered
        .map(|(row, _)| &row.version)
        .partition(|version| version.is_number());
    let (newest_number, newest_name) = (numbers.into_iter().max(), names.into_iter().max());
    let covered = covered(directory, &rows);
    let start = match applied {
        [] => newest_checkpoint(directory),
        _ => None,
    };
    let mut result = Comparison {
        pending: Vec::new(),
        changed: Vec::new(),
        ahead: Vec::new(),
        gone: Vec::new(),
        conflicts: Vec::new(),
        out_of_order: Vec::new(),
    };
    for (place, (migration, row)) in directory.migrations.iter().zip(recorded).enumerate() {
        let runs_once = migration.repeat == Repeat::Never;
        if let Some(row) = row {
            let differs = !row.checksums.normalized.is_empty()
                && row.checksums.normalized != script_of(migration, row).normalized;
            match migration.repeat {
                Repeat::Never if differs => result.changed.push((migration, row)),
                Repeat::Never => {}
                Repeat::WhenChanged if !differs => {}
                Repeat::WhenChanged | Repeat::Always => result.pending.push(Pending {
                    migration,
                    script: &migration.up,
                    again: true,
                }),
            }
            continue;
        }
        let before_start = start.is_some_and(|start| place < start);
        // A checkpoint is for databases without a history.
        let left_out = is_only_checkpoint(migration) && start != Some(place);
        let present = covered.is_some_and(|covered| migration.version <= *covered);
        if runs_once && (before_start || left_out || present) {
            continue;
        }
        let newest = match migration.version.is_number() {
            true => newest_number,
            false => newest_name,
        };
        let newer = newest.filter(|newest| migration.version < **newest);
        if let Some(newest) = newer.filter(|_| runs_once && !migration.any_order) {
            if allow_out_of_order {
                result.out_of_order.push(migration);
            } else {
                result.conflicts.push(Conflict::OutOfOrder {
                    version: migration.version.clone(),
                    script: migration.up.file_name.clone(),
                    newest: newest.clone(),
                });
            }
        }
        let checkpoint = migration.checkpoint.as_ref();
        let script = checkpoint.filter(|_| start == Some(place));
        result.pending.push(Pending {
            migration,
            script: script.unwrap_or(&migration.up),
            again: false,
        });
    }
    without_file(directory, &rows, &mut result);
    let once = |pending: &&Pending<'_>| pending.migration.repeat == Repeat::Never;
    if let (Some(gone), Some(last)) = (result.gone.first(), result.pending.iter().rfind(once))
        && rows.iter().all(|(_, place)| place.is_none())
    {
        result.conflicts.push(Conflict::OtherNames {
            version: gone.clone(),
            applied: applied.len(),
            last: last.migration.version.clone(),
        });
    }
    result
}

/// What of the history the directory does not have.
fn without_file<'a>(
    directory: &'a MigrationDirectory,
    rows: &[Row<'a>],
    result: &mut Comparison<'a>,
) {
    let numbers = directory
        .migrations
        .iter()
        .map(|migration| &migration.version);
    let newest_file = numbers.filter(|version| version.is_number()).max();
    for (row, _) in rows.iter().filter(|(_, place)| place.is_none()) {
        if !row.version.is_number() {
            result.gone.push(row.version.clone());
        } else if newest_file.is_none_or(|newest| row.version > *newest) {
            result.ahead.push(row.version.clone());
        } else if !row.checksums.normalized.is_empty() {
            result.conflicts.push(Conflict::Missing {
                version: row.version.clone(),
                script: row.script.clone(),
            });
        }
    }
}

/// Where a database without a history begins, if not with the first migration.
fn newest_checkpoint(directory: &MigrationDirectory) -> Option<usize> {
    let mut migrations = directory.migrations.iter();
    migrations.rposition(|migration| migration.checkpoint.is_some())
}

/// Whether there is nothing of this version but a checkpoint.
pub(crate) fn is_only_checkpoint(migration: &Migration) -> bool {
    let checkpoint = migration.checkpoint.as_ref();
    checkpoint.is_some_and(|script| script.file_name == migration.up.file_name)
}

/// The script that a row of the history tells of.
pub(crate) fn script_of<'a>(migration: &'a Migration, row: &AppliedVersion) -> &'a Script {
    let checkpoint = migration.checkpoint.as_ref();
    let ran = checkpoint.filter(|script| script.file_name == row.script);
    ran.unwrap_or(&migration.up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Layout, Script};
    use crate::history::{Checksums, Origin};

    fn script(version: u32, digest: &str) -> Script {
        let file_name = format!("{version:04}_x.sql");
        Script::for_test(&file_name, digest)
    }

    fn directory(versions: &[(u32, &str)]) -> MigrationDirectory {
        let migrations = versions.iter().map(|(version, digest)| {
            let up = script(*version, digest);
            Migration::new(Version::from(*version), format!("{version:04}"), "x", up)
        });
        MigrationDirectory::new(
            std::path::Path::new("migrations"),
            Layout::NATIVE,
            migrations.collect(),
            Vec::new(),
        )
        .unwrap()
    }

    fn applied(version: u32, digest: &str) -> AppliedVersion {
        AppliedVersion {
            version: Version::from(version),
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

    fn versions<'a>(pending: &[Pending<'a>]) -> Vec<&'a str> {
        let migrations = pending.iter().map(|pending| pending.migration);
        migrations
            .map(|migration| migration.version.as_str())
            .collect()
    }

    #[test]
    fn what_is_not_recorded_is_pending_in_order() {
        let directory = directory(&[(1, "a"), (2, "b"), (10, "c")]);
        let history = [applied(1, "a")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["2", "10"]);
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
        assert_eq!(versions(&allowed.pending), ["2"]);
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
        assert_eq!(comparison.ahead, [Version::from(4)]);
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
    fn a_late_file_is_a_conflict_below_a_baseline_without_a_file_as_well() {
        let directory = directory(&[(1, "a"), (6, "f")]);
        let history = [applied(5, "")];
        let comparison = compare(&directory, &history, false);
        assert!(matches!(
            &comparison.conflicts[..],
            [Conflict::OutOfOrder { newest, .. }] if *newest == Version::from(5)
        ));
        let allowed = compare(&directory, &history, true);
        assert_eq!(versions(&allowed.pending), ["1", "6"]);
        assert!(allowed.conflicts.is_empty());
    }

    /// A directory with changes to its migrations, by their places.
    fn changed(
        versions: &[(u32, &str)],
        change: impl Fn(usize, &mut Migration),
    ) -> MigrationDirectory {
        let mut directory = directory(versions);
        for (place, migration) in directory.migrations.iter_mut().enumerate() {
            change(place, migration);
        }
        directory
    }

    #[test]
    fn what_repeats_runs_again_when_its_time_has_come() {
        let files = [(1, "a"), (2, "b2"), (3, "c"), (4, "d")];
        let directory = changed(&files, |place, migration| {
            migration.repeat = match place {
                0 => Repeat::Always,
                1 | 2 => Repeat::WhenChanged,
                _ => Repeat::Never,
            };
        });
        let history = [
            applied(1, "a"),
            applied(2, "b"),
            applied(3, "c"),
            applied(4, "d"),
        ];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["1", "2"]);
        assert!(comparison.pending.iter().all(|pending| pending.again));
        assert!(comparison.changed.is_empty());
        // The first time it is no matter that something later is applied.
        let comparison = compare(&directory, &history[2..], false);
        assert_eq!(versions(&comparison.pending), ["1", "2"]);
        assert!(comparison.conflicts.is_empty());
    }

    #[test]
    fn a_directory_under_other_names_is_not_run_again() {
        let directory = directory(&[(1, "a"), (2, "b")]);
        let mut rows = [applied(1, "a"), applied(2, "b")];
        for (row, name) in rows.iter_mut().zip(["x.sql::1::ann", "x.sql::2::ann"]) {
            row.version = Version::named(name).unwrap();
        }
        let comparison = compare(&directory, &rows, false);
        assert!(matches!(
            comparison.conflicts[..],
            [Conflict::OtherNames { applied: 2, .. }]
        ));
        // One that it knows is enough: somebody has cleared up.
        let rows = [rows[0].clone(), applied(1, "a")];
        let comparison = compare(&directory, &rows, false);
        assert!(comparison.conflicts.is_empty());
        assert_eq!(comparison.gone.len(), 1);
    }

    #[test]
    fn what_has_a_name_does_not_make_a_number_late() {
        let directory = changed(&[(1, "a"), (2, "b"), (3, "v")], |place, migration| {
            if place == 2 {
                migration.version = Version::named("R__views").unwrap();
                migration.repeat = Repeat::WhenChanged;
            }
        });
        let mut view = applied(3, "v");
        view.version = Version::named("R__views").unwrap();
        let history = [applied(1, "a"), view];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending)[0], "2");
        assert!(comparison.conflicts.is_empty());
    }

    #[test]
    fn an_empty_database_begins_with_the_newest_checkpoint() {
        let files = [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")];
        let directory = changed(&files, |place, migration| {
            // 2 has a checkpoint beside it, 4 is nothing else.
            migration.checkpoint = match place {
                1 => Some(Script::for_test("B2.sql", "checkpoint")),
                3 => Some(migration.up.clone()),
                _ => None,
            };
        });
        let comparison = compare(&directory, &[], false);
        assert_eq!(versions(&comparison.pending), ["4", "5"]);
        let history = [applied(4, "d")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["5"]);
        assert!(comparison.conflicts.is_empty());
        // Who has come here step by step goes on so.
        let history = [applied(1, "a"), applied(2, "b")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["3", "5"]);
    }

    #[test]
    fn a_checkpoint_beside_a_migration_is_recorded_under_its_version() {
        let directory = changed(&[(1, "a"), (2, "b"), (3, "c")], |place, migration| {
            let script = Script::for_test("B2.sql", "checkpoint");
            migration.checkpoint = (place == 1).then_some(script);
        });
        let comparison = compare(&directory, &[], false);
        assert_eq!(versions(&comparison.pending), ["2", "3"]);
        assert_eq!(comparison.pending[0].script.file_name, "B2.sql");
        let mut row = applied(2, "checkpoint");
        row.script = "B2.sql".to_owned();
        let history = [row];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["3"]);
        assert!(comparison.changed.is_empty() && comparison.conflicts.is_empty());
    }

    #[test]
    fn what_knows_no_order_may_come_late() {
        let directory = changed(&[(1, "a"), (2, "b")], |place, migration| {
            migration.any_order = place == 0;
        });
        let history = [applied(2, "b")];
        let comparison = compare(&directory, &history, false);
        assert_eq!(versions(&comparison.pending), ["1"]);
        assert!(comparison.conflicts.is_empty());
    }
}
