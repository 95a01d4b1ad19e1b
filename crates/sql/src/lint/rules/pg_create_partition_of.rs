use super::super::pg_remedy::alter;
use super::super::remedy::object;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-create-partition-of",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "CREATE TABLE … PARTITION OF a table that is there",
    why: "The partitioned table is locked with `ACCESS EXCLUSIVE`: its readers and writers wait, and all who come \
          later wait behind a statement that waits for its lock. A table made on its own and then attached needs \
          `SHARE UPDATE EXCLUSIVE` only, which nobody waits for. Where the table has a default partition, that is \
          looked through for rows of the new one in both cases.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE events (id bigint NOT NULL, kind text) PARTITION BY RANGE (id);\nCREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);",
        found: "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000);",
        instead: &[
            "CREATE TABLE events_2 (LIKE events INCLUDING ALL);\nALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (1000) TO (2000);",
        ],
        claims: &[Claim {
            table: "events",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Metadata,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateTable(create) = &at.operation.kind else {
        return;
    };
    let (Some(table), Some(parent)) = (&create.table, &create.partition_of) else {
        return;
    };
    if !at.is_old(parent) {
        return;
    }
    let text = at.statement.text;
    let capitals = text.to_ascii_uppercase();
    let bounds = capitals
        .find("FOR VALUES")
        .and_then(|place| text.get(place..));
    let bounds = bounds.unwrap_or("DEFAULT").trim_end();
    // What makes it a partitioned table of its own is said where it is made.
    let (bounds, partitioned) = match bounds.to_ascii_uppercase().find("PARTITION BY") {
        Some(place) => bounds.split_at(place),
        None => (bounds, ""),
    };
    let (named, parent_name) = (
        object(Dialect::Postgres, table),
        object(Dialect::Postgres, parent),
    );
    let create = format!("CREATE TABLE {named} (LIKE {parent_name} INCLUDING ALL) {partitioned}");
    let attach = format!("ATTACH PARTITION {named} {}", bounds.trim_end());
    report.add(
        at.operation.span.clone(),
        format!(
            "everybody who uses `{}` waits for this and behind it",
            parent.name
        ),
        vec![format!(
            "{};\n{}",
            create.trim_end(),
            alter(parent, &attach)
        )],
    );
}
