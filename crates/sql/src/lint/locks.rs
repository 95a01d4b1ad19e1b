//! What the statements of one transaction lock together.

use std::ops::Range;

use super::rule::{At, FileAt};
use crate::ObjectName;
use crate::effect::{Blocks, Effect, Work, effects};
use crate::operation::OperationKind;
use crate::schema::Schema;

/// One operation of a file, with what it does to tables that were there before.
pub(super) struct Step<'a> {
    /// The number of its statement in the file, from 0.
    pub statement: usize,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
    /// What it is.
    pub kind: &'a OperationKind,
    /// Its effects on tables that were there before the file.
    pub effects: Vec<Effect>,
}

/// The operations of a file that runs in one transaction; none of a file that does not, or that is one operation.
pub(super) fn steps<'a>(file: &FileAt<'a>, schema: &Schema) -> Vec<Step<'a>> {
    let count: usize = file.operations.iter().map(|own| own.list.len()).sum();
    if !file.file.transaction || count < 2 {
        return Vec::new();
    }
    let mut schema = schema.clone();
    schema.begin_file(file.number);
    let mut steps = Vec::with_capacity(count);
    let statements = &file.file.script.statements;
    for (statement, (text, own)) in statements.iter().zip(file.operations).enumerate() {
        for operation in &own.list {
            let mut effects = effects(operation, &schema);
            effects.retain(|effect| is_old(file, &schema, &effect.table));
            steps.push(Step {
                statement,
                span: operation.span.clone(),
                kind: &operation.kind,
                effects,
            });
            schema.apply(operation, &text.text);
        }
    }
    steps
}

fn is_old(file: &FileAt<'_>, schema: &Schema, table: &ObjectName) -> bool {
    let known = schema.table(table);
    known.is_none_or(|table| !table.temporary && table.made_in < file.together_since)
}

/// Whether other statements of its transaction lock other tables that were there, or take long: the locks of this
/// operation are held for them too.
pub(super) fn has_company(at: &At<'_>) -> bool {
    let file = at.statement.file;
    if !file.file.transaction {
        return false;
    }
    let own = effects(at.operation, at.schema());
    let is_own = |table: &ObjectName| {
        own.iter()
            .any(|effect| at.schema().same_name(&effect.table, table))
    };
    let others = file.operations.iter().enumerate();
    others
        .filter(|(place, _)| *place != at.statement.place)
        .flat_map(|(_, operations)| &operations.list)
        .flat_map(|operation| effects(operation, at.schema()))
        .any(|effect| {
            let blocks = effect.blocks > Blocks::Nobody && !is_own(&effect.table);
            at.is_old(&effect.table) && (blocks || effect.work > Work::Metadata)
        })
}

/// The effects of an operation on tables that were there before.
pub(super) fn effects_on_old(at: &At<'_>) -> Vec<Effect> {
    let mut effects = effects(at.operation, at.schema());
    effects.retain(|effect| at.is_old(&effect.table));
    effects
}
