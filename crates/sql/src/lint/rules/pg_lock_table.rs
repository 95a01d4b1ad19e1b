use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-lock-table",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "LOCK TABLE",
    why: "Without a mode the lock is `ACCESS EXCLUSIVE`: nobody reads or writes the table until the migration is done. \
          forerun sees to it that only one migration runs at a time, and tries again when a lock is not to be had; \
          nothing needs to be locked for that.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "LOCK TABLE orders;\nALTER TABLE orders ADD COLUMN a int;",
        instead: &["ALTER TABLE orders ADD COLUMN a int;"],
        claims: &[Claim {
            table: "orders",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Metadata,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::LockTable { table } = &at.operation.kind else {
        return;
    };
    if !at.is_old(table) {
        return;
    }
    let text = at.statement.text.to_ascii_uppercase();
    let mode = text
        .split_once(" IN ")
        .and_then(|(_, mode)| mode.split_once(" MODE"));
    let mode = mode.map_or("ACCESS EXCLUSIVE", |(mode, _)| mode.trim());
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` stays locked with {mode} until all of this file is done",
            table.name
        ),
        Vec::new(),
    );
}
