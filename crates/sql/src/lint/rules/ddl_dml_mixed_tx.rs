use super::super::rule::FileAt;
use super::prelude::*;
use crate::ObjectName;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "x-ddl-dml-mixed-tx",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "rows changed in the transaction that changes a table",
    why: "The lock that the change of the table takes is held until the transaction ends: for as long as the rows \
          take, nobody reads or writes the table. The other way round the change of the table waits with all the row \
          locks in hand, and is refused when triggers are pending (`cannot ALTER TABLE because it has pending \
          trigger events`). Put the rows into a data migration of their own; then `forerun migrate schema` and \
          `forerun migrate data` can also run them at different times.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
        found: "ALTER TABLE users ADD COLUMN name text;\n\
                     UPDATE users SET name = email WHERE id BETWEEN 1 AND 10000;",
        instead: &[
            "ALTER TABLE users ADD COLUMN name text;",
            "-- forerun:data\n\
                     UPDATE users SET name = email WHERE id BETWEEN 1 AND 10000;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(at: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    if !at.file.transaction {
        return;
    }
    let made: Vec<&ObjectName> = at
        .operations
        .iter()
        .flat_map(|list| &list.list)
        .filter_map(|operation| match &operation.kind {
            OperationKind::CreateTable(create) => create.table.as_ref(),
            _ => None,
        })
        .collect();
    let is_old = |table: &ObjectName| {
        let made_here = made.iter().any(|made| schema.same_name(made, table));
        let known = schema.table(table);
        !made_here && known.is_none_or(|known| known.made_in < at.together_since)
    };
    let mut changed: Option<&ObjectName> = None;
    let mut rows: Option<&ObjectName> = None;
    for (place, list) in at.operations.iter().enumerate() {
        for operation in &list.list {
            let Some(table) = operation.kind.table().filter(|table| is_old(table)) else {
                continue;
            };
            match &operation.kind {
                OperationKind::Update { .. } | OperationKind::Delete { .. } => {
                    rows = rows.or(Some(table));
                }
                kind if blocks(kind) => changed = changed.or(Some(table)),
                _ => continue,
            }
            if let (Some(changed), Some(rows)) = (changed, rows) {
                let message = format!(
                    "rows of `{}` are changed in the transaction that changes `{}`, whose lock is held until both are done",
                    rows.name, changed.name
                );
                report
                    .in_statement(place)
                    .add(operation.span.clone(), message, Vec::new());
                return;
            }
        }
    }
}

/// What takes a lock on a table that others wait for.
fn blocks(kind: &OperationKind) -> bool {
    !matches!(
        kind,
        OperationKind::Insert { .. }
            | OperationKind::ValidateConstraint { .. }
            | OperationKind::CreateTable(_)
            | OperationKind::LockTable { .. }
    )
}
