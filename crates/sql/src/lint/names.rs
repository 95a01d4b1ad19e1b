//! The names that an operation gives.

use crate::operation::{ColumnDefinition, Constraint, CreateIndex, OperationKind};

/// What is named, and how.
pub(super) type Named<'a> = (&'static str, &'a str);

/// All names that an operation gives to something new, or anew.
pub(super) fn given(kind: &OperationKind) -> Vec<Named<'_>> {
    match kind {
        OperationKind::CreateTable(create) => {
            let table = create
                .table
                .iter()
                .map(|table| ("table", table.name.as_str()));
            table
                .chain(create.columns.iter().flat_map(of_column))
                .chain(create.constraints.iter().filter_map(of_constraint))
                .chain(create.indexes.iter().filter_map(of_index))
                .collect()
        }
        OperationKind::CreateIndex(index) => of_index(index).into_iter().collect(),
        OperationKind::AddColumn { column, .. } => of_column(column),
        OperationKind::AddConstraint { constraint, .. } => {
            of_constraint(constraint).into_iter().collect()
        }
        OperationKind::RenameColumn { to, .. } => vec![("column", to)],
        OperationKind::RenameConstraint { to, .. } => vec![("constraint", to)],
        OperationKind::Rename { to, .. } => vec![("object", to.name.as_str())],
        OperationKind::Create { object, .. } => vec![("object", object.name.as_str())],
        _ => Vec::new(),
    }
}

fn of_column(column: &ColumnDefinition) -> Vec<Named<'_>> {
    let own = std::iter::once(("column", column.name.as_str()));
    own.chain(column.constraints.iter().filter_map(of_constraint))
        .collect()
}

fn of_constraint(constraint: &Constraint) -> Option<Named<'_>> {
    Some(("constraint", constraint.name.as_deref()?))
}

fn of_index(index: &CreateIndex) -> Option<Named<'_>> {
    Some(("index", index.name.as_ref()?.name.as_str()))
}
