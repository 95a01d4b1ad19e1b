use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-add-column",
    severity: Severity::Info,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "ADD COLUMN, for those who read with SELECT *",
    why: "Only when it is enabled. Where the release that still runs reads with `SELECT *`, its prepared statements \
          on PostgreSQL fail with `cached plan must not change result type` when there is a new column, and readers \
          by position may mistake one column for another. An `INSERT` that names no columns fails on MySQL and \
          SQLite. Name the columns in queries; then there is nothing to fear.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD COLUMN channel text;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel varchar(20);",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD COLUMN channel varchar(20), ALGORITHM=INSTANT;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE orders (id integer PRIMARY KEY, total numeric, note text, state text NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD COLUMN channel text;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::AddColumn { table, column, .. } = &at.operation.kind
        && at.is_old(table)
    {
        let message = format!(
            "`SELECT *` and inserts without column names of the release that still runs meet `{}.{}`",
            table.name, column.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
