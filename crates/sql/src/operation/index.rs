//! `CREATE INDEX`, as PostgreSQL and SQLite write it.

use super::reader::Reader;
use super::{CreateIndex, OperationKind};
use crate::lexer::TokenKind;
use crate::{Dialect, ObjectKind};

/// Moves over what follows the word `INDEX`.
pub(super) fn create_index(reader: &mut Reader<'_>, unique: bool) -> Option<OperationKind> {
    let concurrently = reader.take("CONCURRENTLY");
    let if_not_exists = reader.take_if_not_exists();
    let name = match reader.is("ON") {
        true => None,
        false => reader.name(ObjectKind::Index),
    };
    if !reader.take("ON") {
        return None;
    }
    let only = reader.take("ONLY");
    let table = Some(reader.name(ObjectKind::Table)?);
    let mut method = String::new();
    if reader.take("USING") {
        method = reader.raw().to_ascii_uppercase();
        reader.advance();
    }
    let columns = index_columns(reader);
    let condition = match reader.find(&["WHERE"]) && reader.take("WHERE") {
        true => Some(reader.expression_until(&[])),
        false => None,
    };
    Some(OperationKind::CreateIndex(Box::new(CreateIndex {
        name,
        table,
        unique,
        columns,
        condition,
        concurrently,
        if_not_exists,
        only,
        method,
    })))
}

/// Moves over `(a, lower(b) DESC, …)`.
fn index_columns(reader: &mut Reader<'_>) -> Vec<Option<String>> {
    let mut columns = Vec::new();
    if !reader.take_symbol("(") {
        return columns;
    }
    loop {
        let name = reader.identifier();
        columns.push(name.filter(|_| !is_expression(reader)));
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    columns
}

/// Whether what follows a name makes it part of an expression: anything but a collation, an operator class or an order.
fn is_expression(reader: &mut Reader<'_>) -> bool {
    let word = reader.word();
    match reader.dialect() {
        _ if word.is_empty() => {
            reader.kind() == Some(TokenKind::Symbol)
                && !reader.is_symbol(",")
                && !reader.is_symbol(")")
        }
        Dialect::Sqlite => !matches!(word.as_str(), "COLLATE" | "ASC" | "DESC"),
        _ => false,
    }
}
