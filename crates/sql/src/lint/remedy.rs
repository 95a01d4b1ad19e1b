//! SQL to write instead, built from the names at hand.

pub(super) use super::batches::{backfill, copied};
use super::lt_remedy::is_row;
use crate::lexer::{TokenKind, Tokens};
use crate::operation::TypeName;
use crate::schema::Schema;
use crate::{Dialect, Directive, ObjectName, Statement};

/// Words that all three databases, or one that matters, refuse as a name without quotes.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "as",
    "case",
    "check",
    "column",
    "constraint",
    "create",
    "default",
    "desc",
    "end",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "index",
    "into",
    "key",
    "limit",
    "not",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "rank",
    "references",
    "select",
    "table",
    "to",
    "unique",
    "user",
    "using",
    "values",
    "when",
    "where",
];

/// A migration that runs when the release is gone that still uses something.
pub(super) fn contract(sql: &str) -> String {
    format!("-- forerun:contract unused-since=<release>\n{sql}")
}

/// A migration that changes rows.
pub(super) fn data(sql: &str) -> String {
    format!("-- forerun:data\n{sql}")
}

/// What a statement needs of the rows, asked before it runs.
pub(super) fn asserted(message: &str, query: &str, statement: &str) -> String {
    format!(
        "-- forerun:assert \"{message}\"\n{query};\n{}",
        ended(statement)
    )
}

/// The line of a directive that stands before a statement.
pub(super) fn line_of<'a>(statement: &'a Statement, directive: &Directive) -> Option<&'a str> {
    let offset = directive.position.offset - statement.leading_position.offset;
    let rest = statement.leading.get(usize::try_from(offset).ok()?..)?;
    rest.lines().next().map(str::trim_end)
}

/// A statement with its `;`.
pub(super) fn ended(statement: &str) -> String {
    format!("{};", statement.trim_end())
}

