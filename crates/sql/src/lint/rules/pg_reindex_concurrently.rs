use super::super::remedy::object;
use super::prelude::*;
use crate::ObjectKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-reindex-concurrently",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "REINDEX without CONCURRENTLY",
    why: "The table is locked with `SHARE`, so writes wait until the index is built anew, and the index itself with \
          `ACCESS EXCLUSIVE`: the planner looks at all indexes of a table, so almost every query waits as well. \
          `REINDEX … CONCURRENTLY` (version 12) builds the new index beside the old one.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\nCREATE INDEX orders_customer ON orders (customer_id);",
            found: "REINDEX INDEX orders_customer;",
            instead: &["REINDEX INDEX CONCURRENTLY orders_customer;"],
            claims: &[Claim {
                table: "orders",
                lock: "SHARE",
                blocks: Blocks::Writers,
                work: Work::IndexBuild,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "REINDEX TABLE orders;",
            instead: &["REINDEX TABLE CONCURRENTLY orders;"],
            claims: &[Claim {
                table: "orders",
                lock: "SHARE",
                blocks: Blocks::Writers,
                work: Work::IndexBuild,
            }],
        },
    ],
    peers: Peers {
        squawk: "require-concurrent-reindex",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Reindex {
        target,
        concurrently: false,
    } = &at.operation.kind
    else {
        return;
    };
    let since = at.statement.file.together_since;
    let (words, is_old) = match target.kind {
        ObjectKind::Table => ("TABLE", at.is_old(target)),
        ObjectKind::Index => {
            let known = at.schema().index(target);
            (
                "INDEX",
                known.is_none_or(|(table, _)| table.made_in < since),
            )
        }
        ObjectKind::Schema => ("SCHEMA", true),
        _ => ("DATABASE", true),
    };
    if !is_old {
        return;
    }
    let target = object(Dialect::Postgres, target);
    // The catalogs cannot be built anew beside their users.
    let of_system = at.statement.text.to_ascii_uppercase().contains(" SYSTEM");
    let instead = match of_system || target.is_empty() || target == "\"\"" {
        true => Vec::new(),
        false => vec![format!("REINDEX {words} CONCURRENTLY {target};")],
    };
    report.add(
        at.operation.span.clone(),
        "writes wait until the indexes are built anew, and almost all queries of their tables do",
        instead,
    );
}
