//! `CONVERT TO CHARACTER SET` that leaves the bytes of all rows as they are.
//!
//! MariaDB 10.11 was asked; where MySQL 8 does less in place (an index over the column, a `CHAR` whose bytes would need a
//! longer length) less is said here, so that it holds for both. What is not certain is a copy.

use super::same;
use super::type_change::{ONE_BYTE, character_set, is_text, width};
use crate::Dialect;
use crate::operation::{ColumnDefinition, ConstraintKind, TypeName};
use crate::schema::{Column, Table};

/// Whether no row and no index of the table is written anew for this character set and collation.
pub(super) fn keeps_bytes(table: &Table, set: &str, collation: Option<&str>) -> bool {
    let set = match set {
        "utf8" => "utf8mb3",
        set => set,
    };
    let all_known = !table.incomplete && !table.partitioned;
    all_known
        && table
            .columns
            .iter()
            .all(|column| is_kept(table, column, set, collation))
}

fn is_kept(table: &Table, column: &Column, set: &str, collation: Option<&str>) -> bool {
    let definition = &column.definition;
    let Some(data_type) = &definition.data_type else {
        return false;
    };
    if !is_text(&data_type.name) {
        return true;
    }
    let Some(before) = character_set(definition, table) else {
        return false;
    };
    let name = &definition.name;
    if before == set {
        // The order of an index follows the collation; which one a set has by itself differs from server to server.
        let own = definition.collation.clone();
        let own = own.or_else(|| match data_type.character_set {
            Some(_) => None,
            None => super::option(table, "COLLATE"),
        });
        let same_order = own
            .as_deref()
            .zip(collation)
            .is_some_and(|(own, new)| own.eq_ignore_ascii_case(new));
        // Where none is written both are the one that the set has by itself.
        let both_unwritten = own.is_none() && collation.is_none();
        return same_order
            || (!is_indexed(table, name) && (both_unwritten || takes_collation(definition)));
    }
    let wider = before == "utf8mb3" && set == "utf8mb4";
    let plain =
        definition.generated.is_none() && !is_indexed(table, name) && !is_checked(table, name);
    wider && plain && fits_its_length(data_type)
}

/// Whether another collation is only another definition: the labels of `ENUM` and `SET` are written anew, and so is what a
/// generated column stores.
pub(super) fn takes_collation(definition: &ColumnDefinition) -> bool {
    let stored = definition.generated.as_ref().is_some_and(|own| own.stored);
    let data_type = definition.data_type.as_ref();
    let has_labels = data_type.is_some_and(|own| matches!(own.name.as_str(), "enum" | "set"));
    !stored && !has_labels
}

/// Whether the bytes of a value are counted by as many bytes after the conversion as before. The others (`TEXT` gets a
/// larger type, the labels of `ENUM` are kept elsewhere) are copied.
fn fits_its_length(data_type: &TypeName) -> bool {
    let characters = data_type.number(0).unwrap_or(1);
    let bytes = |set| characters.saturating_mul(width(&data_type.name, Some(set)));
    match data_type.name.as_str() {
        "varchar" => bytes("utf8mb4") <= ONE_BYTE || bytes("utf8mb3") > ONE_BYTE,
        "char" => bytes("utf8mb4") <= ONE_BYTE,
        _ => false,
    }
}

fn is_indexed(table: &Table, column: &str) -> bool {
    let names = |name: &String| same(name, column);
    let mut indexes = table.indexes.iter();
    let mut constraints = table.constraints.iter();
    // What an index has instead of a column is an expression, which may be over this one.
    let by_index = |of: &Option<String>| of.as_ref().is_none_or(names);
    indexes.any(|index| index.columns.is_empty() || index.columns.iter().any(by_index))
        || constraints.any(|constraint| match constraint.kind {
            ConstraintKind::NotNull { .. } => false,
            _ => constraint.columns().iter().any(names),
        })
}

fn is_checked(table: &Table, column: &str) -> bool {
    let mut constraints = table.constraints.iter();
    constraints.any(|constraint| match &constraint.kind {
        ConstraintKind::Check { condition } => condition.names(Dialect::Mysql, column),
        _ => false,
    })
}
