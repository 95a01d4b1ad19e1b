//! diesel: one row for each version, with its time (`diesel_migrations`).

use super::{PeerHistory, Place, Row, State, Table, sql};

pub(super) struct Diesel;

impl PeerHistory for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn title(&self) -> &'static str {
        "diesel"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["__diesel_schema_migrations"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.has(&["version", "run_on"])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let table = place.table.qualified(place.dialect);
        let run_on = sql::moment(place.dialect, "run_on");
        format!("SELECT version, {run_on} FROM {table} ORDER BY version")
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            if let Some(entry) = state.push(row.text(0), format!("version {}", row.text(0)), row) {
                entry.facts.at = row.optional(1).map(str::to_owned);
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
    fn each_row_is_applied_at_its_time() {
        let state = Diesel.state(&rows(&[
            &["00000000000000", "2024-01-01T00:00:00Z"],
            &["20240102030405", ""],
        ]));
        assert_eq!(versions(&state), ["0", "20240102030405"]);
        assert_eq!(
            state.entries[0].facts.at.as_deref(),
            Some("2024-01-01T00:00:00Z")
        );
        assert!(Diesel.state(&[]).is_empty());
    }
}
