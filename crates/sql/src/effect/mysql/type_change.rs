//! Changes of a column's type that leave the rows as they are, and those that do not.

use super::{Cause, option};
use crate::Dialect;
use crate::operation::{ColumnDefinition, TypeName};
use crate::schema::Table;

/// The most bytes that one byte of length can tell.
pub(super) const ONE_BYTE: u64 = 255;

/// Why the rows must be written anew for another definition; `None` when they need not.
pub(super) fn copies(
    before: &ColumnDefinition,
    after: &ColumnDefinition,
    table: &Table,
) -> Option<Cause> {
    let (Some(old), Some(new)) = (&before.data_type, &after.data_type) else {
        return Some(Cause::Unknown);
    };
    let sets = (character_set(before, table), character_set(after, table));
    let (old, new) = (
        &spelled_out(old, sets.0.as_deref()),
        &spelled_out(new, sets.1.as_deref()),
    );
    if old.name != new.name {
        return Some(Cause::Type);
    }
    if is_text(&old.name) && !can_hold(sets.0.as_deref(), sets.1.as_deref()) {
        return Some(Cause::CharacterSet);
    }
    let bytes = |of: &TypeName, set: &Option<String>| {
        of.number(0).unwrap_or(1) * width(&of.name, set.as_deref())
    };
    let differs = match old.name.as_str() {
        "varchar" | "varbinary" => {
            let length = (old.number(0), new.number(0));
            let crosses = bytes(old, &sets.0) <= ONE_BYTE && bytes(new, &sets.1) > ONE_BYTE;
            length.1 < length.0 || crosses
        }
        "char" | "binary" | "bit" => old.number(0).unwrap_or(1) != new.number(0).unwrap_or(1),
        "decimal" => digits(old) != digits(new) || old.unsigned != new.unsigned,
        "datetime" | "timestamp" | "time" => {
            old.number(0).unwrap_or(0) != new.number(0).unwrap_or(0)
        }
        "enum" | "set" => return labels(&old.name, &old.arguments, &new.arguments),
        // The number in parentheses is how wide it is shown.
        _ => old.unsigned != new.unsigned,
    };
    differs.then_some(Cause::Type)
}

/// The type as catalogs spell it, in this character set.
fn spelled_out(of: &TypeName, set: Option<&str>) -> TypeName {
    of.spelled_out(Dialect::Mysql, width(&of.name, set))
}

/// The type of a column as catalogs spell them.
pub(crate) fn type_of(column: &ColumnDefinition, table: &Table) -> Option<TypeName> {
    let set = character_set(column, table);
    let written = column.data_type.as_ref()?;
    Some(spelled_out(written, set.as_deref()))
}

fn digits(of: &TypeName) -> (u64, u64) {
    (of.number(0).unwrap_or(10), of.number(1).unwrap_or(0))
}

fn labels(name: &str, before: &[String], after: &[String]) -> Option<Cause> {
    if !after.starts_with(before) {
        return Some(Cause::Labels);
    }
    let bytes = |count: usize| match (name, count) {
        ("enum", 0..=255) | (_, 0..=8) => 1,
        ("enum", _) | (_, 9..=16) => 2,
        (_, 17..=24) => 3,
        (_, 25..=32) => 4,
        _ => 8,
    };
    (bytes(before.len()) != bytes(after.len())).then_some(Cause::LabelBytes)
}

/// Whether values of it have a character set.
pub(super) fn is_text(name: &str) -> bool {
    matches!(
        name,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    )
}

/// The character set of a column, in lower case, as far as it is written somewhere.
pub(super) fn character_set(column: &ColumnDefinition, table: &Table) -> Option<String> {
    let of_collation = |collation: &str| {
        let set = collation.split('_').next().unwrap_or_default();
        set.to_ascii_lowercase()
    };
    let own = column
        .data_type
        .as_ref()
        .and_then(|own| own.character_set.clone());
    let own = own.or_else(|| column.collation.as_deref().map(of_collation));
    let of_table = || {
        let set = option(table, "CHARSET").map(|set| set.to_ascii_lowercase());
        set.or_else(|| option(table, "COLLATE").map(|collation| of_collation(&collation)))
    };
    let set = own.or_else(of_table)?;
    Some(match set.to_ascii_lowercase().as_str() {
        "utf8" => "utf8mb3".to_owned(),
        other => other.to_owned(),
    })
}

/// Whether text in one character set is the same bytes in another.
fn can_hold(before: Option<&str>, after: Option<&str>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            before == after
                || matches!(
                    (before, after),
                    ("utf8mb3", "utf8mb4") | ("ascii", "utf8mb3" | "utf8mb4" | "latin1")
                )
        }
        // Neither is written: the same.
        (None, None) => true,
        // One of the two is whatever the database has.
        _ => false,
    }
}

/// The most bytes of a character; where no character set is written, those of `utf8mb4`.
pub(super) fn width(name: &str, set: Option<&str>) -> u64 {
    match (name, set) {
        ("varbinary", _) => 1,
        (_, Some("utf8mb3")) => 3,
        (_, Some("utf16" | "utf16le" | "utf32" | "utf8mb4" | "gb18030") | None) => 4,
        (_, Some("ucs2" | "gbk" | "big5" | "sjis" | "cp932" | "gb2312" | "euckr")) => 2,
        (_, Some("ujis" | "eucjpms")) => 3,
        _ => 1,
    }
}
