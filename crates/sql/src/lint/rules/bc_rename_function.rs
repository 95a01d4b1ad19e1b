use super::super::compatibility::renamed_report;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-function",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER FUNCTION, ALTER PROCEDURE … RENAME TO",
    why: "The release that still runs calls the function by its old name, and fails. Make a function with the new \
          name that calls the old one; drop the old one in a contract file, with the body moved into the new one \
          before that.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE FUNCTION full_price(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.19 $$;",
        found: "ALTER FUNCTION full_price(numeric) RENAME TO gross_price;",
        instead: &[
            "CREATE FUNCTION gross_price(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.19 $$;",
            "-- forerun:contract unused-since=2.5.0\n\
                     DROP FUNCTION full_price(numeric);",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        renamed_report(
            at,
            report,
            &[ObjectKind::Function, ObjectKind::Procedure],
            "function",
            |_, _, _| Vec::new(),
        );
    }),
};
