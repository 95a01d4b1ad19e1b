//! SQLite: one file, one writer.
//!
//! A statement that changes anything locks the whole file against other writers until its transaction ends, whichever
//! table it is about. Readers go on with a write-ahead log (`PRAGMA journal_mode = WAL`); without one they wait while the
//! transaction is written to the file.

use super::{Blocks, Effect, Work};
use crate::operation::{ConstraintKind, OperationKind};
use crate::schema::Schema;
use crate::{ObjectKind, ObjectName};

const WHOLE_FILE: &str = "whole file";

pub(super) fn effects(operation: &OperationKind, schema: &Schema) -> Vec<Effect> {
    let Some((tables, work)) = tables(operation, schema).zip(work(operation)) else {
        return Vec::new();
    };
    let effects = tables.into_iter().map(|table| Effect {
        table,
        lock: WHOLE_FILE,
        blocks: Blocks::Writers,
        work,
    });
    effects.collect()
}

/// The tables that an operation is about; `VACUUM` is about all.
fn tables(operation: &OperationKind, schema: &Schema) -> Option<Vec<ObjectName>> {
    let all = || schema.named_tables().map(|(name, _)| name).collect();
    match operation {
        OperationKind::RewriteTable { table: None, .. } => Some(all()),
        OperationKind::Reindex { target, .. } => {
            let table = schema.table(target).map(|table| &table.name);
            let of_index = schema.index(target).map(|(table, _)| &table.name);
            match table.or(of_index) {
                Some(name) => Some(vec![named(name)]),
                None => Some(all()),
            }
        }
        OperationKind::DropIndex { index, .. } => {
            let (table, _) = schema.index(index)?;
            Some(vec![named(&table.name)])
        }
        _ => operation.table().map(|table| vec![table.clone()]),
    }
}

fn named(name: &str) -> ObjectName {
    ObjectName {
        kind: ObjectKind::Table,
        schema: None,
        name: name.to_owned(),
    }
}

fn work(operation: &OperationKind) -> Option<Work> {
    Some(match operation {
        OperationKind::CreateIndex(_) | OperationKind::Reindex { .. } => Work::IndexBuild,
        OperationKind::DropColumn { .. } | OperationKind::RewriteTable { .. } => Work::Rewrite,
        // With one of these SQLite reads all rows, to see whether they pass.
        OperationKind::AddColumn { column, .. } => {
            let checked = column
                .constraints
                .iter()
                .any(|constraint| matches!(constraint.kind, ConstraintKind::Check { .. }));
            match checked || (column.not_null && column.generated.is_some()) {
                true => Work::Scan,
                false => Work::Metadata,
            }
        }
        OperationKind::AddConstraint { .. }
        | OperationKind::ColumnNullable {
            nullable: false, ..
        } => Work::Scan,
        OperationKind::Insert { .. }
        | OperationKind::Update { .. }
        | OperationKind::Delete { .. } => Work::Rows,
        OperationKind::CreateTable(_) | OperationKind::Nothing { .. } => return None,
        kind => {
            kind.table().or(match kind {
                OperationKind::DropIndex { index, .. } => Some(index),
                _ => None,
            })?;
            Work::Metadata
        }
    })
}
