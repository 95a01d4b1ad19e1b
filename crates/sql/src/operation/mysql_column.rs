//! Definitions of columns in MySQL and MariaDB.

use super::mysql_type::{data_type, take_character_set};
use super::reader::Reader;
use super::{ColumnDefinition, Constraint, ConstraintKind, Expression, Generated, Reference};
use crate::ObjectKind;
use crate::lexer::TokenKind;

/// Moves over the name of a column, which may be written with that of its table.
pub(super) fn column_name(reader: &mut Reader<'_>) -> Option<String> {
    reader.name(ObjectKind::Other).map(|name| name.name)
}

/// Moves over a column with all that belongs to it, up to `FIRST`, `AFTER`, a comma or a `)`.
pub(super) fn column(reader: &mut Reader<'_>) -> Option<ColumnDefinition> {
    let start = reader.start();
    let mut column = ColumnDefinition {
        name: column_name(reader)?,
        ..ColumnDefinition::default()
    };
    let serial = reader.is("SERIAL");
    column.data_type = data_type(reader);
    if serial {
        numbers_itself(reader, &mut column);
    }
    while !reader.at_end() && !reader.is_symbol(",") && !reader.is_symbol(")") {
        if reader.is_any(&["FIRST", "AFTER", "PARTITION", "REMOVE"]) {
            break;
        }
        attribute(reader, &mut column);
    }
    column.span = reader.span_from(start);
    Some(column)
}

/// What `SERIAL` and `SERIAL DEFAULT VALUE`, which was just read, stand for.
fn numbers_itself(reader: &Reader<'_>, column: &mut ColumnDefinition) {
    column.not_null = true;
    column.numbered = true;
    let end = reader.end_of_last();
    let unique = ConstraintKind::Unique {
        columns: vec![column.name.clone()],
        using_index: None,
    };
    let span = column
        .data_type
        .as_ref()
        .map_or(end..end, |serial| serial.span.clone());
    column.constraints.push(constraint(None, unique, span));
}

/// Moves over one attribute; over at least one token.
fn attribute(reader: &mut Reader<'_>, column: &mut ColumnDefinition) {
    let word = reader.word();
    match word.as_str() {
        "NOT" => {
            reader.advance();
            column.not_null |= reader.take("NULL");
        }
        "NULL" => {
            reader.advance();
            column.null = true;
        }
        "DEFAULT" => {
            reader.advance();
            column.default = Some(value(reader));
        }
        "ON" => {
            reader.advance();
            if reader.take("UPDATE") {
                column.on_update = true;
                value(reader);
            }
        }
        "AUTO_INCREMENT" => {
            reader.advance();
            column.numbered = true;
        }
        "SERIAL" if reader.take_all(&["SERIAL", "DEFAULT", "VALUE"]) => {
            numbers_itself(reader, column);
        }
        "COMMENT" => {
            reader.advance();
            reader.advance();
            column.comment = true;
        }
        "COLLATE" => {
            reader.advance();
            reader.take_symbol("=");
            column.collation = reader.identifier();
        }
        "CHARACTER" | "CHARSET" | "CHAR" if take_character_set(reader) => {
            let character_set = reader.identifier();
            if let Some(data_type) = &mut column.data_type {
                data_type.character_set = character_set;
            }
        }
        "GENERATED" => {
            reader.advance();
            reader.take("ALWAYS");
        }
        "AS" => {
            reader.advance();
            // MariaDB, system-versioned tables: filled by the server, never NULL.
            column.not_null |= reader.is("ROW");
            column.generated = Some(generated(reader));
        }
        "STORED" | "PERSISTENT" => {
            reader.advance();
            if let Some(generated) = &mut column.generated {
                generated.stored = true;
            }
        }
        "INVISIBLE" | "VISIBLE" => {
            reader.advance();
            column.invisible = word == "INVISIBLE";
        }
        "CONSTRAINT" | "CHECK" | "UNIQUE" | "PRIMARY" | "KEY" | "REFERENCES" => {
            let found = column_constraint(reader, &column.name);
            column.constraints.extend(found);
        }
        _ => other_attribute(reader),
    }
}

/// After `AS`.
fn generated(reader: &mut Reader<'_>) -> Generated {
    let start = reader.start();
    if reader.take("ROW") {
        reader.take_any(&["START", "END"]);
        let span = reader.span_from(start);
        return Generated {
            stored: true,
            expression: reader.expression(span),
        };
    }
    Generated {
        stored: false,
        expression: reader.in_parentheses().unwrap_or_default(),
    }
}

/// `STORAGE DISK`, `SRID 4326`, `COMPRESSED = zlib`, options of an engine, what a later version has.
fn other_attribute(reader: &mut Reader<'_>) {
    let takes_a_value = reader.is_any(&["STORAGE", "COLUMN_FORMAT", "SRID", "ENGINE_ATTRIBUTE"]);
    match reader.is_symbol("(") {
        true => return reader.skip_parentheses(),
        false => reader.advance(),
    }
    if reader.take_symbol("=") || takes_a_value {
        reader.advance();
    }
}

