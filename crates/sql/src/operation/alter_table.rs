//! The actions of `ALTER TABLE`, as PostgreSQL and SQLite write them. PostgreSQL's `ALTER` of views, indexes and sequences
//! has some of them too.

use super::reader::Reader;
use super::table_body::{begins_constraint, column_definition, table_constraint};
use super::type_name::postgres_type;
use super::{Operation, OperationKind, Operations};
use crate::{Dialect, ObjectKind, ObjectName};

/// Moves over all actions; the cursor is after the name of the table. One operation for each, with its own words.
pub(super) fn actions(reader: &mut Reader<'_>, table: &ObjectName, found: &mut Operations) {
    loop {
        let start = reader.start();
        let place = reader.place();
        let kind = action(reader, table).unwrap_or_else(|| {
            reader.go_back(place);
            other(table, reader.words(2))
        });
        while !reader.at_end() && !reader.is_symbol(",") {
            reader.step();
        }
        let span = reader.span_from(start);
        found.list.push(Operation { kind, span });
        if !reader.take_symbol(",") {
            return;
        }
    }
}

/// What is not told apart any further.
pub(super) fn other(object: &ObjectName, action: String) -> OperationKind {
    let object = object.clone();
    match object.kind {
        ObjectKind::Table => OperationKind::AlterTableOther {
            table: object,
            action,
        },
        _ => OperationKind::AlterOther { object, action },
    }
}

/// Moves over one action, as far as something of interest stands in it; `None` when it is not understood.
fn action(reader: &mut Reader<'_>, table: &ObjectName) -> Option<OperationKind> {
    match reader.word().as_str() {
        "ADD" => add(reader, table),
        "DROP" => drop(reader, table),
        "ALTER" => alter(reader, table),
        "RENAME" => rename(reader, table),
        "VALIDATE" => {
            reader.advance();
            reader.take("CONSTRAINT");
            Some(OperationKind::ValidateConstraint {
                table: table.clone(),
                constraint: reader.identifier()?,
            })
        }
        "SET" if reader.is_at(1, "SCHEMA") => set_schema(reader, table),
        "ATTACH" if table.kind == ObjectKind::Table => {
            reader.take_all(&["ATTACH", "PARTITION"]);
            Some(OperationKind::AttachPartition {
                table: table.clone(),
                partition: reader.name(ObjectKind::Table)?,
            })
        }
        "DETACH" => {
            reader.take_all(&["DETACH", "PARTITION"]);
            Some(OperationKind::DetachPartition {
                table: table.clone(),
                partition: reader.name(ObjectKind::Table)?,
                concurrently: reader.take("CONCURRENTLY"),
            })
        }
        _ => Some(rewrite_or_other(reader, table)),
    }
}

/// Actions that write the table anew.
const REWRITES: [&[&str]; 4] = [
    &["SET", "LOGGED"],
    &["SET", "UNLOGGED"],
    &["SET", "TABLESPACE"],
    &["SET", "ACCESS", "METHOD"],
];

/// Actions whose first words are not two.
const OTHERS: [&[&str]; 12] = [
    &["ENABLE", "ROW", "LEVEL", "SECURITY"],
    &["DISABLE", "ROW", "LEVEL", "SECURITY"],
    &["FORCE", "ROW", "LEVEL", "SECURITY"],
    &["NO", "FORCE", "ROW", "LEVEL", "SECURITY"],
    &["ENABLE", "REPLICA", "TRIGGER"],
    &["ENABLE", "ALWAYS", "TRIGGER"],
    &["ENABLE", "REPLICA", "RULE"],
    &["ENABLE", "ALWAYS", "RULE"],
    &["SET", "WITHOUT", "CLUSTER"],
    &["INHERIT"],
    &["OF"],
    &["RESTART"],
];

fn rewrite_or_other(reader: &mut Reader<'_>, table: &ObjectName) -> OperationKind {
    let has_rows = matches!(table.kind, ObjectKind::Table | ObjectKind::MaterializedView);
    if has_rows && let Some(words) = REWRITES.iter().find(|words| reader.take_all(words)) {
        return OperationKind::RewriteTable {
            table: Some(table.clone()),
            action: words.join(" "),
        };
    }
    let words = match OTHERS.iter().find(|words| reader.take_all(words)) {
        Some(words) => words.join(" "),
        None => reader.words(2),
    };
    other(table, words)
}

