//! What makes a table or an index.

use super::{ColumnDefinition, Constraint, Expression};
use crate::ObjectName;

/// `CREATE TABLE`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTable {
    /// Which; its kind is [`ObjectKind::Table`].
    pub table: Option<ObjectName>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// Its columns, in order.
    pub columns: Vec<ColumnDefinition>,
    /// Constraints that stand by themselves. Those of a column are with the column.
    pub constraints: Vec<Constraint>,
    /// Indexes written inside of it (MySQL).
    pub indexes: Vec<CreateIndex>,
    /// `PARTITION OF`.
    pub partition_of: Option<ObjectName>,
    /// `PARTITION BY`.
    pub partitioned: bool,
    /// `INHERITS`, and `LIKE`.
    pub from: Vec<ObjectName>,
    /// Filled by a query, or `LIKE`: its columns are not all written here.
    pub incomplete: bool,
    /// Options after the columns, in capitals and lower case as written: `("ENGINE", "InnoDB")`, `("STRICT", "")`,
    /// `("CHARSET", "utf8mb4")`, `("COLLATE", …)`, `("ROW_FORMAT", …)`, `("WITHOUT ROWID", "")`.
    pub options: Vec<(String, String)>,
}

/// `CREATE INDEX`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateIndex {
    /// Its name, if one is written.
    pub name: Option<ObjectName>,
    /// On which table.
    pub table: Option<ObjectName>,
    /// `UNIQUE`.
    pub unique: bool,
    /// What it is of, in order: the name of a column, or `None` for an expression.
    pub columns: Vec<Option<String>>,
    /// The expressions among them (PostgreSQL and SQLite).
    pub expressions: Vec<Expression>,
    /// `WHERE` condition: only some of the rows.
    pub condition: Option<Expression>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `ON ONLY`.
    pub only: bool,
    /// `FULLTEXT`, `SPATIAL`, or the access method in capitals (`GIN`); empty when none is written.
    pub method: String,
    /// What it is of, as written, from the access method or the parentheses on: with the order, the operator classes and
    /// the lengths. Empty when it is not written here.
    pub definition: String,
}
