use super::super::compatibility::renamed_report;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-schema",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER SCHEMA … RENAME TO",
    why: "Every name in it changes at once: whatever the release that still runs looks for in the schema, by name or \
          through its `search_path`, is not found. Make the new schema with a view for each table, let the next \
          release use those, and move the tables one by one, each with a view of the old name in the same \
          transaction.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE SCHEMA accounts;\n\
                     CREATE TABLE accounts.invoices (id bigint PRIMARY KEY);",
        found: "ALTER SCHEMA accounts RENAME TO billing;",
        instead: &["CREATE SCHEMA billing;\n\
                     CREATE VIEW billing.invoices AS SELECT * FROM accounts.invoices;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        renamed_report(at, report, &[ObjectKind::Schema], "schema", |_, _, _| {
            Vec::new()
        });
    }),
};
