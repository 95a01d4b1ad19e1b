//! `CREATE TABLE` of MySQL and MariaDB: what stands in its parentheses, and its options.

use super::mysql_column::{check, column, column_name, constraint, constraint_name, reference};
use super::mysql_type::{literal, take_character_set};
use super::reader::Reader;
use super::{
    ColumnDefinition, Constraint, ConstraintKind, CreateIndex, CreateTable, OperationKind,
};
use crate::lexer::TokenKind;
use crate::{ObjectKind, ObjectName};

/// One entry of the parentheses of `CREATE TABLE`; `ALTER TABLE … ADD` has the same ones.
pub(super) enum Element {
    Column(ColumnDefinition),
    Index(CreateIndex),
    /// And whether `IF NOT EXISTS` is written.
    Constraint(Constraint, bool),
    /// `LIKE` (MariaDB).
    Like(ObjectName),
    /// A period of MariaDB, and what is not understood.
    Other,
}

/// After `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub(super) fn create_table(
    reader: &mut Reader<'_>,
    or_replace: bool,
    temporary: bool,
) -> Vec<OperationKind> {
    let mut create = CreateTable {
        if_not_exists: reader.take_if_not_exists(),
        temporary,
        ..CreateTable::default()
    };
    create.table = reader.name(ObjectKind::Table);
    let Some(table) = create.table.clone() else {
        return vec![OperationKind::Opaque {
            reason: "the table has no name".to_owned(),
        }];
    };
    like(reader, &mut create);
    if reader.is_symbol("(") && !begins_query(reader, 1) {
        body(reader, &mut create);
    }
    rest(reader, &mut create);
    let mut kinds = Vec::new();
    if or_replace && !temporary {
        // MariaDB: as if the table had been dropped before.
        kinds.push(OperationKind::Drop {
            object: table,
            cascade: false,
            if_exists: true,
            table: None,
        });
    }
    kinds.push(OperationKind::CreateTable(Box::new(create)));
    kinds
}

fn like(reader: &mut Reader<'_>, create: &mut CreateTable) {
    if reader.take("LIKE") {
        create.incomplete = true;
        create.from.extend(reader.name(ObjectKind::Table));
    }
}

