//! `CREATE INDEX`, as PostgreSQL and SQLite write it.

use super::reader::Reader;
use super::{CreateIndex, Expression, OperationKind};
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
    let start = reader.start();
    if reader.take("USING") {
        method = reader.raw().to_ascii_uppercase();
        reader.advance();
    }
    let (columns, expressions) = index_columns(reader);
    let condition = match reader.find(&["WHERE"]) && reader.take("WHERE") {
        true => Some(reader.expression_until(&[])),
        false => None,
    };
    let text = reader.text().get(start..).unwrap_or_default();
    let definition = text.trim().to_owned();
    Some(OperationKind::CreateIndex(Box::new(CreateIndex {
        definition,
        name,
        table,
        unique,
        columns,
        expressions,
        condition,
        concurrently,
        if_not_exists,
        only,
        method,
    })))
}

/// Moves over `(a, lower(b) DESC, …)`; the expressions with what follows them.
fn index_columns(reader: &mut Reader<'_>) -> (Vec<Option<String>>, Vec<Expression>) {
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    if !reader.take_symbol("(") {
        return (columns, expressions);
    }
    loop {
        let start = reader.start();
        let name = reader.identifier();
        let column = name.filter(|_| !is_expression(reader));
        reader.skip_item();
        if column.is_none() {
            let span = reader.span_from(start);
            expressions.push(reader.expression(span));
        }
        columns.push(column);
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    (columns, expressions)
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
