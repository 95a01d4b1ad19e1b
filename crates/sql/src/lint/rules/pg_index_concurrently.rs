use super::super::apart::{built_on, rewritten, together};
use super::super::pg_partitions::index_by_partition;
use super::super::pg_remedy::MOST_SHOWN;
use super::super::proposal::Proposal;
use super::prelude::*;
use crate::ObjectName;
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
          into a file of its own, after the one with the column that it is about.\n\n\
          A partitioned table and all of its partitions are locked until the index of the last one is built. There \
          `CONCURRENTLY` is refused for the whole: the index is made on the table alone (`ON ONLY`: no rows, so at once), \
          then for each partition, and those are attached to it.",
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
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE events (id bigint NOT NULL, kind text) PARTITION BY RANGE (id);\n\
                     CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);",
            found: "CREATE INDEX events_kind ON events (kind);",
            instead: &[
                "CREATE INDEX events_kind ON ONLY events (kind);",
                "CREATE INDEX CONCURRENTLY events_1_kind ON events_1 (kind);",
                "ALTER INDEX events_kind ATTACH PARTITION events_1_kind;",
            ],
            claims: &[built("events"), built("events_1")],
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

const BUILT: &[Claim] = &[built("orders")];

const fn built(table: &'static str) -> Claim {
    Claim {
        table,
        lock: "SHARE",
        blocks: Blocks::Writers,
        work: Work::IndexBuild,
    }
}

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    let Some(table) = index.table.as_ref().filter(|_| waits(at, index)) else {
        return;
    };
    let (partitions, until) = match is_partitioned(at, table) {
        true => (" and to its partitions", "of each is built"),
        false => ("", "is built"),
    };
    let (instead, note) = in_a_file_of_its_own(at);
    report.add(
        at.operation.span.clone(),
        format!(
            "writes to `{}`{partitions} wait until the index {until}{note}",
            table.name
        ),
        instead,
    );
}

/// Whether an index is built while writers of a table that was there wait. `ON ONLY` a partitioned table there are no rows,
/// nor are there any without partitions.
fn waits(at: &At<'_>, index: &CreateIndex) -> bool {
    let Some(table) = index.table.as_ref().filter(|table| at.is_old(table)) else {
        return false;
    };
    let schema = at.schema();
    let known = schema.table(table);
    let partitioned = is_partitioned(at, table);
    let hollow = partitioned
        && schema.is_complete()
        && known.is_some_and(|known| known.made_in == 0)
        && schema.partitions(table).next().is_none();
    let only = index.only && (partitioned || known.is_none());
    !index.concurrently && !only && !hollow
}

fn is_partitioned(at: &At<'_>, table: &ObjectName) -> bool {
    let known = at.schema().table(table);
    known.is_some_and(|known| known.partitioned)
}

/// The index made while writes go on, one migration after the other.
fn steps(at: &At<'_>, index: &CreateIndex, text: &str) -> Vec<String> {
    match &index.table {
        Some(table) if is_partitioned(at, table) => {
            index_by_partition(at.schema(), text, index, table)
        }
        _ => concurrently(at, index, text).into_iter().collect(),
    }
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
            OperationKind::CreateIndex(index) if waits(at, index) => Some(steps(at, index, text)),
            _ => None,
        })
    };
    let alone = || Proposal::from(built(own).unwrap_or_default());
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
        for step in index.unwrap_or_default() {
            let step = |other, _: &str| (other == number).then(|| step.clone());
            parts.extend(rewritten(file, step));
        }
        from = number + 1;
    }
    (Proposal::of_file(parts), "")
}
