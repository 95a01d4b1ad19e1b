//! golang-migrate: one row with one number and whether the way to it was left half done
//! (`database/postgres/postgres.go`, `database/mysql/mysql.go`, `database/util.go`).

use forerun_sql::Dialect;

use super::one_number::{refuse_rows, up_to};
use super::{Facts, PeerHistory, PeerLock, Place, Row, State, Table, sql};

/// The factor of the number of its lock.
const SALT: u32 = 1_486_364_155;

pub(super) struct GolangMigrate;

impl PeerHistory for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    fn title(&self) -> &'static str {
        "golang-migrate"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["schema_migrations"]
    }

    /// A script may have added columns.
    fn recognises(&self, table: &Table) -> bool {
        table.has(&["version", "dirty"])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let dirty = sql::truth(place.dialect, "dirty");
        format!(
            "SELECT version, {dirty} FROM {}",
            place.table.qualified(place.dialect)
        )
    }

    fn lock(&self, place: &Place<'_>) -> PeerLock {
        let Table { schema, name, .. } = place.table;
        match place.dialect {
            Dialect::Postgres => {
                sql::advisory_lock(lock_id(&format!("{schema}\0{name}\0{}", place.database)))
            }
            Dialect::Mysql => {
                sql::named_lock(&lock_id(&format!("{}:{name}", place.database)).to_string())
            }
            Dialect::Sqlite => PeerLock::default(),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        if let Some(refused) = refuse_rows(rows, self.title()) {
            return refused;
        }
        let Some(row) = rows.first() else {
            return State::default();
        };
        let text = row.text(0);
        let Some(number) = row.number(0) else {
            let mut state = State::default();
            state.trouble(
                format!("its table has `{text}` for a version, which is no number"),
                "look what wrote it",
            );
            return state;
        };
        let dirty = row.truth(1);
        if dirty {
            return dirty_state(number);
        }
        if number < 0 {
            return State::default();
        }
        up_to(
            number,
            format!("version {number}"),
            Facts::default(),
            self.title(),
        )
    }
}

/// The row names where golang-migrate was going, and not from where.
fn dirty_state(number: i64) -> State {
    let way = if number < 0 {
        "the down script of its first migration failed".to_owned()
    } else {
        format!(
            "the up script of {number} failed, or the down script of the version after it; the row does not say which"
        )
    };
    let mut state = State::default();
    state.trouble(
        format!("it is dirty at version {number}: {way}"),
        "look in the database how far that script came, finish or undo it by hand, and tell golang-migrate the last \
         version that is applied completely: `migrate … force VERSION`",
    );
    state
}

fn lock_id(key: &str) -> i64 {
    i64::from(crc32fast::hash(key.as_bytes()).wrapping_mul(SALT))
}

#[cfg(test)]
mod tests {
    use super::super::tests::rows;
    use super::*;

    #[test]
    fn the_numbers_of_its_locks() {
        assert_eq!(lock_id("public\0schema_migrations\0app"), 1_787_120_056);
        assert_eq!(lock_id("app:schema_migrations"), 2_938_252_834);
    }

    #[test]
    fn nothing_is_applied_without_a_row() {
        assert!(GolangMigrate.state(&[]).is_empty());
    }

    #[test]
    fn a_clean_number_covers_all_below_it_with_a_warning() {
        let state = GolangMigrate.state(&rows(&[&["7", "f"]]));
        assert_eq!(state.up_to[0].version.as_str(), "7");
        assert!(state.up_to[0].ran && state.problems.is_empty());
        assert_eq!(state.summary(), "at version 7");
        assert!(
            state.warnings[0].contains("merged late"),
            "{:?}",
            state.warnings
        );
    }

    #[test]
    fn a_dirty_one_is_explained_and_not_guessed() {
        for dirty in ["t", "1", "true"] {
            let state = GolangMigrate.state(&rows(&[&["7", dirty]]));
            assert!(state.up_to.is_empty() && !state.is_empty());
            let trouble = &state.problems[0];
            assert!(
                trouble.message.contains("dirty at version 7"),
                "{trouble:?}"
            );
            assert!(
                trouble.message.contains("does not say which"),
                "{trouble:?}"
            );
            assert!(trouble.advice.contains("force"), "{trouble:?}");
        }
        let state = GolangMigrate.state(&rows(&[&["-1", "t"]]));
        assert!(
            state.problems[0]
                .message
                .contains("the down script of its first")
        );
    }

    #[test]
    fn more_than_one_row_is_not_its_own() {
        let state = GolangMigrate.state(&rows(&[&["7", "f"], &["8", "f"]]));
        assert!(state.up_to.is_empty());
        assert!(state.problems[0].message.contains("2 rows"));
    }
}
