use super::super::locks::effects_on_old;
use super::super::pg_remedy::alter;
use super::super::remedy::{ended, name};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-attach-scan",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ATTACH PARTITION that reads or indexes the new partition",
    why: "Unless a valid check on the new partition shows that its rows belong there, all of them are read under an \
          `ACCESS EXCLUSIVE` lock on it, and indexes that the partitioned table has and the partition has not are \
          built under it. So: a check with the bounds as `NOT VALID`, validate it, build the indexes `CONCURRENTLY`, \
          attach, drop the check. Rows of a default partition are looked through in the same way, under a lock that \
          stops the users of the whole table; a check there that excludes the new bounds spares that as well.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE events (id bigint NOT NULL, kind text) PARTITION BY RANGE (id);\nCREATE TABLE events_old (id bigint NOT NULL, kind text);",
        found: "ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (1) TO (1000);",
        instead: &[
            "ALTER TABLE events_old ADD CONSTRAINT events_old_bounds CHECK (id >= 1 AND id < 1000) NOT VALID;",
            "ALTER TABLE events_old VALIDATE CONSTRAINT events_old_bounds;",
            "ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (1) TO (1000);\nALTER TABLE events_old DROP CONSTRAINT events_old_bounds;",
        ],
        claims: &[Claim {
            table: "events_old",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Scan,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AttachPartition { table, partition } = &at.operation.kind else {
        return;
    };
    let works = effects_on_old(at);
    let mut works = works.iter().map(|effect| effect.work);
    let what = match works.find(|work| *work > Work::Metadata) {
        Some(Work::IndexBuild) => "gets an index",
        Some(_) => "is read",
        None => return,
    };
    let bounds = name(Dialect::Postgres, &format!("{}_bounds", partition.name));
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` {what} under the lock that attaching it to `{}` takes",
            partition.name, table.name
        ),
        vec![
            alter(
                partition,
                &format!("ADD CONSTRAINT {bounds} CHECK (<the bounds>) NOT VALID"),
            ),
            alter(partition, &format!("VALIDATE CONSTRAINT {bounds}")),
            format!(
                "{}\n{}",
                ended(at.statement.text),
                alter(partition, &format!("DROP CONSTRAINT {bounds}"))
            ),
        ],
    );
}
