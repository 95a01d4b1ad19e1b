use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-index-concurrently",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "CREATE INDEX without CONCURRENTLY",
    why: "The index is built under a `SHARE` lock: every write to the table waits until it is finished, and the larger \
          the table, the longer. `CONCURRENTLY` builds it while writes go on. forerun runs such a statement outside of a \
          transaction by itself, checks that the index is valid afterwards, and builds it again when it is not.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        found: "CREATE INDEX orders_customer ON orders (customer_id);",
        instead: &["CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);"],
        claims: &[Claim {
            table: "orders",
            lock: "SHARE",
            blocks: Blocks::Writers,
            work: Work::IndexBuild,
        }],
    }],
    peers: Peers {
        squawk: "require-concurrent-index-creation",
        strong_migrations: "add_index",
        atlas: "PG101",
        eugene: "E6",
    },
    check: Check::Operation(check),
};

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
    let instead = match text.to_ascii_uppercase().find("INDEX") {
        Some(place) => {
            let (head, tail) = text.split_at(place + "INDEX".len());
            vec![format!("{head} CONCURRENTLY{tail};")]
        }
        None => Vec::new(),
    };
    report.add(
        at.operation.span.clone(),
        format!("writes to `{}` wait until the index is built", table.name),
        instead,
    );
}
