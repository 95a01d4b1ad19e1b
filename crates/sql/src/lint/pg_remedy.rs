//! What to write instead on PostgreSQL: constraints and columns taken apart into steps that block nobody for long.

use super::apart::together;
use super::pg_partitions::{Key, key_by_partition};
use super::proposal::Proposal;
use super::remedy::{self, name, names, object};
use super::rule::{At, FileAt};
use crate::lexer::{TokenKind, Tokens};
use crate::operation::{ColumnDefinition, Constraint, ConstraintKind, OperationKind};
use crate::schema::{Column, Schema, Table, ViewUse};
use crate::{Dialect, ObjectKind, ObjectName};

const POSTGRES: Dialect = Dialect::Postgres;

/// Of a file with more statements than these not all of them are shown again.
pub(super) const MOST_SHOWN: usize = 12;

/// `ALTER TABLE` with one action.
pub(super) fn alter(table: &ObjectName, action: &str) -> String {
    format!("ALTER TABLE {} {action};", object(POSTGRES, table))
}

/// `VIEW v` or `MATERIALIZED VIEW v`.
pub(super) fn view_words(view: &ObjectName) -> String {
    let words = match view.kind {
        ObjectKind::MaterializedView => "MATERIALIZED VIEW",
        _ => "VIEW",
    };
    format!("{words} {}", object(POSTGRES, view))
}

/// A statement that these views are in the way of: they and those on them are dropped before it, and made `again` after.
pub(super) fn without_views(
    schema: &Schema,
    views: Vec<ViewUse<'_>>,
    statement: &str,
    again: impl Fn(&ViewUse<'_>) -> String,
) -> String {
    let views = schema.with_views_on_them(views);
    let drop = |own: &ViewUse<'_>| format!("DROP {};", view_words(&own.view));
    let mut lines: Vec<String> = views.iter().map(drop).collect();
    lines.push(statement.to_owned());
    lines.extend(views.iter().rev().map(again));
    lines.join("\n")
}

/// The file cut in two before a statement, and once more after it when it has to be alone; and what to say where it has too
/// many statements to be shown again. Each part is a transaction of its own.
pub(super) fn cut(file: &FileAt<'_>, place: usize, alone: bool) -> (Proposal, &'static str) {
    let all = &file.file.script.statements;
    if all.len() > MOST_SHOWN {
        let say = match alone {
            true => "; it needs a migration of its own",
            false => "; one such statement per migration",
        };
        return (Proposal::default(), say);
    }
    let parts = match alone {
        true => vec![0..place, place..place + 1, place + 1..all.len()],
        false => vec![0..place, place..all.len()],
    };
    let parts = parts.into_iter();
    let parts = parts.filter_map(|part| together(file, |number| part.contains(&number)));
    (Proposal::of_file(parts.collect()), "")
}

/// The name that a constraint has or gets.
pub(super) fn constraint_name(at: &At<'_>, table: &ObjectName, constraint: &Constraint) -> String {
    let unknown = Table::sketch(&table.name, Vec::new(), Vec::new());
    let mut known = at.schema().table(table).unwrap_or(&unknown).clone();
    if let OperationKind::AddColumn { column, .. } = &at.operation.kind {
        known.columns.push(Column {
            definition: (**column).clone(),
            made_in: at.statement.file.number,
            default_of_server: false,
        });
    }
    let default = || known.default_constraint_name(&constraint.kind);
    let name = constraint.name.clone().or_else(default);
    name.unwrap_or_else(|| format!("{}_excl", table.name))
}

/// `CONSTRAINT name …` as one that stands by itself.
pub(super) fn constraint_text(at: &At<'_>, table: &ObjectName, constraint: &Constraint) -> String {
    let written = at
        .statement
        .text
        .get(constraint.span.clone())
        .unwrap_or_default();
    let capitals = written.to_ascii_uppercase();
    let words: &[&str] = match constraint.kind {
        ConstraintKind::Check { .. } => &["CHECK"],
        ConstraintKind::ForeignKey { .. } => &["FOREIGN KEY", "REFERENCES"],
        _ => &[],
    };
    let place = words.iter().find_map(|word| capitals.find(word));
    let text = place
        .and_then(|place| written.get(place..))
        .unwrap_or(written);
    let columns = match &constraint.kind {
        ConstraintKind::ForeignKey { columns, .. } if capitals.find("FOREIGN").is_none() => {
            format!("FOREIGN KEY ({}) ", names(POSTGRES, columns))
        }
        _ => String::new(),
    };
    let named = name(POSTGRES, &constraint_name(at, table, constraint));
    format!("CONSTRAINT {named} {columns}{text}")
}

/// A constraint that the rows need not obey yet, and the look at them in a migration of its own.
pub(super) fn validated_later(
    at: &At<'_>,
    table: &ObjectName,
    constraint: &Constraint,
) -> Vec<String> {
    let text = constraint_text(at, table, constraint);
    let named = name(POSTGRES, &constraint_name(at, table, constraint));
    vec![
        alter(table, &format!("ADD {text} NOT VALID")),
        alter(table, &format!("VALIDATE CONSTRAINT {named}")),
    ]
}

/// Whether a key is made on a partitioned table alone, which has no rows of its own.
pub(super) fn is_hollow(at: &At<'_>, table: &ObjectName) -> bool {
    let known = at.schema().table(table);
    at.statement.operations.only && known.is_some_and(|known| known.partitioned)
}

/// A unique or primary key from an index that is built while writes go on; `words` is `UNIQUE` or `PRIMARY KEY`.
pub(super) fn key_from_index(
    at: &At<'_>,
    table: &ObjectName,
    constraint: &Constraint,
    columns: &[String],
    words: &str,
) -> Vec<String> {
    let named = name(POSTGRES, &constraint_name(at, table, constraint));
    let written = at.statement.text.get(constraint.span.clone());
    let written = written.unwrap_or_default();
    let (of_index, of_constraint) = key_clauses(written);
    if at
        .schema()
        .table(table)
        .is_some_and(|known| known.partitioned)
    {
        // That of a new column is refused, since it has no column of the partition key.
        if at.operation.kind.added_column().is_some() {
            return Vec::new();
        }
        let key = Key {
            own: constraint_name(at, table, constraint),
            definition: without_name(written),
            words,
            columns: names(POSTGRES, columns),
            of_index,
            of_constraint,
        };
        return key_by_partition(at.schema(), table, &key);
    }
    vec![
        format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {named} ON {} ({}){of_index};",
            object(POSTGRES, table),
            names(POSTGRES, columns)
        ),
        alter(
            table,
            &format!("ADD CONSTRAINT {named} {words} USING INDEX {named}{of_constraint}"),
        ),
    ]
}

