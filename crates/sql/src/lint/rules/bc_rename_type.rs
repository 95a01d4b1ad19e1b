use super::super::compatibility::renamed_report;
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
    check: Check::Operation(|at, report| {
        renamed_report(
            at,
            report,
            &[ObjectKind::Type, ObjectKind::Domain],
            "type",
            |_, _, _| Vec::new(),
        );
    }),
};
