//! `ALTER TABLE` of MySQL and MariaDB.

use std::iter;

use super::mysql_column::{column, column_name, value};
use super::mysql_partition::{convert, partition_by, partition_work};
use super::mysql_table::{Element, element, index_name, option};
use super::reader::Reader;
use super::{Operation, OperationKind, Operations};
use crate::lexer::TokenKind;
use crate::{ObjectKind, ObjectName};

/// Words that begin an option of a table. They may follow each other without commas.
const OPTIONS: &[&str] = &[
    "AUTOEXTEND_SIZE",
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARACTER",
    "CHARSET",
    "CHECKSUM",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "CONNECTION",
    "DATA",
    "DEFAULT",
    "DELAY_KEY_WRITE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "ENGINE_ATTRIBUTE",
    "INDEX",
    "INSERT_METHOD",
    "KEY_BLOCK_SIZE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PAGE_COMPRESSED",
    "PASSWORD",
    "ROW_FORMAT",
    "SECONDARY_ENGINE",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "STORAGE",
    "TABLESPACE",
    "TABLE_CHECKSUM",
    "TRANSACTIONAL",
    "TYPE",
    "UNION",
];

/// Options that cannot change without a new copy of the table.
const REWRITING_OPTIONS: &[&str] = &[
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "KEY_BLOCK_SIZE",
    "PAGE_COMPRESSED",
    "ROW_FORMAT",
    "TABLESPACE",
    "TYPE",
];

/// After `ALTER [ONLINE] [IGNORE] TABLE`.
pub(super) fn alter_table(reader: &mut Reader<'_>, found: &mut Operations) {
    let start = reader.start();
    let if_exists = reader.take_if_exists();
    let Some(table) = reader.name(ObjectKind::Table) else {
        let reason = "the table has no name".to_owned();
        return push(found, reader, start, OperationKind::Opaque { reason });
    };
    found.if_exists = if_exists.then(|| table.clone());
    while !reader.at_end() {
        let start = reader.start();
        let place = reader.place();
        if !take_request(reader, found) && !take_wait(reader) && !reader.take_symbol(",") {
            action(reader, &table, found);
            if reader.place() == place {
                reader.advance();
                let kind = other(&table, "");
                push(found, reader, start, kind);
            }
        }
    }
}

/// Moves over `ALGORITHM [=] …` or `LOCK [=] …`.
pub(super) fn take_request(reader: &mut Reader<'_>, found: &mut Operations) -> bool {
    let start = reader.start();
    let is_lock = reader.is("LOCK");
    if !reader.take("ALGORITHM") && !reader.take("LOCK") {
        return false;
    }
    reader.take_symbol("=");
    let value = reader.raw().to_ascii_uppercase();
    reader.advance();
    let request = Some((value, reader.span_from(start)));
    match is_lock {
        true => found.lock = request,
        false => found.algorithm = request,
    }
    true
}

/// Moves over `WAIT n` or `NOWAIT` (MariaDB).
pub(super) fn take_wait(reader: &mut Reader<'_>) -> bool {
    if reader.take("WAIT") {
        reader.advance();
        return true;
    }
    reader.take("NOWAIT")
}

pub(super) fn push(found: &mut Operations, reader: &Reader<'_>, start: usize, kind: OperationKind) {
    let span = reader.span_from(start);
    found.list.push(Operation { kind, span });
}

pub(super) fn other(table: &ObjectName, action: &str) -> OperationKind {
    OperationKind::AlterTableOther {
        table: table.clone(),
        action: action.to_owned(),
    }
}

pub(super) fn rewrite(table: &ObjectName, action: impl Into<String>) -> OperationKind {
    OperationKind::RewriteTable {
        table: Some(table.clone()),
        action: action.into(),
    }
}

/// One action, or one option of the table.
fn action(reader: &mut Reader<'_>, table: &ObjectName, found: &mut Operations) {
    let start = reader.start();
    let first = reader.word();
    if is_option(reader) {
        let kind = table_option(reader, table);
        return push(found, reader, start, kind);
    }
    if reader.is_at(1, "PARTITION") {
        return partition_work(reader, table, &first, found);
    }
    let kinds = match first.as_str() {
        "ADD" => return add(reader, table, found),
        "DROP" => drop(reader, table),
        "ALTER" => alter(reader, table),
        "CHANGE" | "MODIFY" => modify(reader, table),
        "RENAME" => rename(reader, table),
        "CONVERT" => convert(reader, table),
        "PARTITION" => partition_by(reader, table),
        "REMOVE" => {
            reader.advance();
            reader.take("PARTITIONING");
            vec![rewrite(table, "REMOVE PARTITIONING")]
        }
        "FORCE" => {
            reader.advance();
            vec![rewrite(table, "FORCE")]
        }
        "ORDER" => {
            order_by(reader);
            vec![rewrite(table, "ORDER BY")]
        }
        _ => vec![other(table, &first_words(reader))],
    };
    skip_action(reader);
    for kind in kinds {
        push(found, reader, start, kind);
    }
}