/// Moves over a constraint that is written with a column; over at least one token.
fn column_constraint(reader: &mut Reader<'_>, column: &str) -> Option<Constraint> {
    let start = reader.start();
    let columns = vec![column.to_owned()];
    let (name, _) = constraint_name(reader);
    let kind = if reader.is("CHECK") {
        return Some(check(reader, name, start));
    } else if reader.is("REFERENCES") {
        ConstraintKind::ForeignKey {
            columns,
            reference: reference(reader)?,
        }
    } else if reader.take("UNIQUE") {
        reader.take("KEY");
        ConstraintKind::Unique {
            columns,
            using_index: None,
        }
    } else if reader.take_any(&["PRIMARY", "KEY"]) {
        ConstraintKind::PrimaryKey {
            columns,
            using_index: None,
        }
    } else {
        return None;
    };
    Some(constraint(name, kind, reader.span_from(start)))
}

/// Moves over `CONSTRAINT [IF NOT EXISTS] [name]`, if it is here; the second is whether `IF NOT EXISTS` is.
pub(super) fn constraint_name(reader: &mut Reader<'_>) -> (Option<String>, bool) {
    if !reader.take("CONSTRAINT") {
        return (None, false);
    }
    let if_not_exists = reader.take_if_not_exists();
    let name = match reader.is_any(&["CHECK", "FOREIGN", "KEY", "PRIMARY", "REFERENCES", "UNIQUE"])
    {
        true => None,
        false => reader.identifier(),
    };
    (name, if_not_exists)
}

/// Moves over `CHECK (condition) [[NOT] ENFORCED]`.
pub(super) fn check(reader: &mut Reader<'_>, name: Option<String>, start: usize) -> Constraint {
    reader.take("CHECK");
    let condition = reader.in_parentheses().unwrap_or_default();
    let not_enforced = reader.take_all(&["NOT", "ENFORCED"]);
    reader.take("ENFORCED");
    let kind = ConstraintKind::Check { condition };
    let mut check = constraint(name, kind, reader.span_from(start));
    check.not_valid = not_enforced;
    check
}

/// Moves over `REFERENCES table (columns)` and what happens to rows that refer.
pub(super) fn reference(reader: &mut Reader<'_>) -> Option<Reference> {
    reader.take("REFERENCES");
    let table = reader.name(ObjectKind::Table)?;
    let columns = reader.name_list();
    loop {
        if reader.take("MATCH") {
            reader.advance();
        } else if reader.take_all(&["ON", "DELETE"]) || reader.take_all(&["ON", "UPDATE"]) {
            let _ = reader.take_all(&["SET", "NULL"])
                || reader.take_all(&["SET", "DEFAULT"])
                || reader.take_all(&["NO", "ACTION"])
                || reader.take("CASCADE")
                || reader.take("RESTRICT");
        } else {
            return Some(Reference { table, columns });
        }
    }
}

pub(super) fn constraint(
    name: Option<String>,
    kind: ConstraintKind,
    span: std::ops::Range<usize>,
) -> Constraint {
    Constraint {
        name,
        kind,
        not_valid: false,
        span,
    }
}

/// Moves over the value of a default. It may be an expression without parentheses (MariaDB), and nothing marks its end.
pub(super) fn value(reader: &mut Reader<'_>) -> Expression {
    let start = reader.start();
    loop {
        while is_operator(reader) {
            reader.advance();
        }
        operand(reader);
        if !is_operator(reader) {
            break;
        }
    }
    let span = reader.span_from(start);
    reader.expression(span)
}

fn is_operator(reader: &mut Reader<'_>) -> bool {
    reader.kind() == Some(TokenKind::Symbol) && "+-*/%.!~|&^<>=".contains(reader.raw())
}

fn operand(reader: &mut Reader<'_>) {
    if reader.at_end() || reader.is_symbol(",") || reader.is_symbol(")") {
        return;
    }
    if reader.is_symbol("(") {
        return reader.skip_parentheses();
    }
    if reader.is("CASE") {
        return case(reader);
    }
    // MariaDB.
    if reader.take_all(&["NEXT", "VALUE", "FOR"]) || reader.take_all(&["PREVIOUS", "VALUE", "FOR"])
    {
        reader.name(ObjectKind::Sequence);
        return;
    }
    let kind = reader.kind();
    let text = reader.raw();
    reader.advance();
    match kind {
        Some(TokenKind::Number) if text.ends_with(['e', 'E']) && !text.starts_with("0x") => {
            exponent(reader);
        }
        Some(TokenKind::Word | TokenKind::QuotedName) if reader.is_symbol("(") => {
            reader.skip_parentheses();
        }
        // b'01', _utf8mb4'a', DATE '2020-01-01', and 'a' 'b'.
        Some(TokenKind::Word | TokenKind::Literal) => {
            while reader.kind() == Some(TokenKind::Literal) {
                reader.advance();
            }
        }
        _ => {}
    }
}

/// What the lexer cuts off from `1e-5`.
fn exponent(reader: &mut Reader<'_>) {
    if reader.take_symbol("-") || reader.take_symbol("+") {
        reader.advance();
    }
}

/// `CASE … END`, which may hold others.
fn case(reader: &mut Reader<'_>) {
    let mut depth = 0_u32;
    while !reader.at_end() {
        match reader.word().as_str() {
            "CASE" => depth += 1,
            "END" => depth = depth.saturating_sub(1),
            _ => {}
        }
        reader.advance();
        if depth == 0 {
            return;
        }
    }
}
