use super::super::remedy::{data, name};
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
          behind. A range of keys at a time, each in a transaction of its own, keeps all of that small. Only an `UPDATE` \
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
    let key = at
        .schema()
        .table(table)
        .and_then(|table| table.constraints.iter().find_map(primary));
    let key = name(Dialect::Postgres, key.map_or("id", String::as_str));
    let range = format!("{key} BETWEEN 1 AND 10000");
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
        ranged(at.statement.text, condition.as_ref(), &range),
    );
}

/// The statement for one range of keys; nothing where it is part of another.
fn ranged(text: &str, condition: Option<&Expression>, range: &str) -> Vec<String> {
    let text = text.trim_end();
    let capitals = text.to_ascii_uppercase();
    if !capitals.starts_with("UPDATE") && !capitals.starts_with("DELETE") {
        return Vec::new();
    }
    let place = match condition {
        Some(condition) => condition.span.clone(),
        None => {
            let end = capitals.find("RETURNING").unwrap_or(text.len());
            end..end
        }
    };
    let head = text.get(..place.start).unwrap_or_default().trim_end();
    let tail = text.get(place.end..).unwrap_or_default().trim_start();
    let condition = match condition {
        Some(condition) if condition.names(Dialect::Postgres, "or") => {
            format!("{range} AND ({})", condition.text)
        }
        Some(condition) => format!("{range} AND {}", condition.text),
        None => format!("WHERE {range}"),
    };
    let ranged = format!("{head} {condition} {tail}");
    vec![data(&format!(
        "-- one such statement for each range of keys\n{};",
        ranged.trim_end()
    ))]
}

fn primary(constraint: &Constraint) -> Option<&String> {
    match constraint.kind {
        ConstraintKind::PrimaryKey { .. } => constraint.columns().first(),
        _ => None,
    }
}

/// Whether a condition names the first column of a key. (Where no key is known, one called `id`.)
fn names_key(at: &At<'_>, table: &ObjectName, condition: &Expression) -> bool {
    let names = |column: &String| condition.names(Dialect::Postgres, column);
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