fn body(reader: &mut Reader<'_>, create: &mut CreateTable) {
    reader.take_symbol("(");
    loop {
        match element(reader, create.table.as_ref()) {
            Element::Column(column) => create.columns.push(column),
            Element::Index(index) => create.indexes.push(index),
            Element::Constraint(constraint, _) => create.constraints.push(constraint),
            Element::Like(table) => {
                create.incomplete = true;
                create.from.push(table);
            }
            Element::Other => {}
        }
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
}

/// After the columns: options, partitions, a query.
fn rest(reader: &mut Reader<'_>, create: &mut CreateTable) {
    while !reader.at_end() {
        if begins_query(reader, 0) || reader.is_any(&["AS", "IGNORE", "REPLACE"]) {
            create.incomplete = true;
            return;
        }
        if reader.take_all(&["PARTITION", "BY"]) {
            create.partitioned = true;
            while !reader.at_end()
                && !begins_query(reader, 0)
                && !reader.is_any(&["AS", "IGNORE", "REPLACE"])
            {
                match reader.is_symbol("(") {
                    true => reader.skip_parentheses(),
                    false => reader.advance(),
                }
            }
        } else if reader.kind() == Some(TokenKind::Word) {
            create.options.push(option(reader));
        } else {
            reader.advance();
        }
    }
}

/// Whether a query begins some tokens ahead; also in parentheses of its own.
fn begins_query(reader: &mut Reader<'_>, ahead: usize) -> bool {
    let mut inside = ahead;
    // As deep as anybody writes it; unlimited, a row of `(` would be counted again and again.
    while reader.is_symbol_at(inside, "(") && inside < ahead + 4 {
        inside += 1;
    }
    match reader.word_at(inside).as_str() {
        "SELECT" | "VALUES" | "TABLE" => true,
        "WITH" => !reader.is_at(inside + 1, "SYSTEM"),
        _ => false,
    }
}

/// Moves over one option of a table, at least over one token, and gives its name in capitals and its value.
pub(super) fn option(reader: &mut Reader<'_>) -> (String, String) {
    reader.take("DEFAULT");
    if reader.take_all(&["WITH", "SYSTEM", "VERSIONING"]) {
        return ("WITH SYSTEM VERSIONING".to_owned(), String::new());
    }
    if reader.take_all(&["START", "TRANSACTION"]) {
        return ("START TRANSACTION".to_owned(), String::new());
    }
    let name = if take_character_set(reader) {
        "CHARSET".to_owned()
    } else {
        let mut name = reader.raw().to_ascii_uppercase();
        reader.advance();
        if matches!(name.as_str(), "DATA" | "INDEX") && reader.take("DIRECTORY") {
            name.push_str(" DIRECTORY");
        }
        name
    };
    reader.take_symbol("=");
    if reader.is_symbol("(") {
        let tables = reader.in_parentheses().unwrap_or_default();
        return (name, tables.text);
    }
    if reader.kind() == Some(TokenKind::Symbol) || begins_query(reader, 0) {
        return (name, String::new());
    }
    let value = match reader.kind() {
        Some(TokenKind::QuotedName) => reader.identifier().unwrap_or_default(),
        _ => {
            let value = literal(reader.raw());
            reader.advance();
            value
        }
    };
    (name, value)
}

/// Moves over a column, an index or a constraint.
pub(super) fn element(reader: &mut Reader<'_>, table: Option<&ObjectName>) -> Element {
    let start = reader.start();
    if reader.take("LIKE") {
        return match reader.name(ObjectKind::Table) {
            Some(table) => Element::Like(table),
            None => Element::Other,
        };
    }
    if reader.is("PERIOD") && reader.is_at(1, "FOR") {
        return Element::Other;
    }
    let (name, mut if_not_exists) = constraint_name(reader);
    let index = |method: &str, unique| CreateIndex {
        name: None,
        table: table.cloned(),
        unique,
        method: method.to_owned(),
        ..CreateIndex::default()
    };
    match reader.word().as_str() {
        "PRIMARY" => {
            reader.advance();
            reader.take("KEY");
            let kind = ConstraintKind::PrimaryKey {
                columns: primary_key_columns(reader),
                using_index: None,
            };
            let key = constraint(name, kind, reader.span_from(start));
            Element::Constraint(key, if_not_exists)
        }
        "UNIQUE" => {
            reader.advance();
            let mut unique = index_parts(reader, index("", true));
            // The name after INDEX counts, if there is one.
            if unique.name.is_none() {
                unique.name = name.map(index_name);
            }
            unique.if_not_exists |= if_not_exists;
            Element::Index(unique)
        }
        word @ ("FULLTEXT" | "SPATIAL") => {
            reader.advance();
            Element::Index(index_parts(reader, index(word, false)))
        }
        "VECTOR" if reader.is_at(1, "INDEX") || reader.is_at(1, "KEY") => {
            reader.advance();
            Element::Index(index_parts(reader, index("VECTOR", false)))
        }
        "INDEX" | "KEY" => Element::Index(index_parts(reader, index("", false))),
        "FOREIGN" => match foreign_key(reader, name, start, &mut if_not_exists) {
            Some(key) => Element::Constraint(key, if_not_exists),
            None => Element::Other,
        },
        "CHECK" => Element::Constraint(check(reader, name, start), if_not_exists),
        _ => match column(reader) {
            Some(column) => Element::Column(column),
            None => Element::Other,
        },
    }
}

/// After `PRIMARY KEY`. MySQL takes a name for it and does not keep it.
fn primary_key_columns(reader: &mut Reader<'_>) -> Vec<String> {
    while !reader.at_end()
        && !reader.is_symbol("(")
        && !reader.is_symbol(")")
        && !reader.is_symbol(",")
    {
        reader.advance();
    }
    let columns = reader.name_list();
    index_options(reader, &mut CreateIndex::default());
    columns
}

fn foreign_key(
    reader: &mut Reader<'_>,
    name: Option<String>,
    start: usize,
    if_not_exists: &mut bool,
) -> Option<Constraint> {
    reader.advance();
    reader.take("KEY");
    *if_not_exists |= reader.take_if_not_exists();
    // Without a name of its own it takes that of its index (MariaDB, and MySQL before 8.0.16).
    let name = match reader.is_symbol("(") {
        true => name,
        false => {
            let of_index = reader.identifier();
            name.or(of_index)
        }
    };
    let columns = reader.name_list();
    let kind = ConstraintKind::ForeignKey {
        columns,
        reference: reference(reader)?,
    };
    Some(constraint(name, kind, reader.span_from(start)))
}

/// Moves over `[INDEX | KEY] [name] [USING method] (columns) options`.
fn index_parts(reader: &mut Reader<'_>, mut index: CreateIndex) -> CreateIndex {
    reader.take_any(&["INDEX", "KEY"]);
    index.if_not_exists = reader.take_if_not_exists();
    if !reader.is_symbol("(") && !reader.is("USING") {
        index.name = reader.identifier().map(index_name);
    }
    index_options(reader, &mut index);
    index.definition = key_parts(reader, &mut index.columns);
    index_options(reader, &mut index);
    index
}

pub(super) fn index_name(name: String) -> ObjectName {
    ObjectName {
        kind: ObjectKind::Index,
        schema: None,
        name,
    }
}

/// Moves over `(column, column(10) DESC, (expression))`, and gives it as written.
pub(super) fn key_parts(reader: &mut Reader<'_>, parts: &mut Vec<Option<String>>) -> String {
    let start = reader.start();
    if !reader.take_symbol("(") {
        return String::new();
    }
    while !reader.at_end() && !reader.is_symbol(")") {
        parts.push(match reader.is_symbol("(") {
            true => None,
            false => column_name(reader),
        });
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    let span = reader.span_from(start);
    reader.expression(span).text
}

/// Moves over the options of an index.
pub(super) fn index_options(reader: &mut Reader<'_>, index: &mut CreateIndex) {
    loop {
        match reader.word().as_str() {
            "USING" | "TYPE" => {
                reader.advance();
                index.method = reader.raw().to_ascii_uppercase();
                reader.advance();
            }
            "WITH" if reader.is_at(1, "PARSER") => {
                reader.advance();
                reader.advance();
                reader.advance();
            }
            "COMMENT" | "KEY_BLOCK_SIZE" | "ENGINE_ATTRIBUTE" | "CLUSTERING" => {
                reader.advance();
                reader.take_symbol("=");
                reader.advance();
            }
            "VISIBLE" | "INVISIBLE" | "IGNORED" => reader.advance(),
            "NOT" if reader.is_at(1, "IGNORED") => {
                reader.advance();
                reader.advance();
            }
            // Options of an engine, and names that are too long for a keyword.
            _ if reader.kind() == Some(TokenKind::Word)
                && reader.is_symbol_at(1, "=")
                && !reader.is_any(&["ALGORITHM", "LOCK"]) =>
            {
                reader.advance();
                reader.advance();
                reader.advance();
            }
            _ => return,
        }
    }
}
