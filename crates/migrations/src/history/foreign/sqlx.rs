//! sqlx: a row for each version with the SHA-384 of its file, and whether it succeeded (`sqlx-postgres/src/migrate.rs`
//! and its siblings).

use forerun_sql::Dialect;

use super::checksum_sqlx::{checksum, matches};
use super::{Entry, Files, PeerHistory, PeerLock, Place, Row, State, Table, Verdict, each, sql};
use crate::directory::{DirectoryError, Migration};

/// The factor of the number of its lock.
const SALT: i64 = 0x3d32_ad9e;

pub(super) struct Sqlx;

impl PeerHistory for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn title(&self) -> &'static str {
        "sqlx"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["_sqlx_migrations"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.is_exactly(&[
            "version",
            "description",
            "installed_on",
            "success",
            "checksum",
            "execution_time",
        ])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let dialect = place.dialect;
        format!(
            "SELECT version, description, {}, {}, {}, execution_time FROM {} ORDER BY version",
            sql::moment(dialect, "installed_on"),
            sql::truth(dialect, "success"),
            sql::hex(dialect, "checksum"),
            place.table.qualified(dialect)
        )
    }

    fn lock(&self, place: &Place<'_>) -> PeerLock {
        let id = lock_id(place.database);
        match place.dialect {
            Dialect::Postgres => sql::advisory_lock(id),
            Dialect::Mysql => sql::named_lock(&format!("{id:x}")),
            Dialect::Sqlite => PeerLock::default(),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            let (version, description) = (row.text(0), row.text(1));
            if !row.truth(3) {
                state.trouble(
                    format!("version {version} ({description}) is dirty: it was started and did not succeed"),
                    format!(
                        "look in the database how far it came; undo that by hand and delete the row of version {version}, or \
                         finish it by hand and set its `success` to true"
                    ),
                );
                continue;
            }
            if let Some(entry) = state.push(version, format!("version {version}"), row) {
                entry.description = description.to_owned();
                entry.checksum = row.optional(4).map(str::to_owned);
                entry.facts.at = row.optional(2).map(str::to_owned);
                // Nanoseconds; -1 when sqlx ended before it could say.
                let nanoseconds = row.number(5).filter(|nanoseconds| *nanoseconds >= 0);
                entry.facts.duration_ms = nanoseconds.map(|nanoseconds| nanoseconds / 1_000_000);
            }
        }
        state
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
            let bytes = migration.up.file_bytes()?;
            Ok(if matches(&bytes, recorded) {
                Verdict::Same
            } else {
                Verdict::Differs {
                    recorded: recorded.clone(),
                    found: checksum(&bytes),
                }
            })
        })
    }
}

fn lock_id(database: &str) -> i64 {
    SALT * i64::from(crc32fast::hash(database.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, versions};
    use super::*;

    #[test]
    fn the_number_of_its_lock() {
        assert_eq!(lock_id("app"), 3_469_795_979_745_788_610);
    }

    #[test]
    fn applied_and_dirty_versions() {
        let state = Sqlx.state(&rows(&[
            &["1", "users", "2024-01-01T00:00:00Z", "1", "ab", "2500000"],
            &["2", "orders", "2024-01-01T00:00:01Z", "t", "cd", "-1"],
            &["3", "rows", "2024-01-01T00:00:02Z", "f", "ef", "-1"],
        ]));
        assert_eq!(versions(&state), ["1", "2"]);
        assert_eq!(state.entries[0].facts.duration_ms, Some(2));
        assert_eq!(state.entries[1].facts.duration_ms, None);
        assert_eq!(state.entries[0].checksum.as_deref(), Some("ab"));
        assert_eq!(state.problems.len(), 1);
        assert!(
            state.problems[0]
                .message
                .contains("version 3 (rows) is dirty")
        );
    }
}
