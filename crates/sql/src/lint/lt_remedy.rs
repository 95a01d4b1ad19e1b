//! What the rules for SQLite have in common.

use super::batches::rowid;
use super::remedy::{self, name, object};
use super::rule::At;
use crate::operation::{ColumnDefinition, OperationKind};
use crate::schema::{Schema, Table};
use crate::{Dialect, ObjectName};

const SQLITE: Dialect = Dialect::Sqlite;

/// The column that an operation adds to a table that was there before, with rows in it.
pub(super) fn added<'a>(at: &At<'a>) -> Option<(&'a ObjectName, &'a ColumnDefinition)> {
    match &at.operation.kind {
        OperationKind::AddColumn { table, column, .. } if at.is_old(table) => Some((table, column)),
        _ => None,
    }
}

/// `ALTER TABLE` with one action.
pub(super) fn alter(table: &ObjectName, action: &str) -> String {
    format!("ALTER TABLE {} {action};", object(SQLITE, table))
}

/// The definition of a column without a part of it.
pub(super) fn definition_without(
    at: &At<'_>,
    column: &ColumnDefinition,
    part: std::ops::Range<usize>,
) -> String {
    let text = at.statement.text;
    let before = text.get(column.span.start..part.start).unwrap_or_default();
    let after = text.get(part.end..column.span.end).unwrap_or_default();
    format!("{} {}", before.trim_end(), after.trim_start())
        .trim_end()
        .to_owned()
}

/// The definition of a column without its default.
pub(super) fn without_default(at: &At<'_>, column: &ColumnDefinition) -> Option<String> {
    let default = column.default.as_ref()?;
    let text = at.statement.text;
    let before = text.get(column.span.start..default.span.start)?;
    let start = before.to_ascii_uppercase().rfind("DEFAULT")? + column.span.start;
    Some(definition_without(at, column, start..default.span.end))
}

/// A condition that is true of the row that a trigger is about, and of no other.
pub(super) fn is_row(schema: &Schema, table: &ObjectName, row: &str) -> String {
    let known = schema.table(table);
    match known.map_or(Some("rowid"), rowid) {
        Some(rowid) => format!("{rowid} = {row}.{rowid}"),
        None => {
            let key = known.map(Table::primary_key).unwrap_or_default().iter();
            let same = key.map(|column| {
                let column = name(SQLITE, column);
                format!("{column} = {row}.{column}")
            });
            same.collect::<Vec<_>>().join(" AND ")
        }
    }
}

/// A value for old rows range by range, and for new ones by a trigger.
pub(super) fn filled_by_trigger(
    at: &At<'_>,
    table: &ObjectName,
    column: &str,
    value: &str,
) -> [String; 2] {
    let named = name(SQLITE, column);
    let trigger = name(SQLITE, &format!("{}_{column}_default", table.name));
    let on = object(SQLITE, table);
    let row = is_row(at.schema(), table, "NEW");
    [
        format!(
            "CREATE TRIGGER {trigger} AFTER INSERT ON {on} WHEN NEW.{named} IS NULL BEGIN\n  \
             UPDATE {on} SET {named} = {value} WHERE {row};\nEND;"
        ),
        remedy::backfill(
            at.schema(),
            table,
            &format!("{named} = {value}"),
            &format!("{named} IS NULL"),
        ),
    ]
}
