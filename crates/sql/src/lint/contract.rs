//! What is different in a contract file: the release that its statements would break is gone when it runs.

use super::finding::Kind;
use super::linter::Also;
use super::rule::{FileAt, Found};
use super::rules;
use crate::operation::OperationKind;

/// Takes the findings of what would break a running release out of those of a contract file. Says so when there were none
/// and nothing in it takes anything away either.
pub(super) fn settle(file: &FileAt<'_>, found: &mut Vec<Found>) -> Option<Also> {
    if !file.file.contract {
        return None;
    }
    let before = found.len();
    found.retain(|found| found.rule.kind != Kind::Breaks);
    let breaks = found.len() < before;
    let mut operations = file.operations.iter().flat_map(|list| &list.list);
    let removes = operations.any(|operation| takes_away(operation.kind.written()));
    (!breaks && !removes).then(|| Also {
        rule: &rules::contract_without_break::RULE,
        message: "nothing in this contract migration breaks the release before: it waits for no reason, and so does \
                  everything after it"
            .to_owned(),
        statement: None,
    })
}

/// Whether it takes something away that somebody may have used, or does what nobody can judge.
fn takes_away(kind: &OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Drop { .. }
            | OperationKind::DropIndex { .. }
            | OperationKind::DropColumn { .. }
            | OperationKind::DropConstraint { .. }
            | OperationKind::DetachPartition { .. }
            | OperationKind::IndexVisibility { visible: false, .. }
            | OperationKind::Truncate { .. }
            | OperationKind::Delete { .. }
            | OperationKind::Privileges { revokes: true }
            | OperationKind::Opaque { .. }
    )
}
