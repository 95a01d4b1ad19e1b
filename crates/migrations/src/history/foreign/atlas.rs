//! Atlas: a row for each version with how many of its statements are done (`cmd/atlas/internal/migrate/ent/schema`,
//! `sql/migrate/migrate.go`).

use std::collections::{BTreeMap, HashMap};

use forerun_sql::Dialect;

use super::{
    Entry, Facts, Files, PeerHistory, PeerLock, Place, Row, State, Table, UpTo, Verdict,
    checksum_atlas, compared, sql,
};
use crate::directory::{DirectoryError, Migration, MigrationDirectory, Script};

/// FNV-1 of `atlas_migrate_execute`.
const LOCK: i64 = 2_686_470_616;
const LOCK_NAME: &str = "atlas_migrate_execute";
/// A row of the cloud's, and no migration.
const CLOUD: &str = ".atlas_cloud_identifier";

/// Bits of the column `type`.
const BASELINE: i64 = 1;
const RESOLVED: i64 = 4;

pub(super) struct Atlas;

impl PeerHistory for Atlas {
    fn name(&self) -> &'static str {
        "atlas"
    }

    fn title(&self) -> &'static str {
        "Atlas"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["atlas_schema_revisions"]
    }

    fn schemas(&self) -> &'static [&'static str] {
        &["atlas_schema_revisions"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.has(&[
            "version",
            "description",
            "type",
            "applied",
            "total",
            "executed_at",
            "hash",
        ])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let dialect = place.dialect;
        let column = |name: &str| sql::identifier(dialect, name);
        format!(
            "SELECT {}, description, {}, applied, total, {}, execution_time, error, {} FROM {} ORDER BY {}",
            column("version"),
            column("type"),
            sql::moment(dialect, "executed_at"),
            column("hash"),
            place.table.qualified(dialect),
            column("version")
        )
    }

    fn lock(&self, place: &Place<'_>) -> PeerLock {
        match place.dialect {
            Dialect::Postgres => sql::advisory_lock(LOCK),
            Dialect::Mysql => sql::named_lock(LOCK_NAME),
            Dialect::Sqlite => PeerLock::default(),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows.iter().filter(|row| row.text(0) != CLOUD) {
            let (version, kind) = (row.text(0), row.number(2).unwrap_or_default());
            let (applied, total) = (
                row.number(3).unwrap_or_default(),
                row.number(4).unwrap_or_default(),
            );
            let facts = Facts {
                at: row.optional(5).map(str::to_owned),
                // Nanoseconds.
                duration_ms: row.number(6).map(|nanoseconds| nanoseconds / 1_000_000),
                by: None,
            };
            let resolved = kind & RESOLVED != 0;
            if !resolved && (applied < total || !row.text(7).is_empty()) {
                state.trouble(
                    partial(version, applied, total, row.text(7)),
                    PARTIAL_ADVICE,
                );
                continue;
            }
            if resolved && applied < total {
                state.warnings.push(format!(
                    "Atlas stopped in version {version} after {applied} of {total} statements, and somebody has marked it as \
                     resolved since (`atlas migrate set`): it is taken as applied"
                ));
            }
            let what = if kind & BASELINE != 0 {
                "baseline"
            } else {
                "version"
            };
            let row_name = format!("{what} {version}");
            let Some(entry) = state.push(version, row_name.clone(), row) else {
                continue;
            };
            entry.description = row.text(1).to_owned();
            entry.checksum = Some(row.text(8))
                .filter(|hash| !hash.is_empty())
                .map(str::to_owned);
            entry.facts = facts.clone();
            if kind & BASELINE != 0 {
                let version = entry.version.clone();
                // Declared only: a file for it is not needed.
                state.entries.pop();
                state.up_to.push(UpTo {
                    version,
                    row: row_name,
                    ran: false,
                    facts,
                });
            }
        }
        state
    }

    /// Each hash builds on those of the files before, so what comes after the first that differs tells nothing.
    fn verify(
        &self,
        files: Files<'_>,
        pairs: &[(&Entry, &Migration)],
    ) -> Result<Vec<Verdict>, DirectoryError> {
        let hashes = hashes(files.directory)?;
        let mut differed = false;
        let verdict = |(entry, migration): &(&Entry, &Migration)| {
            let Some(recorded) = &entry.checksum else {
                return Verdict::NotKept;
            };
            let Some(found) = hashes.get(&migration.up.file_name) else {
                return Verdict::NotKept;
            };
            match compared(recorded, found.as_str()) {
                Verdict::Differs { .. } if differed => Verdict::Unknown,
                verdict => {
                    differed |= matches!(verdict, Verdict::Differs { .. });
                    verdict
                }
            }
        };
        Ok(pairs.iter().map(verdict).collect())
    }
}

/// The hash of each file. Which files have one, only Atlas's own layout tells.
fn hashes(directory: &MigrationDirectory) -> Result<HashMap<String, String>, DirectoryError> {
    let mut hashes = HashMap::new();
    if directory.layout.name() != Atlas.name() {
        return Ok(hashes);
    }
    let scripts = directory.migrations.iter().map(|migration| &migration.up);
    let scripts: BTreeMap<&str, &Script> = scripts
        .map(|script| (script.file_name.as_str(), script))
        .collect();
    let mut sums = checksum_atlas::Files::default();
    for (name, script) in scripts {
        let bytes = script.file_bytes()?;
        let left_out = checksum_atlas::is_left_out(&String::from_utf8_lossy(&bytes));
        if let Some(sum) = sums.next(name, (!left_out).then_some(&bytes)) {
            hashes.insert(name.to_owned(), sum);
        }
    }
    Ok(hashes)
}

fn partial(version: &str, applied: i64, total: i64, error: &str) -> String {
    let error = if error.is_empty() {
        String::new()
    } else {
        format!(" ({error})")
    };
    format!(
        "version {version} is half applied: {applied} of its {total} statements are done{error}"
    )
}

const PARTIAL_ADVICE: &str = "finish it with `atlas migrate apply`; or finish it by hand and say so with `atlas migrate set`";

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, versions};
    use super::*;

    /// A row: version, type, applied, total, error.
    fn state(some: &[[&str; 5]]) -> State {
        let all: Vec<[&str; 9]> = some
            .iter()
            .map(|[version, kind, applied, total, error]| {
                [
                    *version,
                    "words",
                    *kind,
                    *applied,
                    *total,
                    "2024-01-01T00:00:00Z",
                    "1500000",
                    *error,
                    "h=",
                ]
            })
            .collect();
        let all: Vec<&[&str]> = all.iter().map(|row| &row[..]).collect();
        Atlas.state(&rows(&all))
    }

    #[test]
    fn executed_and_resolved_versions_are_applied() {
        let state = state(&[
            [".atlas_cloud_identifier", "2", "0", "0", ""],
            ["20240101", "2", "3", "3", ""],
            ["20240102", "4", "0", "0", ""],
            ["20240103", "6", "1", "2", "syntax error"],
        ]);
        assert_eq!(versions(&state), ["20240101", "20240102", "20240103"]);
        assert!(state.problems.is_empty());
        assert_eq!(state.warnings.len(), 1);
        assert!(state.warnings[0].contains("version 20240103 after 1 of 2 statements"));
        assert_eq!(state.entries[0].facts.duration_ms, Some(1));
        assert_eq!(state.entries[0].checksum.as_deref(), Some("h="));
    }

    #[test]
    fn a_baseline_covers_what_is_before_it() {
        let state = state(&[
            ["20240101", "1", "0", "0", ""],
            ["20240102", "2", "1", "1", ""],
        ]);
        assert_eq!(versions(&state), ["20240102"]);
        assert_eq!(state.up_to[0].version.as_str(), "20240101");
        assert!(!state.up_to[0].ran);
    }

    #[test]
    fn half_of_a_version_is_told() {
        let state = state(&[["20240101", "2", "1", "3", "relation \"a\" exists"]]);
        assert!(state.entries.is_empty());
        let trouble = &state.problems[0];
        assert!(
            trouble.message.contains("1 of its 3 statements"),
            "{trouble:?}"
        );
        assert!(
            trouble.message.contains("relation \"a\" exists"),
            "{trouble:?}"
        );
        assert!(
            trouble.advice.contains("atlas migrate apply"),
            "{trouble:?}"
        );
    }
}
