//! refinery: a row for each version with a checksum of its name, version and text (`refinery_core/src/runner.rs`).

use super::{
    Entry, Files, PeerHistory, Place, Row, State, Table, Verdict, checksum_refinery, compared, each,
};
use crate::directory::{DirectoryError, Migration};

pub(super) struct Refinery;

impl PeerHistory for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn title(&self) -> &'static str {
        "refinery"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["refinery_schema_history"]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.is_exactly(&["version", "name", "applied_on", "checksum"])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let table = place.table.qualified(place.dialect);
        format!("SELECT version, name, applied_on, checksum FROM {table} ORDER BY version")
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            let (version, name) = (row.text(0), row.text(1));
            if let Some(entry) = state.push(version, format!("version {version}, {name}"), row) {
                entry.description = name.to_owned();
                entry.checksum = row.optional(3).map(str::to_owned);
                let at: Option<jiff::Timestamp> = row.optional(2).and_then(|at| at.parse().ok());
                entry.facts.at = at.map(|at| at.to_string());
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
            let text = String::from_utf8_lossy(&bytes);
            let number = entry.columns.number(0).unwrap_or_default();
            let (narrow, wide) = checksum_refinery::checksums(words(migration), number, &text);
            if recorded.parse() == Ok(wide) {
                return Ok(Verdict::Same);
            }
            Ok(compared(recorded, narrow.unwrap_or(wide).to_string()))
        })
    }
}

/// The words of a file name, as they stand there.
fn words(migration: &Migration) -> &str {
    let name = &migration.up.file_name;
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.strip_suffix(".sql").unwrap_or(file);
    stem.split_once("__").map_or(stem, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, versions};
    use super::*;

    #[test]
    fn each_row_is_applied_at_its_time() {
        let state = Refinery.state(&rows(&[
            &[
                "1",
                "initial",
                "2024-01-01T02:00:00.5+02:00",
                "10497821094466315700",
            ],
            &["2", "next", "once", "7"],
        ]));
        assert_eq!(versions(&state), ["1", "2"]);
        assert_eq!(
            state.entries[0].facts.at.as_deref(),
            Some("2024-01-01T00:00:00.5Z")
        );
        assert_eq!(state.entries[1].facts.at, None);
        assert_eq!(state.entries[0].row, "version 1, initial");
    }
}
