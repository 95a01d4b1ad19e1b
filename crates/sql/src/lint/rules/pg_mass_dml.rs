use super::super::mass_change::in_batches;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{Constraint, ConstraintKind, Expression};

pub(super) static RULE: Rule = Rule {
    id: "pg-mass-dml",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "UPDATE or DELETE of a whole table at once",
    why: "All changed rows stay locked until the statement is done, and writers who meet one wait. The old versions of \
          all rows stay in the table until it is vacuumed, the write-ahead log grows by as much, and replicas fall \
          behind. A range of keys at a time, each in a transaction of its own, keeps all of that small; where the key is no \
          integer, as many rows as are found at a time, by a condition that tells which of them are not done yet. Only an `UPDATE` \
          without a condition is an error: how many rows meet one, nobody can tell from the file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "UPDATE orders SET note = '';",
            instead: &[
                "UPDATE orders SET note = '' WHERE id BETWEEN 1 AND 10000;",
                "UPDATE orders SET note = '' WHERE id BETWEEN 10001 AND 20000;",
            ],
            claims: &[Claim {
                table: "orders",
                lock: "ROW EXCLUSIVE",
                blocks: Blocks::Nobody,
                work: Work::Rows,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "DELETE FROM orders;",
            instead: &["DELETE FROM orders WHERE id BETWEEN 1 AND 10000;"],
            claims: &[Claim {
                table: "orders",
                lock: "ROW EXCLUSIVE",
                blocks: Blocks::Nobody,
                work: Work::Rows,
            }],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (verb, table, condition) = match &at.operation.kind {
        OperationKind::Update { table, condition } => ("updates", table, condition),
        OperationKind::Delete { table, condition } => ("deletes", table, condition),
        _ => return,
    };
    if !at.is_old(table)
        || condition
            .as_ref()
            .is_some_and(|condition| names_key(at, table, condition))
    {
        return;
    }
    let (severity, which) = match (&at.operation.kind, condition) {
        (OperationKind::Update { .. }, None) => (Severity::Error, ""),
        // That the rows are lost is another rule's to say.
        (_, None) => (Severity::Warning, ""),
        (_, Some(_)) => (Severity::Warning, " that meets the condition"),
    };
    report.add_as(
        severity,
        at.operation.span.clone(),
        format!(
            "one statement {verb} every row of `{}`{which}: they stay locked until it is done",
            table.name
        ),
        partly(at, table, condition.as_ref()),
    );
}

/// The statement for some of the rows; nothing where it is part of another.
fn partly(at: &At<'_>, table: &ObjectName, condition: Option<&Expression>) -> Vec<String> {
    let text = at.statement.text.trim_end();
    let capitals = text.to_ascii_uppercase();
    if !capitals.starts_with("UPDATE") && !capitals.starts_with("DELETE") {
        return Vec::new();
    }
    let end = capitals.find("RETURNING").unwrap_or(text.len());
    in_batches(at, table, condition, end)
}

/// Whether a condition names the first column of a key, or the place of the rows. (Where no key is known, one called `id`.)
fn names_key(at: &At<'_>, table: &ObjectName, condition: &Expression) -> bool {
    let names = |column: &String| condition.names(Dialect::Postgres, column);
    if names(&"ctid".to_owned()) {
        return true;
    }
    let is_key = |constraint: &&Constraint| {
        matches!(
            constraint.kind,
            ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. }
        )
    };
    let known = at.schema().table(table);
    let constraints = known.iter().flat_map(|known| &known.constraints);
    let mut keys = constraints
        .filter(is_key)
        .filter_map(|key| key.columns().first());
    let indexes = known.iter().flat_map(|known| &known.indexes);
    let mut unique = indexes
        .filter(|index| index.unique)
        .filter_map(|index| index.columns.first().and_then(Option::as_ref));
    keys.any(names) || unique.any(names) || (known.is_none() && names(&"id".to_owned()))
}