/// Moves over what is left of an action.
fn skip_action(reader: &mut Reader<'_>) {
    reader.skip_until(&["PARTITION", "REMOVE"]);
}

/// The first words from here on, and moves over them.
fn first_words(reader: &mut Reader<'_>) -> String {
    let mut words = Vec::new();
    while words.len() < 3 && !reader.word().is_empty() {
        words.push(reader.word());
        reader.advance();
    }
    words.join(" ")
}

fn is_option(reader: &mut Reader<'_>) -> bool {
    let assigned = reader.kind() == Some(TokenKind::Word) && reader.is_symbol_at(1, "=");
    reader.is_any(OPTIONS) || (assigned && !reader.is("RENAME"))
}

fn table_option(reader: &mut Reader<'_>, table: &ObjectName) -> OperationKind {
    let (name, value) = option(reader);
    match name.as_str() {
        "ENGINE" | "TYPE" if !value.eq_ignore_ascii_case("innodb") => {
            rewrite(table, format!("ENGINE {}", value.to_ascii_uppercase()))
        }
        // One action of two words: the collation goes with its character set.
        "CHARSET" => {
            if reader.is("COLLATE") || (reader.is("DEFAULT") && reader.is_at(1, "COLLATE")) {
                option(reader);
            }
            other(table, "CHARACTER SET")
        }
        name if REWRITING_OPTIONS.contains(&name) => rewrite(table, name),
        name => other(table, name),
    }
}

fn add(reader: &mut Reader<'_>, table: &ObjectName, found: &mut Operations) {
    let start = reader.start();
    reader.advance();
    if reader.take_all(&["SYSTEM", "VERSIONING"]) {
        return push(
            found,
            reader,
            start,
            rewrite(table, "ADD SYSTEM VERSIONING"),
        );
    }
    let only_columns = reader.take("COLUMN");
    let if_not_exists = reader.take_if_not_exists();
    if reader.take_symbol("(") {
        loop {
            let start = reader.start();
            let kind = added(reader, table, if_not_exists);
            push(found, reader, start, kind);
            reader.skip_item();
            if !reader.take_symbol(",") {
                break;
            }
        }
        reader.take_symbol(")");
        return skip_action(reader);
    }
    let kind = match only_columns {
        true => column(reader).map_or(other(table, "ADD COLUMN"), |column| {
            add_column(reader, table, column, if_not_exists)
        }),
        false => added(reader, table, if_not_exists),
    };
    skip_action(reader);
    push(found, reader, start, kind);
}

/// A column, an index or a constraint after `ADD`.
fn added(reader: &mut Reader<'_>, table: &ObjectName, if_not_exists: bool) -> OperationKind {
    match element(reader, Some(table)) {
        Element::Column(column) => add_column(reader, table, column, if_not_exists),
        Element::Index(index) => OperationKind::CreateIndex(Box::new(index)),
        Element::Constraint(constraint, own) => OperationKind::AddConstraint {
            table: table.clone(),
            constraint,
            if_not_exists: if_not_exists || own,
        },
        Element::Like(_) => other(table, "ADD LIKE"),
        Element::Other => other(table, &format!("ADD {}", first_words(reader))),
    }
}

fn add_column(
    reader: &mut Reader<'_>,
    table: &ObjectName,
    column: super::ColumnDefinition,
    if_not_exists: bool,
) -> OperationKind {
    OperationKind::AddColumn {
        table: table.clone(),
        column: Box::new(column),
        if_not_exists,
        placed: take_place(reader),
    }
}

/// Moves over `FIRST` or `AFTER column`.
fn take_place(reader: &mut Reader<'_>) -> bool {
    if reader.take("AFTER") {
        column_name(reader);
        return true;
    }
    reader.take("FIRST")
}

fn drop(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    reader.advance();
    if reader.take_all(&["PRIMARY", "KEY"]) {
        return vec![drop_constraint(table, "PRIMARY".to_owned(), false)];
    }
    if reader.take_all(&["SYSTEM", "VERSIONING"]) {
        return vec![rewrite(table, "DROP SYSTEM VERSIONING")];
    }
    if reader.is("PERIOD") && reader.is_at(1, "FOR") {
        return vec![other(table, "DROP PERIOD FOR")];
    }
    if reader.take_any(&["INDEX", "KEY"]) {
        let if_exists = reader.take_if_exists();
        let name = reader.identifier();
        return name.map_or(vec![other(table, "DROP INDEX")], |name| {
            vec![drop_index(table.clone(), name, if_exists)]
        });
    }
    if reader.take_all(&["FOREIGN", "KEY"]) || reader.take("CHECK") || reader.take("CONSTRAINT") {
        let if_exists = reader.take_if_exists();
        let name = reader.identifier();
        return name.map_or(vec![other(table, "DROP CONSTRAINT")], |name| {
            vec![drop_constraint(table, name, if_exists)]
        });
    }
    reader.take("COLUMN");
    let if_exists = reader.take_if_exists();
    match column_name(reader) {
        // RESTRICT and CASCADE are read and mean nothing.
        Some(column) => vec![OperationKind::DropColumn {
            table: table.clone(),
            column,
            cascade: false,
            if_exists,
        }],
        None => vec![other(table, "DROP")],
    }
}

