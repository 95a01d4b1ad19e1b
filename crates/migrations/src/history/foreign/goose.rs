//! goose: a row for each time that a version was applied or reverted; the last one of a version counts
//! (`internal/dialects`, `database/store.go`, `lock/`).

use std::collections::BTreeMap;

use forerun_sql::Dialect;

use super::{PeerHistory, PeerLock, Place, Row, State, Table, sql};

/// The number of the lock that programs with its library may take.
const LOCK: i64 = 4_097_083_626;

pub(super) struct Goose;

impl PeerHistory for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn title(&self) -> &'static str {
        "goose"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["goose_db_version"]
    }

    fn companions(&self) -> &'static [&'static str] {
        &["goose_lock"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.has(&["id", "version_id", "is_applied", "tstamp"])
    }

    fn query(&self, place: &Place<'_>) -> String {
        format!(
            "SELECT version_id, {}, {} FROM {} ORDER BY id",
            sql::truth(place.dialect, "is_applied"),
            sql::moment(place.dialect, "tstamp"),
            place.table.qualified(place.dialect)
        )
    }

    /// The command takes none; programs with its library take a number, or lease a row of a table.
    fn lock(&self, place: &Place<'_>) -> PeerLock {
        if place.dialect != Dialect::Postgres {
            return PeerLock::default();
        }
        let mut lock = sql::advisory_lock(LOCK);
        let columns = ["locked", "locked_by", "lease_expires_at"];
        let leases = place.others.iter().find(|other| {
            other.schema == place.table.schema
                && other.is_called(&["goose_lock"])
                && other.has(&columns)
        });
        if let Some(leases) = leases {
            let leases = leases.qualified(place.dialect);
            lock.tries.push(format!(
                "SELECT NOT (locked AND coalesce(lease_expires_at > clock_timestamp(), true)) FROM {leases} FOR UPDATE"
            ));
            let holder = format!("SELECT locked_by, NULL, NULL, NULL FROM {leases} WHERE locked");
            let other = lock.holder.take().unwrap_or_default();
            lock.holder = Some(format!("{holder} UNION ALL {other}"));
        }
        lock
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut latest: BTreeMap<i64, &Row> = BTreeMap::new();
        let mut state = State::default();
        for row in rows {
            match row.number(0) {
                // It marks that the table was made.
                Some(0) => {}
                Some(version) => {
                    latest.insert(version, row);
                }
                None => state.trouble(
                    format!(
                        "its table has `{}` for a version, which is no number",
                        row.text(0)
                    ),
                    "look what wrote it",
                ),
            }
        }
        for (version, row) in latest {
            if !row.truth(1) {
                continue;
            }
            if let Some(entry) =
                state.push(&version.to_string(), format!("version_id {version}"), row)
            {
                entry.facts.at = row.optional(2).map(str::to_owned);
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, versions};
    use super::*;

    #[test]
    fn the_row_that_marks_the_table_is_no_migration() {
        assert!(Goose.state(&rows(&[&["0", "t", "x"]])).is_empty());
    }

    #[test]
    fn the_last_row_of_a_version_counts() {
        let state = Goose.state(&rows(&[
            &["0", "t", "2024-01-01T00:00:00Z"],
            &["1", "t", "2024-01-01T00:00:01Z"],
            &["2", "t", "2024-01-01T00:00:02Z"],
            &["3", "1", "2024-01-01T00:00:03Z"],
            &["2", "f", "2024-01-01T00:00:04Z"],
            &["3", "0", "2024-01-01T00:00:05Z"],
            &["3", "1", "2024-01-01T00:00:06Z"],
        ]));
        assert_eq!(versions(&state), ["1", "3"]);
        let at = state.entries[1].facts.at.as_deref();
        assert_eq!(at, Some("2024-01-01T00:00:06Z"));
        assert_eq!(state.entries[0].row, "version_id 1");
        assert_eq!(state.summary(), "2 applied");
        assert!(state.problems.is_empty());
    }

    #[test]
    fn what_is_no_number_is_told() {
        let state = Goose.state(&rows(&[&["a", "t", "x"]]));
        assert!(state.problems[0].message.contains("`a`"));
    }
}
