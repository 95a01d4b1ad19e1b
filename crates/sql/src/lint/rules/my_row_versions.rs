use super::super::my_remedy::alter;
use super::prelude::*;

/// From how many on a table is near the limit of 64.
const NEAR: usize = 60;

pub(super) static RULE: Rule = Rule {
    id: "my-row-versions",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "columns added or dropped more often than MySQL remembers",
    why: "MySQL from 8.0.29 on keeps a version of the rows for each statement that has added or dropped columns at once, up \
          to 64 of them (255 from 9.1). The next one is refused with `ALGORITHM=INSTANT` (error 4092), and without it the \
          table is written anew, as on a day like any other, but for hours. The migrations of the directory are counted \
          here, from 60 on; what the server has counted is `TOTAL_ROW_VERSIONS` in `information_schema.INNODB_TABLES`. \
          Write the table anew at a time of your choice (`ALTER TABLE … FORCE`, or gh-ost): that begins at 0. MariaDB has \
          no such limit.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;\n\
                 ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a; ALTER TABLE orders ADD a int; ALTER TABLE orders DROP a;",
        found: "ALTER TABLE orders ADD COLUMN note varchar(50);",
        instead: &[
            "ALTER TABLE orders FORCE;",
            "ALTER TABLE orders ADD COLUMN note varchar(50), ALGORITHM=INSTANT;",
        ],
        // On the server of the examples nothing happens.
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (OperationKind::AddColumn { table, .. } | OperationKind::DropColumn { table, .. }) =
        &at.operation.kind
    else {
        return;
    };
    let server = at.statement.file.server;
    let has_limit =
        server.mariadb != Some(true) && server.version.is_none_or(|version| version < (9, 1));
    let count = at
        .schema()
        .table(table)
        .map_or(0, |table| table.column_changes);
    if at.place > 0 || !at.is_old(table) || !has_limit || count < NEAR {
        return;
    }
    let message = format!(
        "columns of `{}` were added or dropped {count} times before; after 64 MySQL writes the table anew for it",
        table.name
    );
    let instead = vec![alter(table, "FORCE"), remedy::ended(at.statement.text)];
    report.add(at.operation.span.clone(), message, instead);
}
