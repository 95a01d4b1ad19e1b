//! How large a table is that a finding is about, as far as the server has an idea.

use super::finding::Kind;
use super::rule::{Rule, StatementAt};
use crate::Dialect;
use crate::effect::{Effect, Work, effects};
use crate::operation::{Operation, OperationKind};

/// What is added to the message of a finding about a lock that lasts as long as a table is large, or about many rows that
/// one statement changes.
pub(super) fn of(at: &StatementAt<'_>, rule: &Rule, operations: &[Operation]) -> Option<String> {
    let changes_rows = operations.iter().any(|operation| {
        matches!(
            operation.kind,
            OperationKind::Update { .. } | OperationKind::Delete { .. }
        )
    });
    if rule.kind != Kind::Lock && !changes_rows {
        return None;
    }
    let large = operations
        .iter()
        .flat_map(|operation| long_effects(at, operation))
        .filter_map(|effect| Some((at.schema.estimated_rows(&effect.table)?, effect.table)));
    let (rows, table) = large.max_by_key(|(rows, _)| *rows)?;
    let source = match at.schema.dialect() {
        Dialect::Sqlite => "by the last ANALYZE",
        _ => "by the server's estimate",
    };
    Some(format!(
        "; `{}` has about {} {source}",
        table.name,
        in_words(rows)
    ))
}

/// The effects that last as long as a table is large: those on the table of the operation itself, if there are any.
fn long_effects(at: &StatementAt<'_>, operation: &Operation) -> Vec<Effect> {
    let mut all = effects(operation, at.schema);
    all.retain(|effect| effect.work > Work::Metadata && at.is_old(&effect.table));
    let own = operation.kind.table();
    let is_own = |effect: &Effect| own.is_some_and(|own| at.schema.same_name(own, &effect.table));
    if all.iter().any(is_own) {
        all.retain(is_own);
    }
    all
}

/// `12 million rows`, `45,000 rows`: two digits are as much as an estimate is worth.
fn in_words(rows: u64) -> String {
    const SCALES: [(u64, &str); 2] = [(1_000_000_000, "billion"), (1_000_000, "million")];
    let rounded = round(rows);
    for (unit, word) in SCALES {
        if rounded >= unit {
            let (whole, tenth) = (rounded / unit, rounded % unit / (unit / 10));
            return match tenth {
                0 => format!("{whole} {word} rows"),
                _ => format!("{whole}.{tenth} {word} rows"),
            };
        }
    }
    match rounded {
        1 => "1 row".to_owned(),
        0..1000 => format!("{rounded} rows"),
        _ => format!("{},{:03} rows", rounded / 1000, rounded % 1000),
    }
}

fn round(rows: u64) -> u64 {
    let mut unit = 1;
    while rows / unit >= 100 {
        unit *= 10;
    }
    rows.saturating_add(unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn estimates_have_two_digits() {
        for (rows, words) in [
            (1, "1 row"),
            (7, "7 rows"),
            (123, "120 rows"),
            (999, "1,000 rows"),
            (45_321, "45,000 rows"),
            (999_999, "1 million rows"),
            (1_249_000, "1.2 million rows"),
            (12_345_678, "12 million rows"),
            (3_500_000_000, "3.5 billion rows"),
            (u64::MAX, "18000000000 billion rows"),
        ] {
            assert_eq!(in_words(rows), words);
        }
    }
}
