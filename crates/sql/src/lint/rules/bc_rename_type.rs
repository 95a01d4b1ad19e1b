use super::super::compatibility::renamed_report;
use super::prelude::*;
use crate::operation::operations;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-type",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER TYPE, ALTER DOMAIN … RENAME TO",
    why: "The release that still runs names the type in casts (`$1::mood`), and its driver looks types up by name: \
          both fail from the moment of the rename. Make a domain with the new name over the type where the new \
          release needs that name, or leave the name as it is.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TYPE mood AS ENUM ('good', 'bad');",
        found: "ALTER TYPE mood RENAME TO feeling;",
        instead: &["CREATE DOMAIN feeling AS mood;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        if replaced_by_a_wider_one(at) {
            return;
        }
        renamed_report(
            at,
            report,
            &[ObjectKind::Type, ObjectKind::Domain],
            "type",
            |_, _, _| Vec::new(),
        );
    }),
};

/// Whether an enumeration with the same name and all of its labels is made later in the transaction: how one does what
/// `ADD VALUE` could not do.
fn replaced_by_a_wider_one(at: &At<'_>) -> bool {
    let OperationKind::Rename { object, .. } = &at.operation.kind else {
        return false;
    };
    let Some(known) = at.schema().definition(object) else {
        return false;
    };
    let list = operations(Dialect::Postgres, &known.text).list;
    let mut made = list.iter().filter_map(|made| match &made.kind {
        OperationKind::Create { labels, .. } => labels.as_ref(),
        _ => None,
    });
    let Some(old) = made.next() else {
        return false;
    };
    at.later().any(|later| match &later.kind {
        OperationKind::Create {
            object: made,
            labels: Some(new),
            ..
        } => at.schema().same_name(made, object) && old.iter().all(|label| new.contains(label)),
        _ => false,
    })
}
