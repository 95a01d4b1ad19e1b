//! Definitions of columns and constraints, as PostgreSQL and SQLite write them.

use super::reader::Reader;
use super::type_name::{postgres_type, sqlite_type};
use super::{
    ColumnDefinition, Constraint, ConstraintKind, CreateTable, Expression, Generated, Reference,
};
use crate::{Dialect, ObjectKind};

/// Moves over what stands in the parentheses of `CREATE TABLE`.
pub(super) fn table_body(reader: &mut Reader<'_>, create: &mut CreateTable) {
    if !reader.take_symbol("(") {
        return;
    }
    loop {
        if reader.dialect() == Dialect::Postgres && reader.take("LIKE") {
            create.from.extend(reader.name(ObjectKind::Table));
            create.incomplete = true;
        } else if begins_constraint(reader) {
            create.constraints.extend(table_constraint(reader));
        } else {
            create.columns.extend(column_definition(reader));
        }
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
}

/// Whether a constraint of the table begins here, not a column.
pub(super) fn begins_constraint(reader: &mut Reader<'_>) -> bool {
    if reader.dialect() == Dialect::Postgres {
        let excludes =
            reader.is("EXCLUDE") && (reader.is_at(1, "USING") || reader.is_symbol_at(1, "("));
        if excludes || (reader.is("NOT") && reader.is_at(1, "NULL")) {
            return true;
        }
    }
    reader.is_any(&["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN"])
}

/// Moves over a constraint that stands by itself.
pub(super) fn table_constraint(reader: &mut Reader<'_>) -> Option<Constraint> {
    let start = reader.start();
    let name = constraint_name(reader);
    let kind = constraint_kind(reader, None)?;
    let not_valid = constraint_attributes(reader);
    Some(Constraint {
        name,
        kind,
        not_valid,
        span: reader.span_from(start),
    })
}

/// Moves over the definition of a column.
pub(super) fn column_definition(reader: &mut Reader<'_>) -> Option<ColumnDefinition> {
    let start = reader.start();
    let mut column = ColumnDefinition {
        name: reader.identifier()?,
        ..ColumnDefinition::default()
    };
    column.data_type = match reader.dialect() {
        Dialect::Sqlite => sqlite_type(reader),
        _ if reader.take_all(&["WITH", "OPTIONS"]) || begins_column_constraint(reader) => None,
        _ => postgres_type(reader),
    };
    if reader.dialect() == Dialect::Postgres
        && let Some(data_type) = &mut column.data_type
    {
        let integer = match data_type.name.as_str() {
            "serial" | "serial4" => "integer",
            "bigserial" | "serial8" => "bigint",
            "smallserial" | "serial2" => "smallint",
            _ => "",
        };
        if !integer.is_empty() {
            integer.clone_into(&mut data_type.name);
            column.numbered = true;
        }
    }
    while column_part(reader, &mut column) {}
    column.span = reader.span_from(start);
    Some(column)
}

/// Whether what follows the name of a column is not its type (in partitions and tables of a type).
fn begins_column_constraint(reader: &mut Reader<'_>) -> bool {
    reader.is_any(&DEFAULT_ENDS)
        && (!reader.is("GENERATED") || reader.is_at(1, "ALWAYS") || reader.is_at(1, "BY"))
}

/// The words that begin a constraint of a column, and so end the default before them.
const DEFAULT_ENDS: [&str; 10] = [
    "CONSTRAINT",
    "NOT",
    "NULL",
    "CHECK",
    "DEFAULT",
    "GENERATED",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "COLLATE",
];

/// Moves over one part of what follows a column's type, and says whether there was one.
fn column_part(reader: &mut Reader<'_>, column: &mut ColumnDefinition) -> bool {
    let start = reader.start();
    let name = constraint_name(reader);
    if reader.take_all(&["NOT", "NULL"]) {
        column.not_null = true;
        constraint_attributes(reader);
    } else if reader.take("NULL") {
        column.null = true;
        constraint_attributes(reader);
    } else if reader.take("DEFAULT") {
        column.default = Some(default_expression(reader));
    } else if reader.take("GENERATED") {
        reader.take_any(&["ALWAYS", "BY", "DEFAULT"]);
        reader.take("AS");
        if reader.take("IDENTITY") {
            column.numbered = true;
            if reader.is_symbol("(") {
                reader.skip_parentheses();
            }
        } else {
            column.generated = generated(reader);
        }
    } else if reader.dialect() == Dialect::Sqlite && reader.take("AS") {
        column.generated = generated(reader);
    } else if reader.take("COLLATE") {
        column.collation = reader.name(ObjectKind::Other).map(|name| name.name);
    } else if reader.is_any(&["STORAGE", "COMPRESSION", "OPTIONS"]) {
        reader.advance();
        reader.step();
    } else if reader.is_any(&["CHECK", "UNIQUE", "PRIMARY", "REFERENCES"]) {
        let Some(kind) = constraint_kind(reader, Some(&column.name)) else {
            return false;
        };
        let not_valid = constraint_attributes(reader);
        column.numbered |= reader.take("AUTOINCREMENT");
        column.constraints.push(Constraint {
            name,
            kind,
            not_valid,
            span: reader.span_from(start),
        });
    } else {
        return false;
    }
    true
}

fn default_expression(reader: &mut Reader<'_>) -> Expression {
    let start = reader.start();
    // The only word that is a default as well as the begin of something else.
    reader.take("NULL");
    reader.expression_until(&DEFAULT_ENDS);
    let span = reader.span_from(start);
    reader.expression(span)
}

/// Moves over `( … ) STORED` and the like.
fn generated(reader: &mut Reader<'_>) -> Option<Generated> {
    let expression = reader.in_parentheses()?;
    let stored = reader.take("STORED");
    reader.take("VIRTUAL");
    Some(Generated { stored, expression })
}

fn constraint_name(reader: &mut Reader<'_>) -> Option<String> {
    match reader.take("CONSTRAINT") {
        true => reader.identifier(),
        false => None,
    }
}

/// Moves over what a constraint demands; of the column given, or of those that it names.
fn constraint_kind(reader: &mut Reader<'_>, column: Option<&str>) -> Option<ConstraintKind> {
    if reader.take("CHECK") {
        let condition = reader.in_parentheses()?;
        return Some(ConstraintKind::Check { condition });
    }
    if reader.take("UNIQUE") {
        take_nulls_distinct(reader);
        let using_index = using_index(reader);
        let columns = columns(reader, column);
        return Some(ConstraintKind::Unique {
            columns,
            using_index,
        });
    }
    if reader.take_all(&["PRIMARY", "KEY"]) {
        let using_index = using_index(reader);
        let columns = columns(reader, column);
        reader.take_any(&["ASC", "DESC"]);
        return Some(ConstraintKind::PrimaryKey {
            columns,
            using_index,
        });
    }
    let refers = column.is_some() && reader.is("REFERENCES");
    if refers || reader.take_all(&["FOREIGN", "KEY"]) {
        let columns = columns(reader, column);
        if !reader.take("REFERENCES") {
            return None;
        }
        let reference = Reference {
            table: reader.name(ObjectKind::Table)?,
            columns: columns_in_parentheses(reader),
        };
        return Some(ConstraintKind::ForeignKey { columns, reference });
    }
    if reader.take("EXCLUDE") {
        if reader.take("USING") {
            reader.advance();
        }
        if reader.is_symbol("(") {
            reader.skip_parentheses();
        }
        return Some(ConstraintKind::Exclude);
    }
    if column.is_none() && reader.take_all(&["NOT", "NULL"]) {
        let column = reader.identifier()?;
        return Some(ConstraintKind::NotNull { column });
    }
    None
}

/// Moves over `USING INDEX name`, which stands where the columns would.
fn using_index(reader: &mut Reader<'_>) -> Option<String> {
    match reader.take_all(&["USING", "INDEX"]) {
        true => reader.identifier(),
        false => None,
    }
}

fn columns(reader: &mut Reader<'_>, column: Option<&str>) -> Vec<String> {
    match column {
        Some(column) => vec![column.to_owned()],
        None => columns_in_parentheses(reader),
    }
}

/// Moves over `(a, PERIOD b)`.
fn columns_in_parentheses(reader: &mut Reader<'_>) -> Vec<String> {
    let mut columns = Vec::new();
    if !reader.take_symbol("(") {
        return columns;
    }
    loop {
        if !reader.is_symbol_at(1, ",") && !reader.is_symbol_at(1, ")") {
            reader.take("PERIOD");
        }
        columns.extend(reader.identifier());
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    columns
}

fn take_nulls_distinct(reader: &mut Reader<'_>) -> bool {
    reader.take_all(&["NULLS", "DISTINCT"]) || reader.take_all(&["NULLS", "NOT", "DISTINCT"])
}

/// Moves over what may follow a constraint, and says whether rows that are there need not obey it: `NOT VALID`, `NOT
/// ENFORCED`.
fn constraint_attributes(reader: &mut Reader<'_>) -> bool {
    let mut not_valid = false;
    loop {
        if reader.take_all(&["NOT", "VALID"]) || reader.take_all(&["NOT", "ENFORCED"]) {
            not_valid = true;
        } else if reader.take_all(&["NOT", "DEFERRABLE"])
            || reader.take_all(&["NO", "INHERIT"])
            || reader.take_any(&["DEFERRABLE", "ENFORCED"])
            || take_nulls_distinct(reader)
        {
        } else if reader.take("INITIALLY")
            || reader.take("MATCH")
            || reader.take_all(&["ON", "CONFLICT"])
            || reader.take_all(&["USING", "INDEX", "TABLESPACE"])
        {
            reader.advance();
        } else if reader.take_all(&["ON", "DELETE"]) || reader.take_all(&["ON", "UPDATE"]) {
            let sets = reader.take("SET");
            if sets || reader.take("NO") {
                reader.advance();
            } else {
                reader.take_any(&["CASCADE", "RESTRICT"]);
            }
            if sets && reader.is_symbol("(") {
                reader.skip_parentheses();
            }
        } else if reader.is_any(&["INCLUDE", "WITH", "WHERE"]) && reader.is_symbol_at(1, "(") {
            reader.advance();
            reader.skip_parentheses();
        } else {
            return not_valid;
        }
    }
}
