use super::super::pg_remedy::filled_later;
use super::prelude::*;
use crate::effect::volatile_function;

pub(super) static RULE: Rule = Rule {
    id: "pg-add-column-volatile-default",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ADD COLUMN with a default that differs from row to row",
    why: "Each row needs a value of its own, so the whole table is written anew under an `ACCESS EXCLUSIVE` lock: \
          nobody reads or writes it meanwhile, and it takes its size on disk once more. A default that is one value \
          for all rows (a constant, `now()`) costs nothing. Otherwise: add the column without, set the default for new \
          rows, and fill the old ones range by range. A function of one's own counts as volatile unless it is declared \
          `STABLE` or `IMMUTABLE`.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        instead: &[
            "ALTER TABLE orders ADD COLUMN token uuid;\nALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();",
            "UPDATE orders SET token = gen_random_uuid() WHERE id BETWEEN 1 AND 10000 AND token IS NULL;",
        ],
        claims: &[Claim {
            table: "orders",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Rewrite,
        }],
    }],
    peers: Peers {
        squawk: "adding-field-with-default",
        strong_migrations: "add_column_default",
        atlas: "PG302",
        eugene: "E10",
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let Some(default) = column.default.as_ref().filter(|_| at.is_old(table)) else {
        return;
    };
    let Some(function) = volatile_function(default, at.schema()) else {
        return;
    };
    let instead = filled_later(at, table, column, &default.text, "");
    report.add(
        at.operation.span.clone(),
        format!(
            "`{function}` gives every row a value of its own: `{}` is written anew, and nobody can read or write it meanwhile",
            table.name
        ),
        instead,
    );
}
