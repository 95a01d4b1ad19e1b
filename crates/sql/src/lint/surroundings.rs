//! What rules ask about the surroundings of an operation: what is old, what comes back, what was asserted before.

use super::rule::At;
use crate::operation::{
    ColumnDefinition, Constraint, ConstraintKind, Expression, Operation, OperationKind, Operations,
};
use crate::schema::{Column, Table};
use crate::{Dialect, DirectiveKind, ObjectKind, ObjectName, parse_directives};

impl<'a> At<'a> {
    /// The operations after this one that share its transaction: the rest of its statement, and later statements as far
    /// as they are in the same transaction.
    pub fn later(&self) -> impl Iterator<Item = &'a Operation> {
        let own = self.statement.operations.list.get(self.place + 1..);
        let all = self.statement.file.operations;
        let next = self.statement.place + 1;
        let before = all.get(..self.statement.place).unwrap_or_default();
        let begun = before.iter().filter(|list| controls(list)).count() % 2 == 1;
        let whole = self.statement.file.file.transaction;
        let rest = match whole || begun {
            true => all.get(next..).unwrap_or_default(),
            false => &[],
        };
        let rest = rest.iter().take_while(move |list| whole || !controls(list));
        own.unwrap_or_default()
            .iter()
            .chain(rest.flat_map(|list| &list.list))
    }

    /// The table as it is before the operation, when it is known and older than this file and those that run with it.
    pub fn old_table(&self, table: &ObjectName) -> Option<&'a Table> {
        let known = self.schema().table(table)?;
        self.is_old(table).then_some(known)
    }

    /// The column as it is before the operation, when it is known and old.
    pub fn old_column(&self, table: &ObjectName, column: &str) -> Option<&'a Column> {
        let known = self.schema().column(table, column)?;
        self.is_old_column(table, column).then_some(known)
    }

    /// Whether a table, view, function or the like is there before this file and those that run with it. What nobody
    /// knows counts as there.
    pub fn is_old_object(&self, object: &ObjectName) -> bool {
        if object.kind == ObjectKind::Table {
            return self.is_old(object);
        }
        let known = self.schema().definition(object);
        known.is_none_or(|known| known.made_in < self.statement.file.together_since)
    }

    /// Whether the name of an object that goes away stands for something again when the transaction ends: it is made
    /// anew, or something else gets that name.
    pub fn comes_back(&self, object: &ObjectName) -> bool {
        self.later().any(|later| match &later.kind {
            OperationKind::CreateTable(create) => {
                let made = create.table.as_ref();
                made.is_some_and(|made| self.schema().same_name(made, object))
            }
            OperationKind::Create { object: made, .. } => {
                made.kind != ObjectKind::Trigger && self.schema().same_name(made, object)
                    || made.kind == object.kind && made.name == object.name
            }
            OperationKind::Rename { to, .. } => self.schema().same_name(to, object),
            _ => false,
        })
    }

    /// Whether a view with this name is made later in the transaction, which the release that knows the name can go on
    /// to use. SQLite writes through a view only with triggers.
    pub fn has_view_later(&self, name: &ObjectName) -> bool {
        let made = |kind: ObjectKind| move |later: &Operation| matches!(&later.kind, OperationKind::Create { object, .. } if object.kind == kind);
        let view = self.later().filter(|later| made(ObjectKind::View)(later)).any(|later| {
            matches!(&later.kind, OperationKind::Create { object, .. } if self.schema().same_name(object, name))
        });
        let triggered = || {
            self.later().any(|later| match &later.kind {
                OperationKind::Create {
                    object,
                    table: Some(table),
                    ..
                } => object.kind == ObjectKind::Trigger && self.schema().same_name(table, name),
                _ => false,
            })
        };
        view && (self.dialect() != Dialect::Sqlite || triggered())
    }

    /// Whether an assertion that reads this table stands before the statement in its file.
    pub fn is_asserted(&self, table: &ObjectName) -> bool {
        let statements = &self.statement.file.file.script.statements;
        let before = statements.get(..self.statement.place).unwrap_or_default();
        before.iter().any(|statement| {
            let directives = parse_directives(
                self.dialect(),
                &statement.leading,
                statement.leading_position,
            )
            .unwrap_or_default();
            let asserts = directives
                .iter()
                .any(|directive| matches!(directive.kind, DirectiveKind::Assert { .. }));
            let query = Expression {
                text: statement.text.clone(),
                span: 0..statement.text.len(),
            };
            asserts && query.names(self.dialect(), &table.name)
        })
    }

    /// The text of a column's definition.
    pub fn definition_text(&self, column: &ColumnDefinition) -> &'a str {
        self.statement
            .text
            .get(column.span.clone())
            .unwrap_or_default()
    }

    /// A constraint that the operation adds to a table that was there, whose rows and writers it concerns: not when it is
    /// only about columns that are new as well. With it the columns that it names.
    pub fn new_constraint(&self) -> Option<(&'a ObjectName, &'a Constraint)> {
        let OperationKind::AddConstraint {
            table, constraint, ..
        } = &self.operation.kind
        else {
            return None;
        };
        (self.is_old(table) && self.concerns_old_columns(table, constraint))
            .then_some((table, constraint))
    }

    /// A constraint of an old table for which the operation looks at the rows that are there: one that is added and not
    /// `NOT VALID`, or one that is validated.
    pub fn looks_at_rows(&self) -> Option<(&'a ObjectName, &'a Constraint)> {
        match &self.operation.kind {
            OperationKind::ValidateConstraint { table, constraint } => {
                let known = self.old_table(table)?;
                Some((table, known.constraint(self.dialect(), constraint)?))
            }
            _ => self
                .new_constraint()
                .filter(|(_, constraint)| !constraint.not_valid),
        }
    }

    fn concerns_old_columns(&self, table: &ObjectName, constraint: &Constraint) -> bool {
        match &constraint.kind {
            ConstraintKind::Check { condition } => {
                let known = self.schema().table(table);
                known.is_none_or(|known| {
                    known.incomplete
                        || known.columns.iter().any(|column| {
                            condition.names(self.dialect(), &column.definition.name)
                                && self.is_old_column(table, &column.definition.name)
                        })
                })
            }
            ConstraintKind::Exclude => true,
            _ => {
                let columns = constraint.columns();
                columns.is_empty()
                    || columns
                        .iter()
                        .any(|column| self.is_old_column(table, column))
            }
        }
    }
}

/// Whether a statement begins or ends a transaction.
fn controls(list: &Operations) -> bool {
    let mut operations = list.list.iter();
    operations.any(|operation| matches!(operation.kind, OperationKind::TransactionControl))
}
