use super::super::apart::{builds_on_its_file, together};
use super::super::pg_remedy::MOST_SHOWN;
use super::prelude::*;
use crate::operation::Operation;

pub(super) static RULE: Rule = Rule {
    id: "pg-index-concurrently",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "CREATE INDEX without CONCURRENTLY",
    why: "The index is built under a `SHARE` lock: every write to the table waits until it is finished, and the larger \
          the table, the longer. `CONCURRENTLY` builds it while writes go on. forerun runs such a statement outside of a \
          transaction by itself, checks that the index is valid afterwards, and builds it again when it is not. It goes \
          into a file of its own, after the one with the column that it is about.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
            found: "CREATE INDEX orders_customer ON orders (customer_id);",
            instead: &["CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);"],
            claims: BUILT,
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
            found: "ALTER TABLE orders ADD COLUMN state text;\nCREATE INDEX orders_state ON orders (state);",
            instead: &[
                "ALTER TABLE orders ADD COLUMN state text;",
                "CREATE INDEX CONCURRENTLY orders_state ON orders (state);",
            ],
            claims: BUILT,
        },
    ],
    peers: Peers {
        squawk: "require-concurrent-index-creation",
        strong_migrations: "add_index",
        atlas: "PG101",
        eugene: "E6",
    },
    check: Check::Operation(check),
};

const BUILT: &[Claim] = &[Claim {
    table: "orders",
    lock: "SHARE",
    blocks: Blocks::Writers,
    work: Work::IndexBuild,
}];

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    let Some(table) = index.table.as_ref().filter(|table| at.is_old(table)) else {
        return;
    };
    // On a partitioned table CONCURRENTLY is refused, and ON ONLY touches no rows: another rule speaks.
    let partitioned = at
        .schema()
        .table(table)
        .is_some_and(|table| table.partitioned);
    if index.concurrently || index.only || partitioned {
        return;
    }
    // With IF NOT EXISTS an invalid index that an earlier try left behind would be taken for a good one.
    let may_be_there = index
        .name
        .as_ref()
        .is_some_and(|name| at.schema().index(name).is_some());
    let words = ["IF", "NOT", "EXISTS"];
    let text = match index.if_not_exists && !may_be_there {
        true => remedy::without(Dialect::Postgres, at.statement.text, &words),
        false => at.statement.text.to_owned(),
    };
    let (instead, note) = match text.to_ascii_uppercase().find("INDEX") {
        Some(place) => {
            let (head, tail) = text.split_at(place + "INDEX".len());
            in_a_file_of_its_own(at, remedy::ended(&format!("{head} CONCURRENTLY{tail}")))
        }
        None => (Vec::new(), ""),
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "writes to `{}` wait until the index is built{note}",
            table.name
        ),
        instead,
    );
}

/// The index in a migration of its own. What it may need of its file (a column that is added there) stays in the one
/// before it, and what follows goes into the one after it. Other indexes of the file have a finding of their own.
fn in_a_file_of_its_own(at: &At<'_>, index: String) -> (Vec<String>, &'static str) {
    let file = at.statement.file;
    if !builds_on_its_file(at) {
        return (vec![index], "");
    }
    if file.operations.len() > MOST_SHOWN {
        let note = "; what stands before it in the file stays in a migration before it";
        return (vec![index], note);
    }
    let waits = |operation: &Operation| match &operation.kind {
        OperationKind::CreateIndex(other) => {
            let old = other.table.as_ref().is_some_and(|table| at.is_old(table));
            old && !other.concurrently
        }
        _ => false,
    };
    let stays = |number: usize| {
        let own = file.operations.get(number);
        own.is_some_and(|own| !own.list.iter().any(waits))
    };
    let before = together(file, |number| number < at.statement.place && stays(number));
    let after = together(file, |number| number > at.statement.place && stays(number));
    let index = match file.file.contract {
        true => remedy::contract(&index),
        false => index,
    };
    let files = before.into_iter().chain([index]).chain(after);
    (files.collect(), "")
}
