use super::super::pg_remedy::alter;
use super::super::remedy::object;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-detach-concurrently",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "DETACH PARTITION without CONCURRENTLY",
    why: "The partitioned table is locked with `ACCESS EXCLUSIVE`: its readers and writers wait, and all who come \
          later wait behind a statement that waits for its lock. `CONCURRENTLY` (version 14) takes `SHARE UPDATE \
          EXCLUSIVE` only. It is refused where the table has a default partition, and forerun runs it outside of a \
          transaction by itself.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE events (id bigint NOT NULL, kind text) PARTITION BY RANGE (id);\nCREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);",
        found: "ALTER TABLE events DETACH PARTITION events_1;",
        instead: &["ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;"],
        claims: &[Claim {
            table: "events",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Metadata,
        }],
    }],
    peers: Peers {
        squawk: "require-concurrent-partition-detach",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DetachPartition {
        table,
        partition,
        concurrently: false,
    } = &at.operation.kind
    else {
        return;
    };
    // What an interrupted one left is finished with FINALIZE, which is as gentle.
    let written = at
        .statement
        .text
        .get(at.operation.span.clone())
        .unwrap_or_default();
    if !at.is_old(table) || written.to_ascii_uppercase().ends_with("FINALIZE") {
        return;
    }
    let named = object(Dialect::Postgres, partition);
    report.add(
        at.operation.span.clone(),
        format!(
            "everybody who uses `{}` waits for this and behind it",
            table.name
        ),
        vec![alter(
            table,
            &format!("DETACH PARTITION {named} CONCURRENTLY"),
        )],
    );
}
