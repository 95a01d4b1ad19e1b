//! `ALTER TABLE` on columns.

use super::default::volatile_function;
use super::type_change::{self, change};
use super::{ACCESS_EXCLUSIVE, List, SHARE_ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, scan_if};
use crate::effect::Work;
use crate::operation::{ColumnDefinition, ConstraintKind, Expression, TypeName};
use crate::schema::Table;
use crate::{Dialect, ObjectName};

impl List<'_> {
    /// Without a default, or with one that is the same for all rows, nothing but the catalog changes (since version 11).
    pub(super) fn add_column(
        &mut self,
        table: &ObjectName,
        column: &ColumnDefinition,
        if_not_exists: bool,
    ) {
        if if_not_exists && self.schema.column(table, &column.name).is_some() {
            return self.briefly(table);
        }
        let default = column.default.as_ref();
        let is_null = default.is_none_or(|default| default.text.eq_ignore_ascii_case("null"));
        let rewrites = column.numbered
            || column
                .generated
                .as_ref()
                .is_some_and(|generated| generated.stored)
            || default.is_some_and(|default| volatile_function(default, self.schema).is_some())
            || column.data_type.as_ref().is_some_and(|data_type| {
                type_change::domain(self.schema, data_type).is_some_and(|domain| domain.restricted)
            });
        let mut work = match rewrites {
            true => Work::Rewrite,
            false => scan_if(column.not_null && is_null && column.generated.is_none()),
        };
        for constraint in &column.constraints {
            let own = match &constraint.kind {
                ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } => {
                    Work::IndexBuild
                }
                ConstraintKind::Check { .. } => Work::Scan,
                // A foreign key of which all values are NULL is not looked at.
                ConstraintKind::ForeignKey { reference, .. } => {
                    let own = scan_if(!is_null);
                    if !self.schema.same_name(table, &reference.table) {
                        self.add(&reference.table, SHARE_ROW_EXCLUSIVE, own.max(work));
                    }
                    own
                }
                _ => Work::Metadata,
            };
            work = work.max(own);
        }
        self.add(table, ACCESS_EXCLUSIVE, work);
    }

    pub(super) fn column_type(
        &mut self,
        table: &ObjectName,
        column: &str,
        to: &TypeName,
        using: Option<&Expression>,
        collation: Option<&str>,
    ) {
        let known = self.schema.table(table);
        let definition = known
            .and_then(|table| table.column(Dialect::Postgres, column))
            .map(|column| &column.definition);
        let from = definition.and_then(|definition| definition.data_type.as_ref());
        let own = definition.and_then(|definition| definition.collation.as_deref());
        let other_collation =
            definition.is_some() && own.unwrap_or("default") != collation.unwrap_or("default");
        let mut work = match type_change::is_cast(using, column) {
            true => change(self.schema, from, to),
            false => Work::Rewrite,
        };
        let is_same = from.is_some_and(|from| type_change::is_same(from, to)) && !other_collation;
        if let Some(known) = known
            && !is_same
        {
            let sorted_anew = other_collation || work == Work::IndexBuild;
            work = match work {
                Work::IndexBuild => Work::Metadata,
                work => work,
            };
            work = work.max(dependents(known, column, sorted_anew));
        }
        self.add(table, ACCESS_EXCLUSIVE, work);
        // A foreign key on it is dropped and made anew, on both sides.
        self.references(table, |constraint| {
            constraint.columns().iter().any(|name| name == column)
        });
    }

    pub(super) fn column_other(&mut self, table: &ObjectName, action: &str) {
        match action {
            "SET STATISTICS" | "SET" | "RESET" => {
                self.add(table, SHARE_UPDATE_EXCLUSIVE, Work::Metadata);
            }
            // A new expression of a generated column (version 17).
            "SET EXPRESSION" => self.add(table, ACCESS_EXCLUSIVE, Work::Rewrite),
            _ => self.briefly(table),
        }
    }

    /// Whether `SET NOT NULL` has to look for NULLs: not where the column refuses them already, nor where a valid check
    /// does.
    pub(super) fn may_hold_null(&self, table: &ObjectName, column: &str) -> bool {
        let Some(table) = self.schema.table(table) else {
            return true;
        };
        let checked = table
            .constraints
            .iter()
            .any(|constraint| match &constraint.kind {
                ConstraintKind::Check { condition } => {
                    !constraint.not_valid && refuses_null(condition, column)
                }
                _ => false,
            });
        !checked && table.is_nullable(Dialect::Postgres, column) != Some(false)
    }

    /// Whether the columns of the index that is to be the primary key are to be looked at.
    pub(super) fn has_nullable_column(&self, table: &ObjectName, index: &str) -> bool {
        let known = self.schema.table(table);
        let index = known.and_then(|table| table.index(Dialect::Postgres, index));
        let mut columns = index
            .iter()
            .flat_map(|index| index.columns.iter().flatten());
        columns.any(|column| self.may_hold_null(table, column))
    }
}

/// What else there is to do when a column gets another type: checks that name it are looked at again, and its indexes
/// that have expressions or a condition are built anew.
fn dependents(table: &Table, column: &str, sorted_anew: bool) -> Work {
    let mut work = Work::Metadata;
    for constraint in &table.constraints {
        if let ConstraintKind::Check { condition } = &constraint.kind
            && condition.names(Dialect::Postgres, column)
        {
            work = work.max(scan_if(!constraint.not_valid));
        }
        let is_key = matches!(
            constraint.kind,
            ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }
        );
        if is_key && sorted_anew && constraint.columns().iter().any(|name| name == column) {
            work = Work::IndexBuild;
        }
    }
    for index in &table.indexes {
        let more = || index.expressions.iter().chain(&index.condition);
        let uses = index.columns.iter().flatten().any(|name| name == column)
            || more().any(|part| part.names(Dialect::Postgres, column));
        if uses && (sorted_anew || more().next().is_some()) {
            work = Work::IndexBuild;
        }
    }
    work
}

/// Whether a check is `column IS NOT NULL`, alone or with others that must be true as well.
fn refuses_null(condition: &Expression, column: &str) -> bool {
    let parts = condition.conjuncts(Dialect::Postgres);
    parts
        .iter()
        .any(|part| part.not_null_column(Dialect::Postgres).as_deref() == Some(column))
}
