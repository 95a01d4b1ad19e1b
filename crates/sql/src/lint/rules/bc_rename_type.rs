use super::super::compatibility::{renamed, renamed_report, replacing_labels};
use super::prelude::*;

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
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let kinds = [ObjectKind::Type, ObjectKind::Domain];
    match &at.operation.kind {
        OperationKind::Rename { object, .. } if at.comes_back(object) => {
            // Labels that are missing in the new one are found by another rule.
            let labels = replacing_labels(at, object).is_some();
            if renamed(at, &kinds).is_some() && !labels {
                let message = format!(
                    "the release that still runs uses the type `{}` as it was, and gets the new one at once",
                    object.name
                );
                report.add(at.operation.span.clone(), message, Vec::new());
            }
        }
        _ => renamed_report(at, report, &kinds, "type", |_, _, _| Vec::new()),
    }
}