/// A constraint without `CONSTRAINT name`.
fn without_name(written: &str) -> &str {
    let mut place = 0;
    let mut words = 0;
    for (kind, token) in Tokens::new(POSTGRES, written) {
        let start = place;
        place += token.len();
        if kind.is_trivia() {
            continue;
        }
        if words == 0 && !token.eq_ignore_ascii_case("CONSTRAINT") || words == 2 {
            return written.get(start..).unwrap_or_default();
        }
        words += 1;
    }
    written
}

/// What a unique or primary key says besides its columns, each with a space before it: what `CREATE INDEX` takes, in the order
/// in which it takes it, and what is left to the constraint.
fn key_clauses(written: &str) -> (String, String) {
    let tokens = Tokens::new(POSTGRES, written);
    let tokens: Vec<(TokenKind, &str)> = tokens.filter(|(kind, _)| !kind.is_trivia()).collect();
    let is = |place: usize, words: &[&str]| {
        words.iter().enumerate().all(|(ahead, word)| {
            let token = tokens.get(place + ahead);
            token.is_some_and(|(_, token)| token.eq_ignore_ascii_case(word))
        })
    };
    let (mut include, mut nulls, mut with, mut tablespace) = Default::default();
    let mut later = String::new();
    let (mut place, mut depth) = (0, 0_usize);
    while let Some((_, token)) = tokens.get(place) {
        match *token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if is(place, &["INCLUDE", "("]) => include = with_list(&tokens, place),
            _ if is(place, &["WITH", "("]) => with = with_list(&tokens, place),
            _ if is(place, &["NULLS", "NOT", "DISTINCT"]) => {
                nulls = " NULLS NOT DISTINCT".to_owned();
            }
            _ if is(place, &["USING", "INDEX", "TABLESPACE"]) => {
                let space = tokens.get(place + 3).map_or("", |(_, space)| space);
                tablespace = format!(" TABLESPACE {space}");
            }
            _ if is(place, &["NOT", "DEFERRABLE"]) => {
                later.push_str(" NOT DEFERRABLE");
                place += 1;
            }
            _ if is(place, &["DEFERRABLE"]) => later.push_str(" DEFERRABLE"),
            _ if is(place, &["INITIALLY", "DEFERRED"]) => later.push_str(" INITIALLY DEFERRED"),
            _ if is(place, &["INITIALLY", "IMMEDIATE"]) => later.push_str(" INITIALLY IMMEDIATE"),
            _ => {}
        }
        place += 1;
    }
    (format!("{include}{nulls}{with}{tablespace}"), later)
}

