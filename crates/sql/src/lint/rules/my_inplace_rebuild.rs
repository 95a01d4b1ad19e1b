use super::super::my_remedy::{alter, way_on_old};
use super::my_drop_indexed_column;
use super::prelude::*;
use crate::ObjectName;
use crate::effect::mysql::Way;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "my-inplace-rebuild",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a change for which the table is written anew in place",
    why: "Rows are read and written while the server does it (`ALGORITHM=INPLACE, LOCK=NONE`), so no lock hurts. What \
          hurts is the size: it takes as long as the table is large and as much space again, changes made meanwhile are \
          collected in a log that has a limit (`innodb_online_alter_log_max_size`; past it the statement fails), and a \
          replica begins when the primary has ended: it lags for the whole time. This is so for a column that begins or \
          ceases to take `NULL`, a new primary key, a column that comes with a unique key, `FORCE`, `ENGINE=InnoDB`, \
          `OPTIMIZE TABLE`, `ROW_FORMAT`, `KEY_BLOCK_SIZE`, dropping a column that is in an index with others. MySQL also \
          writes the table anew to move a column to another place, which MariaDB does at once.\n\n\
          Large tables are better changed by gh-ost, pt-online-schema-change or spirit, which wait for replicas.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders ADD COLUMN number int UNIQUE;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN number int, ALGORITHM=INSTANT;",
                "CREATE UNIQUE INDEX orders_number ON orders (number);",
            ],
            claims: REBUILT,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders MODIFY amount int NOT NULL;",
            instead: &[],
            claims: REBUILT,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders FORCE;",
            instead: &[],
            claims: REBUILT,
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

const REBUILT: &[Claim] = &[Claim {
    table: "orders",
    lock: "LOCK=NONE",
    blocks: Blocks::Nobody,
    work: Work::Rewrite,
}];

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, way)) = way_on_old(at) else {
        return;
    };
    if my_drop_indexed_column::is_refused(at) {
        return;
    }
    let is_mysql = at.statement.file.server.mariadb == Some(false);
    let moves = matches!(
        &at.operation.kind,
        OperationKind::ModifyColumn { placed: true, .. }
    );
    if way == Way::Rebuild || (way == Way::Instant && moves && is_mysql) {
        let message = format!(
            "all of `{}` is written anew: nobody waits, but it takes as long as the table is large, and replicas lag as \
             long again",
            table.name
        );
        report.add(at.operation.span.clone(), message, instead(at, table));
    }
}

/// A column and its unique key one after the other.
fn instead(at: &At<'_>, table: &ObjectName) -> Vec<String> {
    let OperationKind::AddColumn { column, .. } = &at.operation.kind else {
        return Vec::new();
    };
    let [constraint] = column.constraints.as_slice() else {
        return Vec::new();
    };
    if !matches!(constraint.kind, ConstraintKind::Unique { .. }) {
        return Vec::new();
    }
    let text = at.statement.text;
    let before = text
        .get(column.span.start..constraint.span.start)
        .unwrap_or_default();
    let after = text
        .get(constraint.span.end..column.span.end)
        .unwrap_or_default();
    let definition = format!("{}{after}", before.trim_end());
    let index = remedy::name(Dialect::Mysql, &format!("{}_{}", table.name, column.name));
    vec![
        alter(table, &format!("ADD COLUMN {definition}")),
        format!(
            "CREATE UNIQUE INDEX {index} ON {} ({});",
            remedy::object(Dialect::Mysql, table),
            remedy::name(Dialect::Mysql, &column.name)
        ),
    ]
}
