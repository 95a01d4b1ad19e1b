//! Queries and statements that change rows, as PostgreSQL and SQLite write them.

use std::ops::Range;

use super::reader::Reader;
use super::{CreateTable, Operation, OperationKind, Operations};
use crate::lexer::TokenKind;
use crate::{Dialect, ObjectKind, ObjectName};

/// What a statement does that begins with `SELECT`, `WITH`, `VALUES`, `(` or a verb that changes rows. Where nothing in
/// it changes anything, it is a query.
///
/// Nothing here looks at the rows of an `INSERT`; a query is walked through to its end.
pub(super) fn query(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    let before = found.list.len();
    let mut depth = 0_usize;
    // A statement can begin only here, at `(`, and after the `)` of the last common table expression.
    let mut can_begin = true;
    // Where the operations that stand in parentheses are in the list, how many, and how deep they stand.
    let mut open: Vec<(Range<usize>, usize)> = Vec::new();
    while !reader.at_end() {
        if can_begin && begins_change(reader) {
            let start = reader.start();
            let kinds = row_change(reader);
            let first = found.list.len();
            let span = if depth == 0 {
                whole.clone()
            } else {
                start..whole.end
            };
            found.extend(kinds, &span);
            if depth == 0 {
                return;
            }
            open.push((first..found.list.len(), depth));
            can_begin = false;
            continue;
        }
        can_begin = reader.is_symbol("(") || reader.is_symbol(")");
        if reader.is_symbol("(") {
            depth += 1;
        } else if reader.is_symbol(")") {
            while let Some((operations, _)) = open.pop_if(|(_, inside)| *inside >= depth) {
                let end = reader.end_of_last();
                for operation in found.list.get_mut(operations).unwrap_or_default() {
                    operation.span.end = end;
                }
            }
            depth = depth.saturating_sub(1);
        } else if reader.dialect() == Dialect::Postgres {
            if depth == 0 && reader.is("INTO") {
                reader.advance();
                let kind = select_into(reader);
                found.add(kind, whole.clone());
                continue;
            }
            if reader.is("SET_CONFIG") && reader.is_symbol_at(1, "(") {
                depth += 1;
                if let Some(kind) = set_config(reader) {
                    found.add(kind, whole.clone());
                }
                continue;
            }
        }
        reader.advance();
    }
    if found.list.len() == before {
        found.add(OperationKind::Query, whole);
    }
}

/// What `INSERT`, `UPDATE`, `DELETE`, `REPLACE` or `MERGE` does.
pub(super) fn change(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    let kinds = row_change(reader);
    found.extend(kinds, &whole);
}

/// Whether a statement that changes rows begins here; functions have the same names.
fn begins_change(reader: &mut Reader<'_>) -> bool {
    match reader.word().as_str() {
        "INSERT" => reader.is_at(1, "INTO") || reader.is_at(1, "OR"),
        "REPLACE" | "MERGE" => reader.is_at(1, "INTO"),
        "DELETE" => reader.is_at(1, "FROM"),
        "UPDATE" => !reader.is_symbol_at(1, "("),
        _ => false,
    }
}

/// Moves over a statement that changes rows, as far as something of interest stands in it.
fn row_change(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    let verb = reader.word();
    reader.advance();
    if reader.take("OR") {
        reader.advance();
    }
    reader.take_any(&["INTO", "FROM", "ONLY"]);
    let Some(table) = reader.name(ObjectKind::Table) else {
        return vec![OperationKind::Opaque {
            reason: format!("the table of the {verb} was not found"),
        }];
    };
    let kind = match verb.as_str() {
        "MERGE" => return merge(reader, &table),
        "UPDATE" => OperationKind::Update {
            table,
            condition: condition(reader),
        },
        "DELETE" => OperationKind::Delete {
            table,
            condition: condition(reader),
        },
        _ => {
            if reader.take("AS") {
                reader.advance();
            }
            OperationKind::Insert {
                table,
                columns: insert_columns(reader),
            }
        }
    };
    vec![kind]
}

/// Moves over the columns that an `INSERT` names. A query in parentheses is none.
fn insert_columns(reader: &mut Reader<'_>) -> Vec<String> {
    let is_query = reader.is_symbol_at(1, "(")
        || ["SELECT", "WITH", "VALUES", "TABLE"]
            .iter()
            .any(|word| reader.is_at(1, word));
    match is_query {
        true => Vec::new(),
        false => reader.name_list(),
    }
}

/// Moves over the `WHERE` condition.
fn condition(reader: &mut Reader<'_>) -> Option<super::Expression> {
    if !reader.find(&["WHERE", "RETURNING"]) || !reader.take("WHERE") {
        return None;
    }
    Some(reader.expression_until(&["RETURNING", "ORDER", "LIMIT"]))
}

/// Moves over a `MERGE`: one operation for each thing that it does. The condition of its updates and deletions is that
/// of the join.
fn merge(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    let mut kinds: Vec<OperationKind> = Vec::new();
    let condition = match reader.find(&["ON", "WHEN"]) && reader.take("ON") {
        true => Some(reader.expression_until(&["WHEN"])),
        false => None,
    };
    while reader.find(&["THEN"]) {
        reader.advance();
        let table = table.clone();
        let condition = condition.clone();
        let kind = match reader.word().as_str() {
            "INSERT" => {
                reader.advance();
                OperationKind::Insert {
                    table,
                    columns: reader.name_list(),
                }
            }
            "UPDATE" => OperationKind::Update { table, condition },
            "DELETE" => OperationKind::Delete { table, condition },
            _ => continue,
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        // A `CASE … THEN` in the values of this action is passed over with the rest of it.
        reader.find(&["WHEN"]);
    }
    if kinds.is_empty() {
        kinds.push(OperationKind::Opaque {
            reason: "what the MERGE does was not found".to_owned(),
        });
    }
    kinds
}

/// What `SELECT … INTO t` does; the cursor is after `INTO`.
fn select_into(reader: &mut Reader<'_>) -> OperationKind {
    let temporary = reader.take_any(&["TEMPORARY", "TEMP"]);
    reader.take_any(&["UNLOGGED", "TABLE"]);
    let table = reader.name(ObjectKind::Table);
    OperationKind::CreateTable(Box::new(CreateTable {
        table,
        temporary,
        incomplete: true,
        ..CreateTable::default()
    }))
}

/// Moves over `set_config(name, value`.
fn set_config(reader: &mut Reader<'_>) -> Option<OperationKind> {
    reader.advance();
    reader.advance();
    if reader.kind() != Some(TokenKind::Literal) {
        return None;
    }
    let name = reader.identifier()?.to_ascii_lowercase();
    if !reader.take_symbol(",") {
        return None;
    }
    let value = reader.expression_until(&[]).text;
    Some(OperationKind::Setting { name, value })
}

impl Operations {
    pub(super) fn add(&mut self, kind: OperationKind, span: Range<usize>) {
        self.list.push(Operation { kind, span });
    }

    fn extend(&mut self, kinds: Vec<OperationKind>, span: &Range<usize>) {
        for kind in kinds {
            self.add(kind, span.clone());
        }
    }
}