fn drop_constraint(table: &ObjectName, constraint: String, if_exists: bool) -> OperationKind {
    OperationKind::DropConstraint {
        table: table.clone(),
        constraint,
        cascade: false,
        if_exists,
    }
}

/// The index with the name `PRIMARY` is the primary key.
pub(super) fn drop_index(table: ObjectName, name: String, if_exists: bool) -> OperationKind {
    if name.eq_ignore_ascii_case("PRIMARY") {
        return drop_constraint(&table, "PRIMARY".to_owned(), if_exists);
    }
    OperationKind::DropIndex {
        index: index_name(name),
        table: Some(table),
        concurrently: false,
        if_exists,
    }
}

fn alter(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    reader.advance();
    if reader.take_any(&["INDEX", "KEY"]) {
        let if_exists = reader.take_if_exists();
        let Some(index) = reader.identifier() else {
            return vec![other(table, "ALTER INDEX")];
        };
        let not = reader.take("NOT");
        let visible = reader.is("VISIBLE") || (not && reader.is("IGNORED"));
        return vec![OperationKind::IndexVisibility {
            table: table.clone(),
            index,
            visible,
            if_exists,
        }];
    }
    if reader.take_any(&["CHECK", "CONSTRAINT"]) {
        reader.identifier();
        let action = match reader.is("NOT") {
            true => "ALTER CONSTRAINT NOT ENFORCED",
            false => "ALTER CONSTRAINT ENFORCED",
        };
        return vec![other(table, action)];
    }
    reader.take("COLUMN");
    let if_exists = reader.take_if_exists();
    let Some(column) = column_name(reader) else {
        return vec![other(table, "ALTER COLUMN")];
    };
    let table = table.clone();
    let default = match reader.take_all(&["SET", "DEFAULT"]) {
        true => Some(value(reader)),
        false if reader.take_all(&["DROP", "DEFAULT"]) => None,
        false => {
            reader.take("SET");
            let action = first_words(reader);
            return vec![OperationKind::ColumnOther {
                table,
                column,
                action,
            }];
        }
    };
    vec![OperationKind::ColumnDefault {
        table,
        column,
        default,
        if_exists,
    }]
}

/// `CHANGE` and `MODIFY`.
fn modify(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    let changes = reader.is("CHANGE");
    reader.advance();
    reader.take("COLUMN");
    let if_exists = reader.take_if_exists();
    let before = match changes {
        true => column_name(reader),
        false => None,
    };
    let Some(definition) = column(reader) else {
        return vec![other(table, "MODIFY COLUMN")];
    };
    let placed = take_place(reader);
    let before = before.unwrap_or_else(|| definition.name.clone());
    let renamed = (before.to_lowercase() != definition.name.to_lowercase()).then(|| {
        // Names of columns are the same in whatever case.
        OperationKind::RenameColumn {
            table: table.clone(),
            column: before.clone(),
            to: definition.name.clone(),
            if_exists,
        }
    });
    let modified = OperationKind::ModifyColumn {
        table: table.clone(),
        column: before,
        definition: Box::new(definition),
        placed,
        if_exists,
    };
    iter::once(modified).chain(renamed).collect()
}

fn rename(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    reader.advance();
    let noun = reader.word();
    if matches!(noun.as_str(), "COLUMN" | "INDEX" | "KEY" | "CONSTRAINT") {
        reader.advance();
        let if_exists = reader.take_if_exists();
        let from = reader.identifier();
        reader.take_any(&["TO", "AS"]);
        let (Some(from), Some(to)) = (from, reader.identifier()) else {
            return vec![other(table, &format!("RENAME {noun}"))];
        };
        let table = table.clone();
        return vec![match noun.as_str() {
            "COLUMN" => OperationKind::RenameColumn {
                table,
                column: from,
                to,
                if_exists,
            },
            "CONSTRAINT" => OperationKind::RenameConstraint {
                table,
                constraint: from,
                to,
            },
            _ => OperationKind::Rename {
                object: index_name(from),
                to: index_name(to),
                table: Some(table),
                if_exists,
            },
        }];
    }
    if !reader.take_any(&["TO", "AS"]) {
        reader.take_symbol("=");
    }
    match reader.name(ObjectKind::Table) {
        Some(to) => vec![OperationKind::Rename {
            object: table.clone(),
            to,
            table: None,
            if_exists: false,
        }],
        None => vec![other(table, "RENAME")],
    }
}

/// `ORDER BY a, b DESC`: the last action, with commas of its own.
fn order_by(reader: &mut Reader<'_>) {
    skip_action(reader);
    while reader.take_symbol(",") {
        skip_action(reader);
    }
}
