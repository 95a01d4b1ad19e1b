use super::super::rule::FileAt;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{ConstraintKind, Expression, Operation};
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "lt-rebuild",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::Schema,
    summary: "a table made anew, and something of the old one lost",
    why: "What `ALTER TABLE` of SQLite cannot do is done by a new table: make it under another name, copy the rows, drop \
          the old one, rename the new one. What belonged to the old table goes with it: its indexes and triggers have to \
          be made again. Views, and triggers of other tables, that name it have to be dropped before, or the rename fails \
          (`error in view …: no such table`), and made again after. The order matters too: who renames the *old* table \
          first takes the foreign keys of all other tables along to its new name, and they refer to nothing when it is \
          dropped. All of it has to be one transaction, and foreign keys have to be off, or `DROP TABLE` deletes the rows \
          that refer to the table. forerun runs the file in one transaction, and does not switch foreign keys on, as long \
          as no `PRAGMA foreign_keys` is in it.",
    examples: &[
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                     CREATE INDEX users_email ON users (email);",
            found: "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                    INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                    DROP TABLE users;\n\
                    ALTER TABLE users_new RENAME TO users;",
            instead: &[
                "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                        INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                        DROP TABLE users;\n\
                        ALTER TABLE users_new RENAME TO users;\n\
                        CREATE INDEX users_email ON users (email);",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                     CREATE VIEW contacts AS SELECT email FROM users;",
            found: "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                    INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                    DROP TABLE users;\n\
                    ALTER TABLE users_new RENAME TO users;",
            instead: &[
                "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                        INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                        DROP VIEW contacts;\n\
                        DROP TABLE users;\n\
                        ALTER TABLE users_new RENAME TO users;\n\
                        CREATE VIEW contacts AS SELECT email FROM users;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                     CREATE TABLE orders (id integer PRIMARY KEY, user_id integer REFERENCES users (id));",
            found: "ALTER TABLE users RENAME TO users_old;\n\
                    CREATE TABLE users (id integer PRIMARY KEY, email text DEFAULT '');\n\
                    INSERT INTO users (id, email) SELECT id, email FROM users_old;\n\
                    DROP TABLE users_old;",
            instead: &[
                "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                        INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                        DROP TABLE users;\n\
                        ALTER TABLE users_new RENAME TO users;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::File(check),
};

/// Every operation of the file, with the number of its statement.
type Steps<'a> = Vec<(usize, &'a Operation)>;

fn check(at: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    let steps: Steps<'_> = at
        .operations
        .iter()
        .enumerate()
        .flat_map(|(place, list)| list.list.iter().map(move |operation| (place, operation)))
        .collect();
    for (number, (place, operation)) in steps.iter().enumerate() {
        match &operation.kind {
            OperationKind::Drop { object, .. } if object.kind == ObjectKind::Table => {
                let rename = steps.iter().skip(number).position(|(_, later)| {
                    matches!(&later.kind, OperationKind::Rename { to, .. } if schema.same_name(to, object))
                });
                if let Some(rename) = rename
                    && schema.table(object).is_some()
                {
                    let problems = problems(at, schema, &steps, number, number + rename, object);
                    for message in problems {
                        report.in_statement(*place).add(
                            operation.span.clone(),
                            message,
                            Vec::new(),
                        );
                    }
                }
            }
            OperationKind::Rename { object, to, .. } if object.kind == ObjectKind::Table => {
                let later = || steps.iter().skip(number);
                let made_anew = later().any(|(_, later)| match &later.kind {
                    OperationKind::CreateTable(create) => create
                        .table
                        .as_ref()
                        .is_some_and(|made| schema.same_name(made, object)),
                    _ => false,
                });
                let dropped = later().any(|(_, later)| {
                    matches!(&later.kind, OperationKind::Drop { object, .. } if schema.same_name(object, to))
                });
                let children = referring(schema, object);
                if let Some(child) = children.first().filter(|_| made_anew && dropped) {
                    let message = format!(
                        "the foreign key of `{child}` follows `{}` to `{}`, and refers to nothing when that is dropped",
                        object.name, to.name
                    );
                    report
                        .in_statement(*place)
                        .add(operation.span.clone(), message, Vec::new());
                }
            }
            _ => {}
        }
    }
}

/// What goes wrong when a table is dropped at one step, and another one gets its name at a later one.
fn problems(
    at: &FileAt<'_>,
    schema: &Schema,
    steps: &Steps<'_>,
    dropped: usize,
    renamed: usize,
    table: &ObjectName,
) -> Vec<String> {
    let mut problems = Vec::new();
    let before = steps.get(..dropped).unwrap_or_default();
    let after = steps.get(dropped..).unwrap_or_default();
    let begun = before
        .iter()
        .filter(|(_, step)| matches!(step.kind, OperationKind::TransactionControl))
        .count()
        % 2
        == 1;
    if !at.file.transaction && !begun {
        problems.push(format!(
            "this file is not one transaction: when something fails after this statement, there is no `{}`",
            table.name
        ));
    }
    let children = referring(schema, table);
    if let Some(child) = children.first().filter(|_| keys_are_on(before)) {
        problems.push(format!(
            "with foreign keys on this deletes the rows of `{child}` that refer to `{}`, or fails because of them",
            table.name
        ));
    }
    let lost = lost(schema, after, table);
    if !lost.is_empty() {
        problems.push(format!(
            "{} of `{}` goes with the old table, and is not made again",
            lost.join(", "),
            table.name
        ));
    }
    let until_rename = steps.get(..renamed).unwrap_or_default();
    for (kind, noun) in [(ObjectKind::View, "view"), (ObjectKind::Trigger, "trigger")] {
        for (name, definition) in schema.definitions(kind) {
            let own = definition
                .table
                .as_ref()
                .is_some_and(|of| schema.same_name(of, table));
            let gone = until_rename.iter().any(|(_, step)| match &step.kind {
                OperationKind::Drop { object, .. } => {
                    object.kind == kind && object.name.eq_ignore_ascii_case(&name.name)
                }
                _ => false,
            });
            let text = Expression {
                text: definition.text.clone(),
                span: 0..definition.text.len(),
            };
            if !own && !gone && text.names(Dialect::Sqlite, &table.name) {
                problems.push(format!(
                    "SQLite refuses to rename the new table while the {noun} `{}` names `{}`: drop it before, and make it again after",
                    name.name, table.name
                ));
            }
        }
    }
    problems
}

fn keys_are_on(before: &[(usize, &Operation)]) -> bool {
    let settings = before.iter().rev().find_map(|(_, step)| match &step.kind {
        OperationKind::Setting { name, value } if name == "foreign_keys" => Some(value),
        _ => None,
    });
    settings.is_some_and(|value| {
        matches!(
            value.to_ascii_uppercase().as_str(),
            "ON" | "1" | "TRUE" | "YES"
        )
    })
}

/// The other tables with a foreign key to this one.
fn referring(schema: &Schema, table: &ObjectName) -> Vec<String> {
    let others = schema
        .named_tables()
        .filter(|(name, _)| !schema.same_name(name, table));
    let referring = others.filter(|(_, other)| {
        other
            .constraints
            .iter()
            .any(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { reference, .. } => {
                    schema.same_name(&reference.table, table)
                }
                _ => false,
            })
    });
    referring.map(|(name, _)| name.name).collect()
}

/// Indexes and triggers of the table that nothing makes again.
fn lost(schema: &Schema, after: &[(usize, &Operation)], table: &ObjectName) -> Vec<String> {
    let known = schema.table(table);
    let indexes = known.iter().flat_map(|known| &known.indexes);
    let indexes = indexes.filter(|index| {
        !after.iter().any(|(_, step)| match &step.kind {
            OperationKind::CreateIndex(new) => {
                new.columns == index.columns && new.unique == index.unique
            }
            OperationKind::DropIndex { index: gone, .. } => index
                .name
                .as_ref()
                .is_some_and(|name| schema.same_name(name, gone)),
            _ => false,
        })
    });
    let indexes = indexes.filter_map(|index| index.name.as_ref());
    let triggers = schema
        .definitions(ObjectKind::Trigger)
        .filter(|(name, trigger)| {
            let own = trigger
                .table
                .as_ref()
                .is_some_and(|of| schema.same_name(of, table));
            own && !after.iter().any(|(_, step)| match &step.kind {
                OperationKind::Create { object, .. } | OperationKind::Drop { object, .. } => {
                    object.kind == ObjectKind::Trigger
                        && object.name.eq_ignore_ascii_case(&name.name)
                }
                _ => false,
            })
        });
    indexes
        .map(|name| format!("the index `{}`", name.name))
        .chain(triggers.map(|(name, _)| format!("the trigger `{}`", name.name)))
        .collect()
}
