//! Flyway: a row for each thing it did, in order; later ones may take back earlier ones
//! (`JdbcTableSchemaHistory`, `MigrationInfoServiceImpl`).

use std::collections::HashMap;

use forerun_sql::Dialect;

use super::{
    Entry, Facts, Files, PeerHistory, PeerLock, Place, Row, State, Table, UpTo, Verdict,
    checksum_flyway, each, sql,
};
use crate::directory::{DirectoryError, Migration};
use crate::history::Version;

/// What its lock on PostgreSQL begins at.
const LOCK: i64 = 77_431_708_279_161;

// Columns of the query.
const VERSION: usize = 0;
const DESCRIPTION: usize = 1;
const KIND: usize = 2;
const SCRIPT: usize = 3;
const CHECKSUM: usize = 4;

pub(super) struct Flyway;

impl PeerHistory for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn title(&self) -> &'static str {
        "Flyway"
    }

    /// The second one is what it was called before Flyway 5.
    fn tables(&self) -> &'static [&'static str] {
        &["flyway_schema_history", "schema_version"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.has(&[
            "installed_rank",
            "version",
            "description",
            "type",
            "script",
            "checksum",
            "success",
        ])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let dialect = place.dialect;
        let column = |name: &str| sql::identifier(dialect, name);
        format!(
            "SELECT {}, description, {}, script, checksum, installed_by, {}, execution_time, {} FROM {} ORDER BY \
             installed_rank",
            column("version"),
            column("type"),
            sql::moment(dialect, "installed_on"),
            sql::truth(dialect, "success"),
            place.table.qualified(dialect)
        )
    }

    fn lock(&self, place: &Place<'_>) -> PeerLock {
        // Both are the name of the table as Flyway writes it in SQL.
        let hash = java_hash(&place.table.qualified(place.dialect));
        match place.dialect {
            Dialect::Postgres => sql::advisory_lock(LOCK + i64::from(hash)),
            Dialect::Mysql => sql::named_lock(&format!("Flyway-{hash}")),
            Dialect::Sqlite => PeerLock::default(),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            let (version, kind) = (row.text(VERSION), row.text(KIND));
            if kind == "SCHEMA" {
                continue;
            }
            if !row.truth(8) {
                state.trouble(
                    format!("{} failed", named(row)),
                    "undo by hand what it did (or finish it), let Flyway forget the failure with `flyway repair`, and adopt \
                     again",
                );
                continue;
            }
            if kind == "DELETE" || kind.starts_with("UNDO_") {
                forget_latest(&mut state.entries, row);
                continue;
            }
            let facts = Facts {
                at: row.optional(6).map(str::to_owned),
                duration_ms: row.number(7),
                by: row.optional(5).map(str::to_owned),
            };
            if kind == "BASELINE" || kind.ends_with("_BASELINE") {
                let Some(number) = Version::parse(version) else {
                    continue;
                };
                state.up_to.push(UpTo {
                    version: number,
                    row: format!("baseline {version}"),
                    ran: false,
                    facts: facts.clone(),
                });
                if kind == "BASELINE" {
                    continue;
                }
            }
            if version.is_empty() {
                // It ran before, with another text.
                forget_latest(&mut state.entries, row);
            }
            let recorded_as = match version {
                "" => repeatable_version(row),
                version => version.to_owned(),
            };
            if let Some(entry) = state.push(&recorded_as, named(row), row) {
                entry.description = row.text(DESCRIPTION).to_owned();
                let of_text = matches!(kind, "SQL" | "SQL_BASELINE");
                entry.checksum = row
                    .optional(CHECKSUM)
                    .filter(|_| of_text)
                    .map(str::to_owned);
                entry.facts = facts;
            }
        }
        state
    }

    /// Migrations with a version by that, others by their description.
    fn find<'d>(
        &self,
        entries: &[Entry],
        files: Files<'d>,
    ) -> Result<Vec<Option<&'d Migration>>, DirectoryError> {
        let directory = files.directory;
        let repeatable: HashMap<&str, &Migration> = directory
            .migrations
            .iter()
            .filter(|migration| !migration.version.is_number())
            .filter(|migration| migration.version.as_str().starts_with("R__"))
            .map(|migration| (migration.description.as_str(), migration))
            .collect();
        let of = |entry: &Entry| {
            if entry.columns.text(VERSION).is_empty() {
                repeatable.get(entry.description.as_str()).copied()
            } else {
                directory.get(&entry.version)
            }
        };
        Ok(entries.iter().map(of).collect())
    }

    fn verify(
        &self,
        _files: Files<'_>,
        pairs: &[(&Entry, &Migration)],
    ) -> Result<Vec<Verdict>, DirectoryError> {
        each(pairs, |entry, migration| {
            let Some(recorded) = &entry.checksum else {
                return Ok(Verdict::NotKept);
            };
            // A `B` script ran in the place of the `V` of its version and of all before it.
            let checkpoint = migration
                .checkpoint
                .as_ref()
                .filter(|_| entry.columns.text(KIND) == "SQL_BASELINE");
            let script = checkpoint.unwrap_or(&migration.up);
            let bytes = script.file_bytes()?;
            let text = String::from_utf8_lossy(&bytes);
            let found = checksum_flyway::checksum(&text).to_string();
            if *recorded == found {
                return Ok(Verdict::Same);
            }
            // That of a repeatable one is of its text with the values of placeholders.
            if entry.columns.text(VERSION).is_empty() {
                let replaced = migration.up.native_text()?;
                if checksum_flyway::checksum(&replaced).to_string() == *recorded {
                    return Ok(Verdict::Same);
                }
            }
            Ok(Verdict::Differs {
                recorded: recorded.clone(),
                found,
            })
        })
    }
}

