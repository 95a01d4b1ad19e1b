use super::super::remedy::object;
use super::prelude::*;
use crate::schema::Table;

pub(super) static RULE: Rule = Rule {
    id: "pg-drop-index-concurrently",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "DROP INDEX without CONCURRENTLY",
    why: "The statement takes an `ACCESS EXCLUSIVE` lock on the table of the index. It does not hold it for long, but \
          it waits for every transaction that uses the table, and while it waits everybody who comes later waits \
          behind it. `CONCURRENTLY` waits without standing in anybody's way. It takes one index at a time, and forerun \
          runs it outside of a transaction by itself. The index of a constraint goes with `DROP CONSTRAINT`.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\nCREATE INDEX orders_customer ON orders (customer_id);",
        found: "DROP INDEX orders_customer;",
        instead: &["DROP INDEX CONCURRENTLY orders_customer;"],
        claims: &[Claim {
            table: "orders",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Metadata,
        }],
    }],
    peers: Peers {
        squawk: "require-concurrent-index-deletion",
        strong_migrations: "remove_index",
        atlas: "PG102",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropIndex {
        index,
        concurrently: false,
        ..
    } = &at.operation.kind
    else {
        return;
    };
    let known = at.schema().index(index).map(|(table, _)| table);
    // The index of a partitioned table cannot be dropped so.
    let made_here = |table: &Table| table.made_in >= at.statement.file.together_since;
    if known.is_some_and(|table| made_here(table) || table.temporary || table.partitioned) {
        return;
    }
    let whose = match known {
        Some(table) => format!("`{}`", table.name),
        None => "its table".to_owned(),
    };
    let named = object(Dialect::Postgres, index);
    let if_exists = match remedy::says(Dialect::Postgres, at.statement.text, &["IF", "EXISTS"]) {
        true => "IF EXISTS ",
        false => "",
    };
    report.add(
        at.operation.span.clone(),
        format!("reads and writes of {whose} wait while `{}` is dropped, and while the statement waits for its lock", remedy::spoken(index)),
        vec![format!("DROP INDEX CONCURRENTLY {if_exists}{named};")],
    );
}
