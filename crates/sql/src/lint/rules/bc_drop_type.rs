use super::super::compatibility::dropped;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-type",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "DROP TYPE, DROP DOMAIN, or an attribute of a type",
    why: "The release that still runs names the type in casts and parameters, and its driver has looked the type up \
          by its number. Both fail from the moment the type, or the attribute that they read, is gone. Drop it in a \
          contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TYPE mood AS ENUM ('good', 'bad');",
            found: "DROP TYPE mood;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TYPE mood;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TYPE address AS (street text, zip text);",
            found: "ALTER TYPE address DROP ATTRIBUTE zip;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TYPE address DROP ATTRIBUTE zip;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    dropped(at, report, &[ObjectKind::Type, ObjectKind::Domain], "type");
    let OperationKind::AlterOther { object, action } = &at.operation.kind else {
        return;
    };
    let breaks = matches!(action.as_str(), "DROP ATTRIBUTE" | "RENAME ATTRIBUTE");
    if object.kind == ObjectKind::Type && breaks && at.is_old_object(object) {
        let message = format!(
            "the release that still runs knows the type `{}` with this attribute, and fails without it",
            object.name
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
