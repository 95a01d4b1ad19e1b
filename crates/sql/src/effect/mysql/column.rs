//! Columns that come, change and go.

use super::type_change::{self, character_set};
use super::{Cause, Way, conversion, instant_for_rows, rebuilt, same};
use crate::Dialect;
use crate::operation::{ColumnDefinition, ConstraintKind};
use crate::schema::Table;

/// Functions whose value is another one for each row. `RAND` is not one of them to the server.
const EACH_ROW: &[&str] = &[
    "uuid",
    "uuid_short",
    "uuid_v4",
    "uuid_v7",
    "sys_guid",
    "sysdate",
    "last_insert_id",
];

pub(super) fn added(column: &ColumnDefinition, known: Option<&Table>) -> Way {
    let has = |wanted: fn(&ConstraintKind) -> bool| {
        column
            .constraints
            .iter()
            .any(|constraint| wanted(&constraint.kind))
    };
    if column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored)
    {
        return Way::Copy(Cause::Stored);
    }
    if has(|kind| matches!(kind, ConstraintKind::ForeignKey { .. })) {
        return Way::Copy(Cause::ForeignKey);
    }
    if column.numbered {
        return Way::SharedRebuild;
    }
    if differs_by_row(column, known) {
        return Way::Copy(Cause::Default);
    }
    if has(|kind| {
        matches!(
            kind,
            ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }
        )
    }) {
        return rebuilt(known);
    }
    if column.generated.is_some() {
        return Way::Instant;
    }
    instant_for_rows(known)
}

/// Whether the default must be computed for each row that is there.
fn differs_by_row(column: &ColumnDefinition, known: Option<&Table>) -> bool {
    let Some(default) = &column.default else {
        return false;
    };
    let functions = default.functions(Dialect::Mysql);
    let of_row = |function: &String| EACH_ROW.contains(&function.as_str());
    let next_value = default.text.to_ascii_uppercase().contains("NEXT VALUE FOR");
    let names_column = known.is_some_and(|table| {
        let mut columns = table.columns.iter();
        columns.any(|other| default.names(Dialect::Mysql, &other.definition.name))
    });
    functions.iter().any(of_row) || next_value || names_column
}

pub(super) fn dropped(column: &str, known: Option<&Table>) -> Way {
    let Some(table) = known else {
        return Way::Instant;
    };
    let is_own = |name: &str| same(name, column);
    if table.primary_key().iter().any(|name| is_own(name)) {
        return Way::Copy(Cause::PrimaryKey);
    }
    let way = instant_for_rows(known);
    // Those of several columns are indexes here.
    let in_unique = table.constraints.iter().any(|constraint| {
        let unique = matches!(constraint.kind, ConstraintKind::Unique { .. });
        unique && constraint.columns().iter().any(|name| is_own(name))
    });
    let mut indexes = table
        .indexes
        .iter()
        .filter(|index| index.columns.iter().flatten().any(|name| is_own(name)));
    let Some(first) = indexes.next() else {
        return match in_unique && way == Way::Instant {
            true => Way::InPlace,
            false => way,
        };
    };
    // With what is left of an index of several columns the whole table is written anew.
    let shrinks = std::iter::once(first)
        .chain(indexes)
        .any(|index| index.columns.len() > 1);
    match (way, shrinks) {
        (Way::Instant, true) => Way::Rebuild,
        (Way::Instant, false) => Way::InPlace,
        (way, _) => way,
    }
}

pub(super) fn modified(
    column: &str,
    after: &ColumnDefinition,
    placed: bool,
    known: Option<&Table>,
) -> Way {
    let Some((table, before)) = known.and_then(|table| {
        let known = table.column(Dialect::Mysql, column)?;
        Some((table, &known.definition))
    }) else {
        return Way::Copy(Cause::Unknown);
    };
    let stored =
        |column: &ColumnDefinition| column.generated.as_ref().map(|generated| generated.stored);
    if stored(before) != stored(after) {
        return Way::Copy(Cause::Stored);
    }
    if after.numbered && !before.numbered {
        return Way::Copy(Cause::Numbered);
    }
    if let Some(cause) = type_change::copies(before, after, table) {
        return Way::Copy(cause);
    }
    let collates_anew = collation(before, table) != collation(after, table);
    if collates_anew && !conversion::takes_collation(before) {
        return Way::Copy(Cause::CharacterSet);
    }
    let in_key = table.primary_key().iter().any(|name| same(name, column));
    let new_key = |constraint: &crate::operation::Constraint| {
        matches!(
            constraint.kind,
            ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }
        )
    };
    if before.not_null != after.not_null && !in_key {
        return rebuilt(known);
    }
    if after.constraints.iter().any(new_key) {
        return Way::Index;
    }
    if collates_anew && is_indexed(table, column) {
        return Way::Index;
    }
    match placed {
        true => instant_for_rows(known),
        false => Way::Instant,
    }
}

/// Whether a definition for which InnoDB leaves the rows as they are has another length or collation, which other engines
/// copy for.
pub(super) fn is_stored_otherwise(column: &str, after: &ColumnDefinition, table: &Table) -> bool {
    let Some(before) = table.column(Dialect::Mysql, column) else {
        return true;
    };
    let before = &before.definition;
    let length = |definition: &ColumnDefinition| {
        let data_type = definition.data_type.as_ref();
        let varies = data_type.filter(|own| matches!(own.name.as_str(), "varchar" | "varbinary"));
        varies.and_then(|own| own.number(0))
    };
    length(before) != length(after) || collation(before, table) != collation(after, table)
}

/// The collation of a column, as far as one is written, or the character set whose default one it has.
fn collation(column: &ColumnDefinition, table: &Table) -> Option<String> {
    if !column
        .data_type
        .as_ref()
        .is_some_and(|own| type_change::is_text(&own.name))
    {
        return None;
    }
    let written = column
        .collation
        .as_ref()
        .map(|collation| collation.to_ascii_lowercase());
    let is_binary = column.data_type.as_ref().is_some_and(|own| own.binary);
    let written = written.or_else(|| {
        let set = character_set(column, table).filter(|_| is_binary)?;
        Some(format!("{set}_bin"))
    });
    let of_set = column
        .data_type
        .as_ref()
        .and_then(|own| own.character_set.clone());
    let of_table =
        || super::option(table, "COLLATE").map(|collation| collation.to_ascii_lowercase());
    written
        .or(of_set)
        .or_else(of_table)
        .or_else(|| character_set(column, table))
}

fn is_indexed(table: &Table, column: &str) -> bool {
    let in_index = table.indexes.iter().any(|index| {
        index
            .columns
            .iter()
            .flatten()
            .any(|name| same(name, column))
    });
    in_index
        || table.constraints.iter().any(|constraint| {
            let key = matches!(
                constraint.kind,
                ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }
            );
            key && constraint.columns().iter().any(|name| same(name, column))
        })
}
