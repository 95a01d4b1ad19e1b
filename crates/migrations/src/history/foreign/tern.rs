//! tern: one row with one number, 0 at first (`migrate/migrate.go`). PostgreSQL only.

use super::one_number::{refuse_rows, up_to};
use super::{Facts, PeerHistory, PeerLock, Place, Row, State, Table, sql};

/// The number of its lock.
const LOCK: i64 = 9_628_173_550_095_224;

pub(super) struct Tern;

impl PeerHistory for Tern {
    fn name(&self) -> &'static str {
        "tern"
    }

    fn title(&self) -> &'static str {
        "tern"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["schema_version"]
    }

    fn schemas(&self) -> &'static [&'static str] {
        &["public"]
    }

    fn recognises(&self, table: &Table) -> bool {
        let number = |data_type: &str| data_type.contains("int");
        table.is_exactly(&["version"]) && table.type_of("version").is_some_and(number)
    }

    fn query(&self, place: &Place<'_>) -> String {
        format!(
            "SELECT version FROM {}",
            place.table.qualified(place.dialect)
        )
    }

    fn lock(&self, place: &Place<'_>) -> PeerLock {
        match place.dialect {
            forerun_sql::Dialect::Postgres => sql::advisory_lock(LOCK),
            _ => PeerLock::default(),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        if let Some(refused) = refuse_rows(rows, self.title()) {
            return refused;
        }
        match rows.first().and_then(|row| row.number(0)) {
            Some(number) if number > 0 => up_to(
                number,
                format!("version {number}"),
                Facts::default(),
                self.title(),
            ),
            _ => State::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::rows;
    use super::*;

    #[test]
    fn zero_is_nothing_and_a_number_covers_all_below_it() {
        assert!(Tern.state(&rows(&[&["0"]])).is_empty());
        assert!(Tern.state(&[]).is_empty());
        let state = Tern.state(&rows(&[&["3"]]));
        assert_eq!(state.up_to[0].version.as_str(), "3");
        assert_eq!(Tern.state(&rows(&[&["3"], &["4"]])).problems.len(), 1);
    }
}
