//! A file taken apart: what of it stays together when one of its statements cannot stay with the others.

use super::remedy;
use super::rule::{At, FileAt};
use crate::operation::{OperationKind, Operations};
use crate::{DirectiveKind, parse_directives};

/// The statement with its other actions, as far as they are wanted; `None` where there are none.
pub(super) fn other_actions(at: &At<'_>, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let (all, text) = (&at.statement.operations.list, at.statement.text);
    let own = &at.operation.span;
    let others = all.iter().enumerate();
    let others = others.filter(|(place, _)| *place != at.place);
    let spans: Vec<_> = others.map(|(_, other)| other.span.clone()).collect();
    // Actions stand beside each other; what is in one another is one thing.
    let mut apart = spans
        .iter()
        .map(|span| span.end <= own.start || own.end <= span.start);
    if !apart.all(|apart| apart) {
        return None;
    }
    let actions: Vec<&str> = spans
        .into_iter()
        .filter_map(|span| text.get(span))
        .filter(|action| wanted(action))
        .collect();
    let head = text.get(..all.first()?.span.start)?.trim_end();
    (!actions.is_empty() && !head.is_empty()).then(|| format!("{head} {};", actions.join(", ")))
}

/// The statements of a file with these numbers (from 0), as one migration; `None` where there are none.
pub(super) fn together(file: &FileAt<'_>, stays: impl Fn(usize) -> bool) -> Option<String> {
    rewritten(file, |number, text| {
        stays(number).then(|| remedy::ended(text))
    })
}

/// The file with each statement (numbered from 0) as it is given back, or without it; `None` where nothing is left. It is a
/// transaction by itself, so what the file says about that is left out; what else it says of itself is kept, and so is what
/// stands before each statement. (The exceptions of the file follow when it is known what each part needs.)
pub(super) fn rewritten(
    file: &FileAt<'_>,
    anew: impl Fn(usize, &str) -> Option<String>,
) -> Option<String> {
    let all = &file.file.script.statements;
    let mut kept = Vec::new();
    for (number, (statement, own)) in all.iter().zip(file.operations).enumerate() {
        if !is_control(own)
            && let Some(text) = anew(number, &statement.text)
        {
            let is_own = |kind: &DirectiveKind| match kind {
                DirectiveKind::Assert { .. } => true,
                DirectiveKind::Allow { .. } => number > 0,
                _ => false,
            };
            kept.extend(directives(file, number, is_own));
            kept.push(text);
        }
    }
    let of_file = |kind: &DirectiveKind| {
        matches!(
            kind,
            DirectiveKind::Contract(_) | DirectiveKind::Data | DirectiveKind::Timeout { .. }
        )
    };
    let head = directives(file, 0, of_file);
    (!kept.is_empty()).then(|| [head, kept].concat().join("\n"))
}

/// The lines before a statement that are directives of these kinds.
fn directives(
    file: &FileAt<'_>,
    number: usize,
    wanted: impl Fn(&DirectiveKind) -> bool,
) -> Vec<String> {
    let Some(statement) = file.file.script.statements.get(number) else {
        return Vec::new();
    };
    let found = parse_directives(file.dialect, &statement.leading, statement.leading_position);
    let found = found.unwrap_or_default().into_iter();
    found
        .filter(|directive| wanted(&directive.kind))
        .filter_map(|directive| remedy::line_of(statement, &directive).map(str::to_owned))
        .collect()
}

/// The first statement of a file that makes or changes something other than rows and indexes: those after it may need that,
/// wherever they go.
pub(super) fn built_on(file: &FileAt<'_>) -> Option<usize> {
    file.operations.iter().position(|own| {
        own.list.iter().any(|operation| {
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
    })
}

fn is_control(own: &Operations) -> bool {
    let mut kinds = own.list.iter().map(|operation| &operation.kind);
    kinds.any(|kind| matches!(kind, OperationKind::TransactionControl))
}
