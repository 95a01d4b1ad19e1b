use super::super::rule::FileAt;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::Operation;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "my-implicit-commit",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::File,
    summary: "a change of the schema among changes of rows",
    why: "Every statement that changes the schema commits what was done before it, on MySQL and MariaDB, also inside of \
          `START TRANSACTION`; there is no going back over it. When a later statement fails, the rows that were changed \
          before stay changed. forerun writes down after each statement how far it has come and goes on from there, so \
          nothing is done twice; but what looks like one step in the file is none. Put rows into a data migration of their \
          own, which runs in one transaction, and leave `START TRANSACTION` out of files that change the schema.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "UPDATE users SET email = LOWER(email) WHERE id BETWEEN 1 AND 10000;\n\
                    ALTER TABLE users ADD COLUMN name varchar(100);",
            instead: &[
                "-- forerun:data\n\
                 UPDATE users SET email = LOWER(email) WHERE id BETWEEN 1 AND 10000;",
                "ALTER TABLE users ADD COLUMN name varchar(100), ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "START TRANSACTION;\n\
                    ALTER TABLE users ADD COLUMN name varchar(100);\n\
                    ALTER TABLE users ADD COLUMN city varchar(100);\n\
                    COMMIT;",
            instead: &[
                "ALTER TABLE users ADD COLUMN name varchar(100), ADD COLUMN city varchar(100), ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(at: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    let is_old = |table: &ObjectName| {
        let made_here = at
            .operations
            .iter()
            .flat_map(|list| &list.list)
            .any(|operation| match &operation.kind {
                OperationKind::CreateTable(create) => create
                    .table
                    .as_ref()
                    .is_some_and(|made| schema.same_name(made, table)),
                _ => false,
            });
        let known = schema.table(table);
        !made_here && known.is_none_or(|known| known.made_in < at.together_since)
    };
    let mut rows: Option<&ObjectName> = None;
    let mut begun = false;
    for (place, list) in at.operations.iter().enumerate() {
        for operation in &list.list {
            let message = match &operation.kind {
                OperationKind::TransactionControl => {
                    begun = begins(at, place);
                    continue;
                }
                OperationKind::Insert { table, .. }
                | OperationKind::Update { table, .. }
                | OperationKind::Delete { table, .. } => {
                    rows = rows.or(Some(table).filter(|table| is_old(table)));
                    continue;
                }
                _ if !commits(operation) => continue,
                _ if begun => {
                    "commits the transaction that was begun before it, and cannot be rolled back"
                        .to_owned()
                }
                _ => match rows {
                    Some(rows) => format!(
                        "commits the rows of `{}` that were changed before it, and they stay when what follows fails",
                        rows.name
                    ),
                    None => continue,
                },
            };
            report
                .in_statement(place)
                .add(operation.span.clone(), message, Vec::new());
            return;
        }
    }
}

/// Whether the transaction control of this statement begins one.
fn begins(at: &FileAt<'_>, place: usize) -> bool {
    let statement = at.file.script.statements.get(place);
    let text = statement.map_or("", |statement| statement.text.trim_start());
    let first = text.split_whitespace().next().unwrap_or_default();
    first.eq_ignore_ascii_case("START") || first.eq_ignore_ascii_case("BEGIN")
}

/// Whether an operation commits what was done before it.
fn commits(operation: &Operation) -> bool {
    !matches!(
        operation.kind,
        OperationKind::Setting { .. }
            | OperationKind::Query
            | OperationKind::Harmless
            | OperationKind::Opaque { .. }
    )
}
