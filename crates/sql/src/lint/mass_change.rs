//! An `UPDATE` or `DELETE` of many rows, written anew for a part of them.

use super::batches::{Batches, batches};
use super::remedy::{ended, name, names};
use super::rule::At;
use crate::lexer::{TokenKind, Tokens};
use crate::operation::{Expression, OperationKind};
use crate::{Dialect, ObjectName};

/// Functions that give the same for the same, as far as people use them in an `UPDATE`.
const STEADY: &[&str] = &[
    "abs",
    "coalesce",
    "concat",
    "length",
    "lower",
    "ltrim",
    "md5",
    "replace",
    "round",
    "rtrim",
    "substr",
    "substring",
    "trim",
    "upper",
];

/// The migration with the statement for some of the rows; none where nobody can tell which of them are done. `end` is where
/// its condition would begin when it has none.
pub(super) fn in_batches(
    at: &At<'_>,
    table: &ObjectName,
    condition: Option<&Expression>,
    end: usize,
) -> Vec<String> {
    let dialect = at.dialect();
    let text = at.statement.text.trim_end();
    let some_rows = condition.filter(|condition| !condition.is_constant(dialect));
    let written = some_rows.map(|condition| match condition.names(dialect, "or") {
        true => format!("({})", condition.text.trim()),
        false => condition.text.trim().to_owned(),
    });
    let batches = batches(at.schema(), table);
    let updates = matches!(at.operation.kind, OperationKind::Update { .. });
    let (some, note) = match undone(dialect, text) {
        _ if !batches.finds() || !updates => {
            (batches.some(dialect, table, written.as_deref()), None)
        }
        Some(undone) => {
            let both = written.map_or(undone.clone(), |written| format!("{undone} AND {written}"));
            (batches.some(dialect, table, Some(&both)), None)
        }
        // Only the key tells what is done.
        None => match between(at, table, written.as_deref()) {
            Some(some) => (some, Some(Batches::Range(String::new()))),
            None => return Vec::new(),
        },
    };
    let place = condition.map_or(end..end, |condition| condition.span.clone());
    let head = text.get(..place.start).unwrap_or_default().trim_end();
    let tail = text.get(place.end..).unwrap_or_default().trim();
    let some = match condition {
        Some(_) => some.trim_start_matches("WHERE "),
        None => &some,
    };
    let statement = format!("{head} {some} {tail}");
    vec![note.unwrap_or(batches).file(statement.trim_end())]
}

/// A range of a key of any type, with its ends to be filled in.
fn between(at: &At<'_>, table: &ObjectName, condition: Option<&str>) -> Option<String> {
    let key = at.schema().table(table)?.primary_key();
    let values = |words: &str| match key {
        [_] => format!("'<{words}>'"),
        key => {
            let each: Vec<String> = key.iter().map(|_| format!("'<{words}>'")).collect();
            format!("({})", each.join(", "))
        }
    };
    let row = match key {
        [] => return None,
        [column] => name(at.dialect(), column),
        key => format!("({})", names(at.dialect(), key)),
    };
    let also = condition.map_or(String::new(), |condition| format!(" AND {condition}"));
    Some(format!(
        "WHERE {row} > {} AND {row} <= {}{also}",
        values("last key of the range before"),
        values("last key of this one")
    ))
}

/// A condition that is true of the rows that an `UPDATE` has not changed yet: where it sets one column to what is the same
/// whenever it is computed.
fn undone(dialect: Dialect, text: &str) -> Option<String> {
    let tokens: Vec<(TokenKind, &str)> = Tokens::new(dialect, text).collect();
    let word = |(kind, token): &(TokenKind, &str), word: &str| {
        *kind == TokenKind::Word && token.eq_ignore_ascii_case(word)
    };
    let set = tokens.iter().position(|token| word(token, "set"))?;
    let mut parts = tokens.get(set + 1..)?.iter();
    let mut next = || parts.find(|(kind, _)| !kind.is_trivia());
    let (kind, column) = next()?;
    let named = matches!(kind, TokenKind::Word | TokenKind::QuotedName);
    if !named || next()?.1 != "=" {
        return None;
    }
    let mut value = String::new();
    for token in parts {
        match *token {
            (TokenKind::Symbol, ",") if !value.contains('(') => return None,
            _ if word(token, "where") || word(token, "returning") => break,
            _ if ["from", "order", "limit", "select"]
                .iter()
                .any(|other| word(token, other)) =>
            {
                return None;
            }
            (_, text) => value.push_str(text),
        }
    }
    let value = ended(&value);
    let value = value.trim_end_matches(';').trim();
    let expression = Expression {
        text: value.to_owned(),
        span: 0..value.len(),
    };
    let plain = column.trim_matches(['"', '`', '[', ']']);
    let functions = expression.functions(dialect);
    let steady = functions
        .iter()
        .all(|function| STEADY.contains(&function.as_str()));
    if value.is_empty() || !steady || expression.names(dialect, plain) {
        return None;
    }
    Some(match dialect {
        Dialect::Postgres => format!("{column} IS DISTINCT FROM {value}"),
        Dialect::Mysql => format!("NOT ({column} <=> {value})"),
        Dialect::Sqlite => format!("{column} IS NOT {value}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_yet_is_known_of_plain_values() {
        let undone = |text| undone(Dialect::Postgres, text);
        let known = |text, expected: &str| assert_eq!(undone(text).as_deref(), Some(expected));
        known("UPDATE t SET a = 'x'", "a IS DISTINCT FROM 'x'");
        known(
            "UPDATE t SET a = lower(b) WHERE c",
            "a IS DISTINCT FROM lower(b)",
        );
        for text in [
            "UPDATE t SET a = a + 1",
            "UPDATE t SET a = 1, b = 2",
            "UPDATE t SET a = now()",
            "UPDATE t SET a = gen_random_uuid()",
            "UPDATE t SET a = (SELECT b FROM c)",
            "UPDATE t SET a = c.b FROM c",
            "UPDATE t SET (a, b) = (1, 2)",
        ] {
            assert_eq!(undone(text), None, "{text}");
        }
    }
}
