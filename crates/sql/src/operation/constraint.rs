//! Constraints.

use std::ops::Range;

use super::Expression;
use crate::ObjectName;

/// A constraint of a table or a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name, if one is written.
    pub name: Option<String>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `NOT VALID`: rows that are there are not looked at.
    pub not_valid: bool,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// `CHECK`.
    Check {
        /// What must not be false.
        condition: Expression,
    },
    /// `UNIQUE`.
    Unique {
        /// Its columns.
        columns: Vec<String>,
        /// The index that becomes it.
        using_index: Option<String>,
    },
    /// `PRIMARY KEY`.
    PrimaryKey {
        /// Its columns.
        columns: Vec<String>,
        /// The index that becomes it.
        using_index: Option<String>,
    },
    /// `FOREIGN KEY`, `REFERENCES`.
    ForeignKey {
        /// Its columns.
        columns: Vec<String>,
        /// What they refer to.
        reference: Reference,
    },
    /// `EXCLUDE`.
    Exclude,
    /// `NOT NULL` as a constraint of the table (PostgreSQL 18).
    NotNull {
        /// Of which column.
        column: String,
    },
}

/// What a foreign key refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The table.
    pub table: ObjectName,
    /// Its columns; empty for the primary key.
    pub columns: Vec<String>,
}
