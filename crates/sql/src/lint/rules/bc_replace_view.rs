use super::super::compatibility::replaced;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-replace-view",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a view with another definition",
    why: "Both releases read the new definition from the moment it is there. The old one fails where a column that \
          it reads is missing or has another type, and shows something else where the meaning has changed. Give the \
          new definition a name of its own, and drop the old view in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');\n\
                     CREATE VIEW totals AS SELECT id, total FROM orders;",
            found: "CREATE OR REPLACE VIEW totals AS SELECT id, total FROM orders WHERE total > 0;",
            instead: &[
                "CREATE VIEW positive_totals AS SELECT id, total FROM orders WHERE total > 0;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW totals;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');\n\
                     CREATE VIEW totals AS SELECT id, total FROM orders;",
            found: "CREATE OR REPLACE VIEW totals AS SELECT id, total FROM orders WHERE total > 0;",
            instead: &[
                "CREATE VIEW positive_totals AS SELECT id, total FROM orders WHERE total > 0;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW totals;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE orders (id integer PRIMARY KEY, total numeric, note text, state text NOT NULL DEFAULT 'new');\n\
                     CREATE VIEW totals AS SELECT id, total FROM orders;",
            found: "DROP VIEW totals;\n\
                     CREATE VIEW totals AS SELECT id, total FROM orders WHERE total > 0;",
            instead: &[
                "CREATE VIEW positive_totals AS SELECT id, total FROM orders WHERE total > 0;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW totals;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        replaced(
            at,
            report,
            &[ObjectKind::View, ObjectKind::MaterializedView],
            "view",
        );
    }),
};