/// ` WORD (a, b = 1)`, with the space before it.
fn with_list(tokens: &[(TokenKind, &str)], place: usize) -> String {
    let (mut text, mut depth) = (String::new(), 0_usize);
    for (_, token) in tokens.iter().skip(place) {
        let glued = matches!(*token, ")" | "," | ".") || text.ends_with(['(', '.']);
        if !glued {
            text.push(' ');
        }
        text.push_str(token);
        match *token {
            "(" => depth += 1,
            ")" if depth == 1 => break,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// The definition of a column without one of its constraints.
pub(super) fn column_without(
    at: &At<'_>,
    column: &ColumnDefinition,
    constraint: &Constraint,
) -> String {
    let text = at.statement.text;
    let before = text
        .get(column.span.start..constraint.span.start)
        .unwrap_or_default();
    let after = text
        .get(constraint.span.end..column.span.end)
        .unwrap_or_default();
    format!("{} {}", before.trim_end(), after.trim_start())
        .trim_end()
        .to_owned()
}

/// Name and type of a column, and nothing else.
pub(super) fn bare_column(at: &At<'_>, column: &ColumnDefinition) -> String {
    let data_type = column.data_type.as_ref();
    let written = data_type.and_then(|data_type| at.statement.text.get(data_type.span.clone()));
    let written = match written.unwrap_or_default().to_ascii_lowercase().as_str() {
        "serial" | "serial4" => "integer",
        "bigserial" | "serial8" => "bigint",
        "smallserial" | "serial2" => "smallint",
        _ => written.unwrap_or_default(),
    };
    format!("{} {written}", name(POSTGRES, &column.name))
}

/// A column whose default is for new rows only; the old ones get their value range by range.
pub(super) fn filled_later(
    at: &At<'_>,
    table: &ObjectName,
    column: &ColumnDefinition,
    default: &str,
    first: &str,
) -> Vec<String> {
    let named = name(POSTGRES, &column.name);
    let bare = bare_column(at, column);
    let mut files = vec![format!(
        "{}{first}\n{}",
        alter(table, &format!("ADD COLUMN {bare}")),
        alter(
            table,
            &format!("ALTER COLUMN {named} SET DEFAULT {default}")
        )
    )];
    files.push(remedy::backfill(
        at.schema(),
        table,
        &format!("{named} = {default}"),
        &format!("{named} IS NULL"),
    ));
    let is_key =
        |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    if column.not_null || column.constraints.iter().any(is_key) {
        files.extend(remedy::not_null(at.schema(), table, &column.name));
    }
    // A key comes when every row has its value.
    for constraint in &column.constraints {
        let words = match constraint.kind {
            ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
            ConstraintKind::Unique { .. } => "UNIQUE",
            _ => continue,
        };
        let columns = std::slice::from_ref(&column.name);
        files.extend(key_from_index(at, table, constraint, columns, words));
    }
    files
}
