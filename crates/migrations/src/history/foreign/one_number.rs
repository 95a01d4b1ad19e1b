//! What golang-migrate and tern have in common: they keep one number and no list.

use super::{Facts, Row, State, UpTo};
use crate::history::Version;

/// Everything up to `number` is applied. `table` is what the tool's table says, as in `version 7`.
pub(super) fn up_to(number: i64, row: String, facts: Facts, title: &str) -> State {
    let mut state = State::default();
    let Some(version) = Version::parse(&number.to_string()) else {
        return state;
    };
    state.warnings.push(format!(
        "{title} keeps one number and no list: every migration up to {number} is taken as applied, also one that was \
         merged late and that {title} left out. If that may have happened, compare the schema with the files"
    ));
    state.up_to.push(UpTo {
        version,
        row,
        ran: true,
        facts,
    });
    state
}

/// A table of one number with several rows.
pub(super) fn refuse_rows(rows: &[Row], title: &str) -> Option<State> {
    if rows.len() < 2 {
        return None;
    }
    let mut state = State::default();
    state.trouble(
        format!(
            "its table has {} rows, and {title} keeps exactly one",
            rows.len()
        ),
        format!(
            "find out which number is right, delete the other rows, and see that {title} agrees"
        ),
    );
    Some(state)
}
