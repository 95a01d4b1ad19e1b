use super::super::pg_partitions::index_by_partition;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-concurrently-partitioned",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "CREATE INDEX CONCURRENTLY on a partitioned table",
    why: "PostgreSQL refuses it. The index is made on the partitioned table alone (`ON ONLY`: no rows, so at once), \
          then `CONCURRENTLY` on each partition, and each of those is attached to it. The index of the table becomes \
          valid with the last one. (The example fails on every server.)",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE events (id bigint NOT NULL, kind text) PARTITION BY RANGE (id);\nCREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);",
        found: "CREATE INDEX CONCURRENTLY events_kind ON events (kind);",
        instead: &[
            "CREATE INDEX events_kind ON ONLY events (kind);",
            "CREATE INDEX CONCURRENTLY events_1_kind ON events_1 (kind);",
            "ALTER INDEX events_kind ATTACH PARTITION events_1_kind;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    let Some(table) = index.table.as_ref().filter(|_| index.concurrently) else {
        return;
    };
    if !at
        .schema()
        .table(table)
        .is_some_and(|known| known.partitioned)
    {
        return;
    }
    report.add(
        at.operation.span.clone(),
        format!("PostgreSQL refuses this: `{}` is partitioned", table.name),
        index_by_partition(at.schema(), at.statement.text, index, table),
    );
}
