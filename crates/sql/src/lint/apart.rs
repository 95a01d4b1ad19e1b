//! A file taken apart: what of it stays together when one of its statements cannot stay with the others.

use super::remedy;
use super::rule::{At, FileAt};
use crate::operation::{OperationKind, Operations};

/// The statements of a file with these numbers (from 0), as one migration; `None` where there are none.
pub(super) fn together(file: &FileAt<'_>, stays: impl Fn(usize) -> bool) -> Option<String> {
    rewritten(file, |number, text| {
        stays(number).then(|| remedy::ended(text))
    })
}

/// The file with each statement (numbered from 0) as it is given back, or without it; `None` where nothing is left. It is a
/// transaction by itself, so what the file says about that is left out.
pub(super) fn rewritten(
    file: &FileAt<'_>,
    anew: impl Fn(usize, &str) -> Option<String>,
) -> Option<String> {
    let statements = file.file.script.statements.iter().zip(file.operations);
    let kept: Vec<String> = statements
        .enumerate()
        .filter(|(_, (_, own))| !is_control(own))
        .filter_map(|(number, (statement, _))| anew(number, &statement.text))
        .collect();
    let text = kept.join("\n");
    match file.file.contract {
        _ if kept.is_empty() => None,
        true => Some(remedy::contract(&text)),
        false => Some(text),
    }
}

/// Whether the statements of a file before the one at hand make or change something other than rows and indexes: it may
/// need that, wherever it goes.
pub(super) fn builds_on_its_file(at: &At<'_>) -> bool {
    let before = at.statement.file.operations.get(..at.statement.place);
    let mut operations = before.unwrap_or_default().iter().flat_map(|own| &own.list);
    operations.any(|operation| {
        !matches!(
            operation.kind,
            OperationKind::TransactionControl
                | OperationKind::Setting { .. }
                | OperationKind::Nothing { .. }
                | OperationKind::CreateIndex(_)
                | OperationKind::DropIndex { .. }
                | OperationKind::Insert { .. }
                | OperationKind::Update { .. }
                | OperationKind::Delete { .. }
        )
    })
}

fn is_control(own: &Operations) -> bool {
    let mut kinds = own.list.iter().map(|operation| &operation.kind);
    kinds.any(|kind| matches!(kind, OperationKind::TransactionControl))
}
