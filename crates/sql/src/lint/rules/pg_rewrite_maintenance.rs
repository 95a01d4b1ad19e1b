use super::super::remedy::object;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-rewrite-maintenance",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "VACUUM FULL, CLUSTER, SET LOGGED and others that write a table anew",
    why: "The whole table is written anew with all of its indexes under an `ACCESS EXCLUSIVE` lock: nobody reads or \
          writes it meanwhile, and it needs its size on disk once more. For space, plain `VACUUM` makes what is free \
          usable again while all go on; what has to be given back to the system, or put in order, the extension \
          pg_repack does with short locks, and so does `REPACK (CONCURRENTLY)` from version 19 on.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "VACUUM FULL orders;",
            instead: &["VACUUM orders;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "CLUSTER orders USING orders_pkey;",
            instead: &[],
            claims: &[Claim {
                table: "orders",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Rewrite,
            }],
        },
    ],
    peers: Peers {
        squawk: "prefer-repack",
        eugene: "E10",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::RewriteTable { table, action } = &at.operation.kind else {
        return;
    };
    if table.as_ref().is_some_and(|table| !at.is_old(table)) {
        return;
    }
    let (whose, target) = match table {
        Some(table) => (
            format!("`{}`", table.name),
            format!(" {}", object(Dialect::Postgres, table)),
        ),
        None => ("every table".to_owned(), String::new()),
    };
    let instead = match action.as_str() {
        "VACUUM FULL" => vec![format!("VACUUM{target};")],
        _ => Vec::new(),
    };
    report.add(
        at.operation.span.clone(),
        format!("{action} writes {whose} anew, and nobody can read or write it meanwhile"),
        instead,
    );
}
