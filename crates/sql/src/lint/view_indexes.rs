//! The unique indexes of materialized views, which the schema does not keep: `REFRESH … CONCURRENTLY` needs one.

use crate::operation::OperationKind;
use crate::schema::Schema;
use crate::{ObjectKind, ObjectName};

/// The indexes over all rows of a view, on columns: the name of each and its view.
#[derive(Debug, Default)]
pub(super) struct ViewIndexes {
    unique: Vec<(Option<String>, ObjectName)>,
}

impl ViewIndexes {
    /// Whether a view has one.
    pub(super) fn has(&self, schema: &Schema, view: &ObjectName) -> bool {
        self.unique.iter().any(|(_, of)| schema.same_name(of, view))
    }

    /// Takes in what an operation does, with the schema before it.
    pub(super) fn apply(&mut self, operation: &OperationKind, schema: &Schema) {
        match operation {
            OperationKind::CreateIndex(index) => {
                let whole = index.unique
                    && index.condition.is_none()
                    && index.columns.iter().all(Option::is_some);
                if let Some(view) = &index.table
                    && whole
                    && schema.table(view).is_none()
                {
                    let name = index.name.as_ref().map(|name| name.name.clone());
                    self.unique.push((name, view.clone()));
                }
            }
            OperationKind::DropIndex { index, .. } => self
                .unique
                .retain(|(name, _)| name.as_ref() != Some(&index.name)),
            OperationKind::Drop { object, .. } if object.kind == ObjectKind::MaterializedView => {
                self.unique.retain(|(_, of)| !schema.same_name(of, object));
            }
            OperationKind::Rename { object, to, .. } => {
                for (name, of) in &mut self.unique {
                    if object.kind == ObjectKind::MaterializedView && schema.same_name(of, object) {
                        of.name.clone_from(&to.name);
                        if to.schema.is_some() {
                            of.schema.clone_from(&to.schema);
                        }
                    }
                    if object.kind == ObjectKind::Index && name.as_ref() == Some(&object.name) {
                        *name = Some(to.name.clone());
                    }
                }
            }
            _ => {}
        }
    }
}