/// A row as people know it: the name of its script.
fn named(row: &Row) -> String {
    let version = match row.text(VERSION) {
        "" => String::new(),
        version => format!("version {version}, "),
    };
    match row.text(KIND) {
        "SQL" | "SQL_BASELINE" => format!("{version}{}", row.text(SCRIPT)),
        kind => format!("{version}{} ({kind})", row.text(SCRIPT)),
    }
}

/// What a repeatable migration without a file is recorded as: the name of its file.
fn repeatable_version(row: &Row) -> String {
    let file = row.text(SCRIPT).rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    if stem.starts_with("R__") {
        stem.to_owned()
    } else {
        format!("R__{}", row.text(DESCRIPTION).replace(' ', "_"))
    }
}

/// Takes back the last row about the same migration.
fn forget_latest(entries: &mut Vec<Entry>, row: &Row) {
    let same = |entry: &Entry| {
        let version = entry.columns.text(VERSION);
        version == row.text(VERSION)
            && (!version.is_empty() || entry.columns.text(DESCRIPTION) == row.text(DESCRIPTION))
    };
    if let Some(place) = entries.iter().rposition(same) {
        entries.remove(place);
    }
}

/// `String.hashCode` of Java.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, table, versions};
    use super::*;

    fn lock(dialect: Dialect, schema: &str) -> PeerLock {
        Flyway.lock(&Place {
            dialect,
            database: "app",
            table: &table(schema, "flyway_schema_history", &[]),
            others: &[],
        })
    }

    #[test]
    fn the_names_of_its_locks() {
        let postgres = lock(Dialect::Postgres, "public");
        assert_eq!(
            postgres.tries,
            ["SELECT pg_try_advisory_xact_lock(77433833903597)"]
        );
        let mysql = lock(Dialect::Mysql, "app");
        assert_eq!(mysql.tries, ["SELECT GET_LOCK('Flyway--320650056', 0)"]);
        assert_eq!(lock(Dialect::Sqlite, "main"), PeerLock::default());
    }

    /// Version, description, type, script, checksum; all succeeded.
    fn state(some: &[[&str; 5]]) -> State {
        let all: Vec<Vec<&str>> = some
            .iter()
            .map(|row| {
                let mut row = row.to_vec();
                row.extend(["app", "2024-01-01T00:00:00Z", "12", "t"]);
                row
            })
            .collect();
        let all: Vec<&[&str]> = all.iter().map(|row| &row[..]).collect();
        Flyway.state(&rows(&all))
    }

    #[test]
    fn versions_and_the_latest_of_each_repeatable_are_applied() {
        let state = state(&[
            ["", "<< Flyway Schema Creation >>", "SCHEMA", "\"app\"", ""],
            ["1", "users", "SQL", "V1__users.sql", "11"],
            ["1.2", "orders", "SQL", "sub/V1_2__orders.sql", "-12"],
            ["", "views", "SQL", "R__views.sql", "1"],
            ["3", "code", "JDBC", "com.acme.V3__code", "5"],
            ["", "views", "SQL", "R__views.sql", "2"],
        ]);
        assert_eq!(versions(&state), ["1", "1.2", "3", "R__views"]);
        assert_eq!(state.entries[3].checksum.as_deref(), Some("2"));
        // Nothing that could be compared with a text.
        assert_eq!(state.entries[2].checksum, None);
        assert_eq!(state.entries[1].row, "version 1.2, sub/V1_2__orders.sql");
        assert_eq!(state.entries[0].facts.by.as_deref(), Some("app"));
        assert_eq!(state.entries[0].facts.duration_ms, Some(12));
        assert!(state.problems.is_empty());
    }

    #[test]
    fn undone_and_deleted_rows_count_no_more() {
        let state = state(&[
            ["1", "a", "SQL", "V1__a.sql", "1"],
            ["2", "b", "SQL", "V2__b.sql", "1"],
            ["3", "c", "SQL", "V3__c.sql", "1"],
            ["2", "b", "UNDO_SQL", "U2__b.sql", "1"],
            ["3", "c", "DELETE", "V3__c.sql", "1"],
            ["2", "b", "SQL", "V2__b.sql", "7"],
        ]);
        assert_eq!(versions(&state), ["1", "2"]);
        assert_eq!(state.entries[1].checksum.as_deref(), Some("7"));
    }

    #[test]
    fn baselines_cover_what_is_before_them() {
        let state = state(&[
            [
                "5",
                "<< Flyway Baseline >>",
                "BASELINE",
                "<< Flyway Baseline >>",
                "",
            ],
            ["10", "all", "SQL_BASELINE", "B10__all.sql", "3"],
            ["11", "next", "SQL", "V11__next.sql", "4"],
        ]);
        let up_to: Vec<&str> = state
            .up_to
            .iter()
            .map(|up_to| up_to.version.as_str())
            .collect();
        assert_eq!(up_to, ["5", "10"]);
        assert_eq!(versions(&state), ["10", "11"]);
    }

    #[test]
    fn a_failure_is_told() {
        let mut row = vec!["4", "broken", "SQL", "V4__broken.sql", "1"];
        row.extend(["app", "2024-01-01T00:00:00Z", "12", "0"]);
        let state = Flyway.state(&rows(&[&row]));
        assert!(state.entries.is_empty());
        assert_eq!(
            state.problems[0].message,
            "version 4, V4__broken.sql failed"
        );
        assert!(state.problems[0].advice.contains("flyway repair"));
    }
}
