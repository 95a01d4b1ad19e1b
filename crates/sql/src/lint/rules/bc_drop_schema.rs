use super::super::compatibility::dropped;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-schema",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "DROP SCHEMA",
    why: "With the schema goes everything in it, or the statement fails because something is. The release that still \
          runs may use any of it. Drop what is in it by contract files, one thing after the other, and the empty \
          schema last.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE SCHEMA billing;",
        found: "DROP SCHEMA billing;",
        instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP SCHEMA billing;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| dropped(at, report, &[ObjectKind::Schema], "schema")),
};
