use super::super::apart::{built_on, rewritten, together};
use super::super::pg_remedy::MOST_SHOWN;
use super::super::proposal::Proposal;
use super::prelude::*;
use crate::operation::CreateIndex;

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
    let Some(table) = index.table.as_ref().filter(|_| waits(at, index)) else {
        return;
    };
    let (instead, note) = in_a_file_of_its_own(at);
    report.add(
        at.operation.span.clone(),
        format!(
            "writes to `{}` wait until the index is built{note}",
            table.name
        ),
        instead,
    );
}

/// Whether an index is built while writers of a table that was there wait. On a partitioned table CONCURRENTLY is refused,
/// and ON ONLY touches no rows: another rule speaks.
fn waits(at: &At<'_>, index: &CreateIndex) -> bool {
    let table = index.table.as_ref().filter(|table| at.is_old(table));
    let known = table.and_then(|table| at.schema().table(table));
    table.is_some()
        && !index.concurrently
        && !index.only
        && !known.is_some_and(|known| known.partitioned)
}

/// The statement with `CONCURRENTLY`.
fn concurrently(at: &At<'_>, index: &CreateIndex, text: &str) -> Option<String> {
    // With IF NOT EXISTS an invalid index that an earlier try left behind would be taken for a good one.
    let may_be_there = index
        .name
        .as_ref()
        .is_some_and(|name| at.schema().index(name).is_some());
    let words = ["IF", "NOT", "EXISTS"];
    let text = match index.if_not_exists && !may_be_there {
        true => remedy::without(Dialect::Postgres, text, &words),
        false => text.to_owned(),
    };
    let (head, tail) = text.split_at(text.to_ascii_uppercase().find("INDEX")? + "INDEX".len());
    Some(remedy::ended(&format!("{head} CONCURRENTLY{tail}")))
}

/// The index in a migration of its own. What it may need of its file (a column that is added there) stays in one before it,
/// and what follows goes into one after it; the other indexes of the file get theirs as well, which is said once.
fn in_a_file_of_its_own(at: &At<'_>) -> (Proposal, &'static str) {
    let (file, own) = (at.statement.file, at.statement.place);
    let built = |number: usize| {
        let list = &file.operations.get(number)?.list;
        let text = &file.file.script.statements.get(number)?.text;
        list.iter().find_map(|operation| match &operation.kind {
            OperationKind::CreateIndex(index) if waits(at, index) => concurrently(at, index, text),
            _ => None,
        })
    };
    let alone = || Proposal::from(built(own).into_iter().collect::<Vec<_>>());
    let since = built_on(file).unwrap_or(own);
    if since >= own {
        return (alone(), "");
    }
    let count = file.operations.len();
    if count > MOST_SHOWN {
        let note = "; what stands before it in the file stays in a migration before it";
        return (alone(), note);
    }
    if (since..own).any(|number| built(number).is_some()) {
        return (Proposal::default(), "");
    }
    let (mut parts, mut from) = (Vec::new(), 0);
    for number in 0..=count {
        let index = built(number);
        if index.is_none() && number < count {
            continue;
        }
        parts.extend(together(file, |other| (from..number).contains(&other)));
        parts.extend(rewritten(file, |other, _| {
            index.clone().filter(|_| other == number)
        }));
        from = number + 1;
    }
    (Proposal::of_file(parts), "")
}
