use super::super::compatibility::refuses_null;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-set-not-null",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a column that took NULL refuses it",
    why: "A writer in the release that still runs that stores NULL, or leaves the column out, is refused from this \
          moment; a check with `NOT VALID` refuses it just as well. Let a release that always writes a value be \
          deployed first, and do this in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
            instead: &[
                "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD CONSTRAINT orders_note_not_null CHECK (note IS NOT NULL) NOT VALID;",
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;",
                "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n\
                     ALTER TABLE orders DROP CONSTRAINT orders_note_not_null;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD CONSTRAINT has_note CHECK (note IS NOT NULL) NOT VALID;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD CONSTRAINT has_note CHECK (note IS NOT NULL) NOT VALID;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders MODIFY note varchar(200) NOT NULL;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders MODIFY note varchar(200) NOT NULL;"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-new-write-restriction",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, column)) = refuses_null(at) else {
        return;
    };
    let message = format!(
        "a NULL that the release that still runs writes into `{}.{column}` is refused from here on",
        table.name
    );
    let is_check = matches!(at.operation.kind, OperationKind::AddConstraint { .. });
    let instead = match remedy::not_null(at.schema(), table, column) {
        steps if !steps.is_empty() && !is_check => steps,
        _ => vec![remedy::contract(&remedy::ended(at.statement.text))],
    };
    report.add(at.operation.span.clone(), message, instead);
}
