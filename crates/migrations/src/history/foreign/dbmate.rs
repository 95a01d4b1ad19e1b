//! dbmate: one row for each version, and nothing else (`pkg/driver/*`). Rails keeps the same table.

use super::{PeerHistory, Place, Row, State, Table};

pub(super) struct Dbmate;

impl PeerHistory for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn title(&self) -> &'static str {
        "dbmate"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["schema_migrations"]
    }

    fn recognises(&self, table: &Table) -> bool {
        let text = |data_type: &str| data_type.contains("char") || data_type.contains("text");
        table.is_exactly(&["version"]) && table.type_of("version").is_some_and(text)
    }

    fn query(&self, place: &Place<'_>) -> String {
        let table = place.table.qualified(place.dialect);
        format!("SELECT version FROM {table} ORDER BY version")
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            state.push(row.text(0), format!("version {}", row.text(0)), row);
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, versions};
    use super::*;

    #[test]
    fn each_row_is_applied() {
        let state = Dbmate.state(&rows(&[&["001"], &["20240102030405"]]));
        assert_eq!(versions(&state), ["1", "20240102030405"]);
        assert_eq!(state.entries[0].row, "version 001");
        assert!(Dbmate.state(&[]).is_empty());
    }

    #[test]
    fn a_row_that_is_no_version_is_told() {
        let state = Dbmate.state(&rows(&[&["1x"]]));
        assert!(
            state.problems[0].message.contains("`version 1x`"),
            "{state:?}"
        );
    }
}
