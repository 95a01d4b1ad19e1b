//! How the values of a column become those of another type on PostgreSQL, and back.

use super::remedy::{name, type_name};
use super::rule::At;
use crate::Dialect;
use crate::ObjectKind;
use crate::ObjectName;
use crate::lexer::{TokenKind, Tokens};
use crate::operation::{Expression, TypeName};

const POSTGRES: Dialect = Dialect::Postgres;

/// The expressions of both directions.
pub(super) struct Conversion {
    /// The new value, by the names of the columns.
    pub forth: String,
    /// The same in a trigger, of the row that is written.
    pub forth_of_row: String,
    /// The old value in a trigger; `None` where nobody can tell how to turn the expression round.
    pub back_of_row: Option<String>,
}

/// How `column` becomes one of the type `to` beside it that is called `new`.
pub(super) fn conversion(
    at: &At<'_>,
    table: &ObjectName,
    column: &str,
    new: &str,
    to: &TypeName,
    using: Option<&Expression>,
) -> Conversion {
    let (old_name, new_name) = (name(POSTGRES, column), name(POSTGRES, new));
    let written = at.statement.text.get(to.span.clone()).unwrap_or_default();
    let known = at.schema().column(table, column);
    let from = known.and_then(|known| known.definition.data_type.as_ref());
    let cast = from.and_then(|from| cast(at, from, to));
    let forth = match (using, cast) {
        (Some(using), _) => using.text.trim().to_owned(),
        (None, Some(way)) => format!("{old_name}{way}::{written}"),
        (None, None) => old_name,
    };
    let converts = forth != name(POSTGRES, column);
    // What becomes a text or an enumeration is assigned as it is written out; for others a cast may have to be asked for.
    let cast_back = from.filter(|from| {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" _".contains(&byte);
        converts && !is_text(from) && !is_enum(at, from) && from.name.bytes().all(plain)
    });
    let back = match cast_back {
        Some(from) => format!("NEW.{new_name}::{}", type_name(from)),
        None => format!("NEW.{new_name}"),
    };
    let turns_round = using.is_none_or(|using| is_cast(&using.text, column));
    Conversion {
        forth_of_row: of_row(at, table, column, &forth),
        back_of_row: turns_round.then_some(back),
        forth,
    }
}

/// What stands between a column and the cast that it needs where it is assigned; `None` where it needs none.
fn cast(at: &At<'_>, from: &TypeName, to: &TypeName) -> Option<&'static str> {
    let from_enum = is_enum(at, from);
    let needs = (from_enum || is_text(from)) && !is_text(to) && from.name != to.name;
    // No enumeration becomes anything but a text.
    needs.then_some(if from_enum { "::text" } else { "" })
}

fn is_text(of: &TypeName) -> bool {
    !of.array && matches!(of.name.as_str(), "text" | "varchar" | "char" | "bpchar")
}

fn is_enum(at: &At<'_>, of: &TypeName) -> bool {
    let named = ObjectName {
        kind: ObjectKind::Type,
        schema: None,
        name: of.name.clone(),
    };
    !of.array && at.schema().enum_labels(&named).is_some()
}

/// Whether an expression is the column with casts after it, and nothing else.
fn is_cast(text: &str, column: &str) -> bool {
    let mut tokens = Tokens::new(POSTGRES, text)
        .filter(|(kind, text)| !kind.is_trivia() && !matches!(*text, "(" | ")"));
    let is_column = tokens
        .next()
        .is_some_and(|(kind, text)| is(kind, text, column));
    let rest: Vec<&str> = tokens.map(|(_, text)| text).collect();
    let cast = |text: &&str| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'"';
        matches!(*text, ":" | "." | "," | "[" | "]") || text.bytes().all(word)
    };
    is_column && rest.iter().all(cast) && (rest.is_empty() || rest.starts_with(&[":", ":"]))
}

/// An expression with `NEW.` before the columns of the table.
fn of_row(at: &At<'_>, table: &ObjectName, column: &str, text: &str) -> String {
    let known = at.schema().table(table);
    let is_column = |kind, text: &str| {
        let mut columns = known.iter().flat_map(|known| &known.columns);
        is(kind, text, column) || columns.any(|other| is(kind, text, &other.definition.name))
    };
    let tokens: Vec<(TokenKind, &str)> = Tokens::new(POSTGRES, text).collect();
    let mut row = String::new();
    let mut before = "";
    for (place, (kind, text)) in tokens.iter().enumerate() {
        let rest = tokens.get(place + 1..).unwrap_or_default();
        let after = rest.iter().find(|(kind, _)| !kind.is_trivia());
        let after = after.map_or("", |(_, text)| text);
        // A type stands after these, and a part of something after the last.
        let other = matches!(before, ":" | ".") || before.eq_ignore_ascii_case("as");
        if !other && after == "." && is(*kind, text, &table.name) {
            row.push_str("NEW");
        } else {
            if !other && after != "(" && after != "." && is_column(*kind, text) {
                row.push_str("NEW.");
            }
            row.push_str(text);
        }
        if !kind.is_trivia() {
            before = text;
        }
    }
    row
}

/// Whether a token is this name.
fn is(kind: TokenKind, text: &str, name: &str) -> bool {
    match kind {
        TokenKind::Word => text.to_ascii_lowercase() == name,
        TokenKind::QuotedName => text.trim_matches('"') == name,
        _ => false,
    }
}
