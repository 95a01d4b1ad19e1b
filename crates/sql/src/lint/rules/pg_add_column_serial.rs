use super::super::pg_remedy::filled_later;
use super::super::remedy::{literal, name, object};
use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "pg-add-column-serial",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "ADD COLUMN that numbers the rows that are there",
    why: "`serial`, `bigserial` and `GENERATED … AS IDENTITY` give every row a number, so the whole table is written \
          anew under an `ACCESS EXCLUSIVE` lock. A sequence of one's own as the default of a column that is already \
          there numbers new rows only; the old ones get theirs range by range.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "ALTER TABLE orders ADD COLUMN number bigserial;",
        instead: &[
            "ALTER TABLE orders ADD COLUMN number bigint;\nCREATE SEQUENCE orders_number_seq OWNED BY orders.number;\nALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number_seq');",
            "UPDATE orders SET number = nextval('orders_number_seq') WHERE id BETWEEN 1 AND 10000 AND number IS NULL;",
        ],
        claims: &[Claim {
            table: "orders",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Rewrite,
        }],
    }],
    peers: Peers {
        squawk: "adding-serial-primary-key-field",
        strong_migrations: "add_column_auto_incrementing",
        eugene: "E11",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    if !column.numbered || !at.is_old(table) {
        return;
    }
    let sequence = ObjectName {
        kind: ObjectKind::Sequence,
        schema: table.schema.clone(),
        name: format!("{}_{}_seq", table.name, column.name),
    };
    let sequence = object(Dialect::Postgres, &sequence);
    let create = format!(
        "\nCREATE SEQUENCE {} OWNED BY {}.{};",
        sequence,
        object(Dialect::Postgres, table),
        name(Dialect::Postgres, &column.name)
    );
    let next = format!("nextval({})", literal(&sequence));
    let instead = filled_later(at, table, column, &next, &create);
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` is written anew to number its rows, and nobody can read or write it meanwhile",
            table.name
        ),
        instead,
    );
}
