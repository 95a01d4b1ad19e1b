use super::super::apart::{builds_on_its_file, together};
use super::super::pg_partitions::index_by_partition;
use super::super::pg_remedy::MOST_SHOWN;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{CreateIndex, Operation};

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
    let Some(table) = index.table.as_ref().filter(|table| at.is_old(table)) else {
        return;
    };
    let known = at.schema().table(table);
    let partitioned = known.is_some_and(|table| table.partitioned);
    // ON ONLY a partitioned table there are no rows.
    if index.concurrently || index.only && (partitioned || known.is_none()) {
        return;
    }
    if partitioned {
        of_partitions(at, index, table, report);
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
            let built = remedy::ended(&format!("{head} CONCURRENTLY{tail}"));
            in_files_of_its_own(at, vec![built])
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

/// `CONCURRENTLY` is refused for the table as a whole, so each partition has its index built by itself.
fn of_partitions(at: &At<'_>, index: &CreateIndex, table: &ObjectName, report: &mut Report<'_>) {
    let schema = at.schema();
    let from_database = schema.table(table).is_some_and(|known| known.made_in == 0);
    if from_database && schema.is_complete() && schema.partitions(table).next().is_none() {
        return;
    }
    let (instead, note) = match index_by_partition(at, index, table) {
        files if files.is_empty() => (files, ""),
        files => in_files_of_its_own(at, files),
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "writes to `{}` and to its partitions wait until the index of each is built{note}",
            table.name
        ),
        instead,
    );
}

/// The index in migrations of its own. What it may need of its file (a column that is added there) stays in the one
/// before it, and what follows goes into the one after it. Other indexes of the file have a finding of their own.
fn in_files_of_its_own(at: &At<'_>, index: Vec<String>) -> (Vec<String>, &'static str) {
    let file = at.statement.file;
    if !builds_on_its_file(at) {
        return (index, "");
    }
    if file.operations.len() > MOST_SHOWN {
        let note = "; what stands before it in the file stays in a migration before it";
        return (index, note);
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
    let index = index.into_iter().map(|own| match file.file.contract {
        true => remedy::contract(&own),
        false => own,
    });
    let files = before.into_iter().chain(index).chain(after);
    (files.collect(), "")
}
