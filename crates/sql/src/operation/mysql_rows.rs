//! Statements of MySQL and MariaDB that change rows.

use super::reader::Reader;
use super::{Expression, OperationKind};
use crate::lexer::TokenKind;
use crate::{ObjectKind, ObjectName};

const MODIFIERS: &[&str] = &[
    "LOW_PRIORITY",
    "DELAYED",
    "HIGH_PRIORITY",
    "QUICK",
    "IGNORE",
];

/// Servers join no more tables than this (manual, "Limits on Joins").
const MOST_TABLES: usize = 61;

/// Words that follow a table and are no name for it.
const AFTER_TABLE: &[&str] = &[
    "BEFORE",
    "CROSS",
    "FOR",
    "FORCE",
    "FROM",
    "IGNORE",
    "INNER",
    "JOIN",
    "LEFT",
    "LIMIT",
    "NATURAL",
    "ON",
    "ORDER",
    "OUTER",
    "PARTITION",
    "RETURNING",
    "RIGHT",
    "SET",
    "STRAIGHT_JOIN",
    "USE",
    "USING",
    "WHERE",
];

/// Words that end the list of tables of `UPDATE` and `DELETE`, and those that end its condition.
const AFTER_TABLES: &[&str] = &["SET", "WHERE", "BEFORE", "ORDER", "LIMIT", "RETURNING"];
const AFTER_CONDITION: &[&str] = &["ORDER", "LIMIT", "RETURNING"];

/// A table that `UPDATE` or `DELETE` reads, with the name that the statement gives it.
struct Source {
    table: ObjectName,
    alias: Option<String>,
}

impl Source {
    fn is_called(&self, name: &ObjectName) -> bool {
        let called = self.alias.as_ref().unwrap_or(&self.table.name);
        called.eq_ignore_ascii_case(&name.name)
    }
}

/// At `INSERT` or `REPLACE`.
pub(super) fn insert(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(MODIFIERS);
    reader.take("INTO");
    let Some(table) = reader.name(ObjectKind::Table) else {
        return no_table();
    };
    if reader.take("PARTITION") {
        reader.skip_parentheses();
    }
    let columns = if reader.take("SET") {
        assigned(reader)
            .into_iter()
            .map(|column| column.name)
            .collect()
    } else {
        columns(reader)
    };
    vec![OperationKind::Insert { table, columns }]
}

