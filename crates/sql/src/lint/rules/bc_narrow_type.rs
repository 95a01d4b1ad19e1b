use super::super::compatibility::{narrower, redefined};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-narrow-type",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a type that holds less",
    why: "What the release that still runs writes may not fit any more: the write fails, or on a MySQL that is not \
          strict the value is cut. The rows that are there must fit as well, or the statement fails. Let a release \
          that only writes what fits be deployed first. Then let a check refuse the rest in a contract file: it says \
          the same as the type, and no table is written anew.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state TYPE varchar(10);",
            instead: &[
                "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD CONSTRAINT orders_state_fits CHECK (char_length(state) <= 10) NOT VALID;",
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_state_fits;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders MODIFY state varchar(10) NOT NULL DEFAULT 'new';",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some(column) = redefined(at) else {
        return;
    };
    let Some((before, after)) = column.types() else {
        return;
    };
    let dialect = at.dialect();
    let Some(why) = narrower(dialect, before, after) else {
        return;
    };
    let message = format!(
        "the release that still runs may write what `{}.{}` no longer holds: {why}",
        column.table.name, column.column
    );
    let on = remedy::object(dialect, &column.table);
    let check = remedy::name(
        dialect,
        &format!("{}_{}_fits", column.table.name, column.column),
    );
    let instead = match (dialect, after.name.as_str(), after.number(0)) {
        (Dialect::Postgres, "varchar" | "char", Some(length)) => vec![
            remedy::contract(&format!(
                "ALTER TABLE {on} ADD CONSTRAINT {check} CHECK (char_length({}) <= {length}) NOT VALID;",
                remedy::name(dialect, &column.column)
            )),
            format!("ALTER TABLE {on} VALIDATE CONSTRAINT {check};"),
        ],
        _ => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}
