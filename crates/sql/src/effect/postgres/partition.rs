//! What is done to the partitions of a table with it.

use super::{Effect, List};
use crate::operation::OperationKind;
use crate::{ObjectKind, ObjectName};

/// Whether an operation on a partitioned table is done to its partitions too.
pub(super) fn is_inherited(operation: &OperationKind) -> bool {
    match operation {
        OperationKind::CreateIndex(index) => !index.only,
        OperationKind::AddColumn { .. }
        | OperationKind::DropColumn { .. }
        | OperationKind::RenameColumn { .. }
        | OperationKind::ColumnType { .. }
        | OperationKind::ColumnNullable { .. }
        | OperationKind::ColumnDefault { .. }
        | OperationKind::AddConstraint { .. }
        | OperationKind::ValidateConstraint { .. }
        | OperationKind::DropConstraint { .. }
        | OperationKind::Truncate { .. } => true,
        OperationKind::Drop { object, .. } => object.kind == ObjectKind::Table,
        _ => false,
    }
}

impl List<'_> {
    /// Adds the partitions of the tables so far.
    pub(super) fn with_partitions(&mut self) {
        let mut next = 0;
        while let Some(effect) = self.effects.get(next).cloned() {
            next += 1;
            let known = self.schema.table(&effect.table);
            if known.is_some_and(|known| !known.partitioned) {
                continue;
            }
            let parts: Vec<ObjectName> = self
                .schema
                .partitions(&effect.table)
                .map(|(name, _)| name)
                .collect();
            for table in parts {
                let known = |effect: &Effect| self.schema.same_name(&effect.table, &table);
                if !self.effects.iter().any(known) {
                    self.effects.push(Effect {
                        table,
                        ..effect.clone()
                    });
                }
            }
        }
    }
}