fn add(reader: &mut Reader<'_>, table: &ObjectName) -> Option<OperationKind> {
    reader.advance();
    if begins_constraint(reader) {
        return Some(OperationKind::AddConstraint {
            table: table.clone(),
            constraint: table_constraint(reader)?,
            if_not_exists: false,
        });
    }
    reader.take("COLUMN");
    let if_not_exists = reader.take_if_not_exists();
    Some(OperationKind::AddColumn {
        table: table.clone(),
        column: Box::new(column_definition(reader)?),
        if_not_exists,
        placed: false,
    })
}

fn drop(reader: &mut Reader<'_>, table: &ObjectName) -> Option<OperationKind> {
    reader.advance();
    if reader.take("CONSTRAINT") {
        let if_exists = reader.take_if_exists();
        return Some(OperationKind::DropConstraint {
            table: table.clone(),
            constraint: reader.identifier()?,
            cascade: reader.take("CASCADE"),
            if_exists,
        });
    }
    reader.take("COLUMN");
    let if_exists = reader.take_if_exists();
    Some(OperationKind::DropColumn {
        table: table.clone(),
        column: reader.identifier()?,
        cascade: reader.take("CASCADE"),
        if_exists,
    })
}

fn rename(reader: &mut Reader<'_>, table: &ObjectName) -> Option<OperationKind> {
    reader.advance();
    if reader.take("TO") {
        return Some(OperationKind::Rename {
            object: table.clone(),
            to: ObjectName {
                name: reader.identifier()?,
                ..table.clone()
            },
            table: None,
            if_exists: false,
        });
    }
    if reader.take("CONSTRAINT") {
        let constraint = reader.identifier()?;
        return Some(OperationKind::RenameConstraint {
            table: table.clone(),
            constraint,
            to: new_name(reader)?,
        });
    }
    reader.take("COLUMN");
    let column = reader.identifier()?;
    Some(OperationKind::RenameColumn {
        table: table.clone(),
        column,
        to: new_name(reader)?,
        if_exists: false,
    })
}

/// Moves over `TO name`.
pub(super) fn new_name(reader: &mut Reader<'_>) -> Option<String> {
    match reader.take("TO") {
        true => reader.identifier(),
        false => None,
    }
}

/// Moves over `SET SCHEMA name`.
pub(super) fn set_schema(reader: &mut Reader<'_>, object: &ObjectName) -> Option<OperationKind> {
    reader.take_all(&["SET", "SCHEMA"]);
    Some(OperationKind::Rename {
        object: object.clone(),
        to: ObjectName {
            schema: Some(reader.identifier()?),
            ..object.clone()
        },
        table: None,
        if_exists: false,
    })
}

fn alter(reader: &mut Reader<'_>, table: &ObjectName) -> Option<OperationKind> {
    reader.advance();
    if reader.take("CONSTRAINT") {
        return Some(other(table, "ALTER CONSTRAINT".to_owned()));
    }
    reader.take("COLUMN");
    let column = reader.identifier()?;
    let table = table.clone();
    let postgres = reader.dialect() == Dialect::Postgres;
    for (words, nullable) in [
        (["SET", "NOT", "NULL"], false),
        (["DROP", "NOT", "NULL"], true),
    ] {
        if reader.take_all(&words) {
            return Some(OperationKind::ColumnNullable {
                table,
                column,
                nullable,
            });
        }
    }
    if reader.take_all(&["SET", "DEFAULT"]) {
        return Some(OperationKind::ColumnDefault {
            table,
            column,
            default: Some(reader.expression_until(&[])),
            if_exists: false,
        });
    }
    if reader.take_all(&["DROP", "DEFAULT"]) {
        return Some(OperationKind::ColumnDefault {
            table,
            column,
            default: None,
            if_exists: false,
        });
    }
    if postgres && (reader.take("TYPE") || reader.take_all(&["SET", "DATA", "TYPE"])) {
        let to = postgres_type(reader)?;
        let collation = match reader.take("COLLATE") {
            true => reader.name(ObjectKind::Other).map(|name| name.name),
            false => None,
        };
        let using = match reader.take("USING") {
            true => Some(reader.expression_until(&[])),
            false => None,
        };
        return Some(OperationKind::ColumnType {
            table,
            column,
            to,
            using,
            collation,
        });
    }
    let most = if reader.is("RESTART") || reader.is_at(1, "START") {
        1
    } else {
        2
    };
    Some(OperationKind::ColumnOther {
        table,
        column,
        action: reader.words(most),
    })
}
