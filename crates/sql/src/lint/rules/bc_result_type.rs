use super::super::compatibility::{narrower, redefined};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-result-type",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "another type of a column",
    why: "A statement that the release that still runs has prepared on PostgreSQL fails with `cached plan must not \
          change result type` when the type of a column in its result is another one, however slightly: \
          `varchar(10)` to `varchar(20)` is enough. Drivers that prepare everything fail once on each connection, \
          inside of a transaction for good. A reader with strict types cannot read the new one at all. Recycle the \
          connections after the migration, or add a column with the new type, fill it, and let the old one go in a \
          contract file. (A new column does the same to `SELECT *`: see `bc-add-column`.)",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state TYPE varchar(40);",
            instead: &[],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders MODIFY state varchar(40) NOT NULL DEFAULT 'new';",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "changing-column-type",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (OperationKind::ColumnType { table, column, .. }
    | OperationKind::ModifyColumn { table, column, .. }) = &at.operation.kind
    else {
        return;
    };
    let postgres = at.dialect() == Dialect::Postgres;
    let changed = match redefined(at) {
        // Values of an enumeration, and types that hold less, have rules of their own.
        Some(column) => column.types().is_some_and(|(before, after)| {
            column.labels().is_none() && narrower(at.dialect(), before, after).is_none()
        }),
        None => postgres && at.is_old_column(table, column),
    };
    if changed {
        let fails = match postgres {
            true => {
                "prepared statements of the release that still runs that read it fail once on each connection"
            }
            false => {
                "readers of the release that still runs with strict types may not be able to read it"
            }
        };
        let message = format!(
            "`{}.{column}` has another type from here on: {fails}",
            table.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
