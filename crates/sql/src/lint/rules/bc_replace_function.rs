use super::super::compatibility::replaced;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-replace-function",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a function or trigger with another definition",
    why: "Both releases call the new body from the moment it is there, also in the middle of what the old one is \
          doing. Where it does something else, or takes or gives something else, the old release goes wrong. Give \
          the new one a name of its own, or more parameters on PostgreSQL, and drop the old one in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE FUNCTION full_price(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.19 $$;",
            found: "CREATE OR REPLACE FUNCTION full_price(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.2 $$;",
            instead: &[
                "CREATE FUNCTION full_price_2(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.2 $$;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP FUNCTION full_price(numeric);",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE FUNCTION full_price(price decimal(10, 2)) RETURNS decimal(10, 2) DETERMINISTIC RETURN price * 1.19;",
            found: "CREATE OR REPLACE FUNCTION full_price(price decimal(10, 2)) RETURNS decimal(10, 2) DETERMINISTIC RETURN price * 1.2;",
            instead: &[
                "CREATE FUNCTION full_price_2(price decimal(10, 2)) RETURNS decimal(10, 2) DETERMINISTIC RETURN price * 1.2;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP FUNCTION full_price;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        let kinds = [
            ObjectKind::Function,
            ObjectKind::Procedure,
            ObjectKind::Package,
        ];
        replaced(at, report, &kinds, "function");
    }),
};
