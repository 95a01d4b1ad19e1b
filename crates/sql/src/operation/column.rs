//! Definitions of columns.

use std::ops::Range;

use super::{Constraint, Expression, TypeName};

/// A column, as `CREATE TABLE`, `ADD COLUMN` and MySQL's `MODIFY COLUMN` define it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type; SQLite does without.
    pub data_type: Option<TypeName>,
    /// `NOT NULL` is written. A primary key is not nullable either, and does not set this.
    pub not_null: bool,
    /// `NULL` is written.
    pub null: bool,
    /// `DEFAULT`.
    pub default: Option<Expression>,
    /// `GENERATED ALWAYS AS (…)`.
    pub generated: Option<Generated>,
    /// Numbers itself: `serial`, `GENERATED … AS IDENTITY`, `AUTO_INCREMENT`, `AUTOINCREMENT`.
    pub numbered: bool,
    /// `CHECK`, `UNIQUE`, `PRIMARY KEY`, `REFERENCES` written with it; their columns are this one.
    pub constraints: Vec<Constraint>,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// `COMMENT` is written (MySQL).
    pub comment: bool,
    /// `ON UPDATE` is written (MySQL).
    pub on_update: bool,
    /// `INVISIBLE` is written (MySQL).
    pub invisible: bool,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
}

/// A generated column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Kept with the row (`STORED`, `PERSISTENT`), not computed when read (`VIRTUAL`).
    pub stored: bool,
    /// From what.
    pub expression: Expression,
}