/// A name, in quotes where it needs them.
pub(super) fn name(dialect: Dialect, name: &str) -> String {
    let plain = |character: char| {
        character == '_'
            || character.is_ascii_lowercase()
            || character.is_ascii_digit()
            || (dialect != Dialect::Postgres && character.is_ascii_uppercase())
    };
    let is_plain = name.chars().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && !RESERVED.contains(&name.to_ascii_lowercase().as_str());
    match (is_plain, dialect) {
        (true, _) => name.to_owned(),
        (false, Dialect::Mysql) => format!("`{}`", name.replace('`', "``")),
        (false, _) => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The name of an object, with its schema where it was written with one.
pub(super) fn object(dialect: Dialect, object: &ObjectName) -> String {
    match &object.schema {
        Some(schema) => format!("{}.{}", name(dialect, schema), name(dialect, &object.name)),
        None => name(dialect, &object.name),
    }
}

/// The name of an object for a sentence: without quotes.
pub(super) fn spoken(object: &ObjectName) -> String {
    match &object.schema {
        Some(schema) => format!("{schema}.{}", object.name),
        None => object.name.clone(),
    }
}

/// Names with commas between them.
pub(super) fn names(dialect: Dialect, list: &[String]) -> String {
    let list: Vec<String> = list.iter().map(|one| name(dialect, one)).collect();
    list.join(", ")
}

/// A type as it is written.
pub(super) fn type_name(of: &TypeName) -> String {
    let arguments: Vec<String> = match of.name.as_str() {
        "enum" | "set" => of.arguments.iter().map(|label| literal(label)).collect(),
        _ => of.arguments.clone(),
    };
    let mut text = of.name.clone();
    if !arguments.is_empty() {
        text.push_str(&format!("({})", arguments.join(", ")));
    }
    if of.array {
        text.push_str("[]");
    }
    if of.unsigned {
        text.push_str(" UNSIGNED");
    }
    text
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Triggers that keep two columns the same, whichever of the two a release writes.
pub(super) fn keep_same(schema: &Schema, table: &ObjectName, old: &str, new: &str) -> String {
    let dialect = schema.dialect();
    let sync = sync_name(table, new);
    let (raw_old, raw_new) = (old, new);
    let (old, new) = (name(dialect, old), name(dialect, new));
    let on = object(dialect, table);
    let named = |suffix: &str| name(dialect, &format!("{sync}{suffix}"));
    match dialect {
        Dialect::Postgres => keep_converted(
            table,
            raw_old,
            raw_new,
            &format!("NEW.{old}"),
            Some(&format!("NEW.{new}")),
        ),
        Dialect::Mysql => format!(
            "CREATE TRIGGER {} BEFORE INSERT ON {on} FOR EACH ROW\n  \
             SET NEW.{new} = COALESCE(NEW.{new}, NEW.{old}), NEW.{old} = NEW.{new};\n\
             CREATE TRIGGER {} BEFORE UPDATE ON {on} FOR EACH ROW\n  \
             SET NEW.{new} = IF(NEW.{new} <=> OLD.{new}, NEW.{old}, NEW.{new}), NEW.{old} = NEW.{new};",
            named("_insert"),
            named("_update")
        ),
        Dialect::Sqlite => {
            let row = is_row(schema, table, "NEW");
            format!(
                "CREATE TRIGGER {} AFTER INSERT ON {on} WHEN NEW.{old} IS NOT NEW.{new} BEGIN\n  \
                 UPDATE {on} SET {new} = coalesce(NEW.{new}, NEW.{old}), {old} = coalesce(NEW.{new}, NEW.{old}) WHERE {row};\nEND;\n\
                 CREATE TRIGGER {} AFTER UPDATE OF {old} ON {on} WHEN NEW.{old} IS NOT NEW.{new} BEGIN\n  \
                 UPDATE {on} SET {new} = NEW.{old} WHERE {row};\nEND;\n\
                 CREATE TRIGGER {} AFTER UPDATE OF {new} ON {on} WHEN NEW.{old} IS NOT NEW.{new} BEGIN\n  \
                 UPDATE {on} SET {old} = NEW.{new} WHERE {row};\nEND;",
                named("_insert"),
                named("_old"),
                named("_new")
            )
        }
    }
}

/// The trigger of PostgreSQL that keeps a column and one of another type the same. `forth` is the value of the new column,
/// `back` that of the old one; without it only the new one follows.
pub(super) fn keep_converted(
    table: &ObjectName,
    old: &str,
    new: &str,
    forth: &str,
    back: Option<&str>,
) -> String {
    let function = name(Dialect::Postgres, &sync_name(table, new));
    let (old, new) = (name(Dialect::Postgres, old), name(Dialect::Postgres, new));
    let on = object(Dialect::Postgres, table);
    let (note, back) = match back {
        Some(back) => (String::new(), format!("  ELSE\n    NEW.{old} := {back};\n")),
        None => (
            format!(
                "-- a release that writes {new} writes {old} as well: the trigger cannot turn the expression round\n"
            ),
            String::new(),
        ),
    };
    format!(
        "{note}CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  \
         IF TG_OP = 'INSERT' AND NEW.{new} IS NULL OR TG_OP = 'UPDATE' AND NEW.{new} IS NOT DISTINCT FROM OLD.{new} THEN\n    \
         NEW.{new} := {forth};\n{back}  END IF;\n  RETURN NEW;\nEND $$;\n\
         CREATE TRIGGER {function} BEFORE INSERT OR UPDATE ON {on}\n  FOR EACH ROW EXECUTE FUNCTION {function}();"
    )
}

/// Drops what [`keep_same`] made.
pub(super) fn no_longer_same(dialect: Dialect, table: &ObjectName, new: &str) -> String {
    let sync = sync_name(table, new);
    let named = |suffix: &str| name(dialect, &format!("{sync}{suffix}"));
    let drops: Vec<String> = match dialect {
        Dialect::Postgres => vec![
            format!("DROP TRIGGER {} ON {};", named(""), object(dialect, table)),
            format!("DROP FUNCTION {}();", named("")),
        ],
        Dialect::Mysql => ["_insert", "_update"]
            .map(|suffix| format!("DROP TRIGGER {};", named(suffix)))
            .to_vec(),
        Dialect::Sqlite => ["_insert", "_old", "_new"]
            .map(|suffix| format!("DROP TRIGGER {};", named(suffix)))
            .to_vec(),
    };
    drops.join("\n")
}

fn sync_name(table: &ObjectName, new: &str) -> String {
    format!("{}_{new}_same", table.name)
}

/// The migrations that make a column refuse NULL: without reading the table under a lock where that can be had. None for
/// SQLite, which cannot before 3.53.
pub(super) fn not_null(schema: &Schema, table: &ObjectName, column: &str) -> Vec<String> {
    let dialect = schema.dialect();
    let on = object(dialect, table);
    let check = name(dialect, &format!("{}_{column}_not_null", table.name));
    let named = name(dialect, column);
    match dialect {
        Dialect::Postgres => vec![
            contract(&format!(
                "ALTER TABLE {on} ADD CONSTRAINT {check} CHECK ({named} IS NOT NULL) NOT VALID;"
            )),
            format!("ALTER TABLE {on} VALIDATE CONSTRAINT {check};"),
            format!(
                "ALTER TABLE {on} ALTER COLUMN {named} SET NOT NULL;\nALTER TABLE {on} DROP CONSTRAINT {check};"
            ),
        ],
        Dialect::Mysql | Dialect::Sqlite => Vec::new(),
    }
}

/// A text without a row of words, such as `NOT NULL`.
pub(super) fn without(dialect: Dialect, text: &str, words: &[&str]) -> String {
    let tokens: Vec<(TokenKind, &str)> = Tokens::new(dialect, text).collect();
    let mut kept = String::new();
    let mut place = 0;
    while let Some((_, token)) = tokens.get(place) {
        match length_of(tokens.get(place..).unwrap_or_default(), words) {
            Some(length) => place += length,
            None => {
                kept.push_str(token);
                place += 1;
            }
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a row of words stands in a text.
pub(super) fn says(dialect: Dialect, text: &str, words: &[&str]) -> bool {
    let tokens: Vec<(TokenKind, &str)> = Tokens::new(dialect, text).collect();
    (0..tokens.len())
        .any(|place| length_of(tokens.get(place..).unwrap_or_default(), words).is_some())
}

/// How many tokens these words take, with the space between them, when they begin here.
fn length_of(tokens: &[(TokenKind, &str)], words: &[&str]) -> Option<usize> {
    let mut length = 0;
    for (number, word) in words.iter().enumerate() {
        while number > 0 && tokens.get(length).is_some_and(|(kind, _)| kind.is_trivia()) {
            length += 1;
        }
        let (kind, text) = tokens.get(length)?;
        if *kind != TokenKind::Word || !text.eq_ignore_ascii_case(word) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(name(Dialect::Postgres, "users"), "users");
        assert_eq!(name(Dialect::Postgres, "User"), "\"User\"");
        assert_eq!(name(Dialect::Mysql, "order"), "`order`");
        assert_eq!(name(Dialect::Sqlite, "a b"), "\"a b\"");
    }

    #[test]
    fn words_are_taken_out_of_a_definition() {
        let text = without(
            Dialect::Postgres,
            "a text Not  NULL CHECK (a <> 'not null')",
            &["NOT", "NULL"],
        );
        assert_eq!(text, "a text CHECK (a <> 'not null')");
    }
}