/// `(a, b)`, unless a query stands in the parentheses.
fn columns(reader: &mut Reader<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if !reader.is_symbol("(") || reader.is_symbol_at(1, "(") || holds_query(reader) {
        return names;
    }
    reader.advance();
    while !reader.at_end() && !reader.is_symbol(")") {
        names.extend(reader.name(ObjectKind::Other).map(|column| column.name));
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    names
}

/// At `LOAD DATA` or `LOAD XML`.
pub(super) fn load(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    while !reader.at_end() && !reader.take_all(&["INTO", "TABLE"]) {
        reader.advance();
    }
    let Some(table) = reader.name(ObjectKind::Table) else {
        return no_table();
    };
    if reader.take("PARTITION") {
        reader.skip_parentheses();
    }
    // What follows has no parentheses but those of the columns.
    while !reader.at_end() && !reader.is_symbol("(") && !reader.is("SET") {
        reader.advance();
    }
    let columns = columns(reader);
    vec![OperationKind::Insert { table, columns }]
}

/// At `UPDATE`. With several tables, those that `SET` names are changed.
pub(super) fn update(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(MODIFIERS);
    let sources = sources(reader);
    reader.skip_until(&["SET"]);
    reader.take("SET");
    let assigned = assigned(reader);
    let condition = condition(reader);
    let mut tables: Vec<ObjectName> = Vec::new();
    for column in assigned {
        let qualifier = column.schema.map(|table| ObjectName {
            kind: ObjectKind::Table,
            schema: None,
            name: table,
        });
        let named = sources.iter().filter(|source| match &qualifier {
            Some(qualifier) => source.is_called(qualifier),
            // A column without its table may be of any.
            None => true,
        });
        for source in named {
            if !tables.contains(&source.table) {
                tables.push(source.table.clone());
            }
        }
    }
    let changed = tables.into_iter().map(|table| OperationKind::Update {
        table,
        condition: condition.clone(),
    });
    or_no_table(changed.collect())
}

/// At `DELETE`.
pub(super) fn delete(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(MODIFIERS);
    // MariaDB: rows of the past of a system-versioned table.
    reader.take("HISTORY");
    let has_from = reader.take("FROM");
    let place = reader.place();
    let mut targets = target_names(reader);
    let lists_targets = match has_from {
        true => reader.take("USING"),
        false => reader.take("FROM"),
    };
    if !lists_targets {
        reader.go_back(place);
        targets.clear();
    }
    let sources = sources(reader);
    let condition = condition(reader);
    let tables: Vec<ObjectName> = match targets.is_empty() {
        true => sources.into_iter().map(|source| source.table).collect(),
        false => targets
            .into_iter()
            .map(|target| {
                let source = sources.iter().find(|source| source.is_called(&target));
                source.map_or_else(|| target.clone(), |source| source.table.clone())
            })
            .collect(),
    };
    let changed = tables.into_iter().map(|table| OperationKind::Delete {
        table,
        condition: condition.clone(),
    });
    or_no_table(changed.collect())
}

/// `t1, d.t2.*`
fn target_names(reader: &mut Reader<'_>) -> Vec<ObjectName> {
    let mut targets = Vec::new();
    loop {
        let mut parts = Vec::new();
        while let Some(part) = reader.identifier() {
            parts.push(part);
            if !reader.take_symbol(".") || reader.take_symbol("*") {
                break;
            }
        }
        targets.extend(parts.pop().map(|name| ObjectName {
            kind: ObjectKind::Table,
            schema: parts.pop(),
            name,
        }));
        if !reader.take_symbol(",") {
            targets.truncate(MOST_TABLES);
            return targets;
        }
    }
}

/// Moves over a list of tables and joins.
fn sources(reader: &mut Reader<'_>) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut table_follows = true;
    while !reader.at_end() && !reader.is_any(AFTER_TABLES) {
        if table_follows {
            if reader.is_symbol("(") && !holds_query(reader) {
                // A join in parentheses.
                reader.advance();
                continue;
            }
            table_follows = false;
            sources.extend(source(reader));
        } else if reader.is_any(&["JOIN", "STRAIGHT_JOIN"]) || reader.is_symbol(",") {
            reader.advance();
            table_follows = true;
        } else if reader.is_symbol("(") {
            reader.skip_parentheses();
        } else {
            reader.advance();
        }
    }
    sources.truncate(MOST_TABLES);
    sources
}

/// Whether the parenthesis here begins a query.
fn holds_query(reader: &mut Reader<'_>) -> bool {
    ["SELECT", "WITH", "VALUES", "TABLE"]
        .iter()
        .any(|word| reader.is_at(1, word))
}

/// A table with its other name; `None` for a query or a function.
fn source(reader: &mut Reader<'_>) -> Option<Source> {
    if reader.take_symbol("{") {
        // ODBC: { OJ table … }
        reader.advance();
    }
    reader.take("LATERAL");
    let table = match reader.is_symbol("(") {
        true => {
            reader.skip_parentheses();
            None
        }
        false => reader.name(ObjectKind::Table),
    };
    let is_function = table.is_some() && reader.is_symbol("(");
    if is_function || reader.take("PARTITION") {
        reader.skip_parentheses();
    }
    // MariaDB, tables with periods.
    if reader.take_all(&["FOR", "PORTION", "OF"]) {
        reader.identifier();
        while !reader.at_end() && !reader.take("TO") && !reader.is_any(AFTER_TABLES) {
            reader.advance();
        }
        super::mysql_column::value(reader);
    }
    let named = reader.take("AS");
    let has_alias = named
        || (matches!(reader.kind(), Some(TokenKind::Word | TokenKind::QuotedName))
            && !reader.is_any(AFTER_TABLE));
    let alias = match has_alias {
        true => reader.identifier(),
        false => None,
    };
    match is_function {
        true => None,
        false => table.map(|table| Source { table, alias }),
    }
}

/// The columns of `a = 1, t.b = 2`, up to `WHERE`.
fn assigned(reader: &mut Reader<'_>) -> Vec<ObjectName> {
    let mut columns = Vec::new();
    loop {
        columns.extend(reader.name(ObjectKind::Other));
        reader.skip_until(&["ON", "WHERE", "ORDER", "LIMIT", "RETURNING"]);
        if !reader.take_symbol(",") {
            return columns;
        }
    }
}

/// The condition, wherever it comes.
fn condition(reader: &mut Reader<'_>) -> Option<Expression> {
    while !reader.at_end() && !reader.is_any(AFTER_CONDITION) {
        // DELETE HISTORY … BEFORE
        if reader.take("WHERE") || reader.take("BEFORE") {
            return Some(reader.expression_until(AFTER_CONDITION));
        }
        match reader.is_symbol("(") {
            true => reader.skip_parentheses(),
            false => reader.advance(),
        }
    }
    None
}

fn no_table() -> Vec<OperationKind> {
    vec![OperationKind::Opaque {
        reason: "it does not name the table whose rows it changes".to_owned(),
    }]
}

fn or_no_table(kinds: Vec<OperationKind>) -> Vec<OperationKind> {
    match kinds.is_empty() {
        true => no_table(),
        false => kinds,
    }
}
