use super::super::lt_remedy::{alter, definition_without};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "lt-add-unique-or-pk",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::Statement,
    summary: "ADD COLUMN with UNIQUE or PRIMARY KEY",
    why: "SQLite refuses both, on every table: `Cannot add a UNIQUE column`, `Cannot add a PRIMARY KEY column`. A unique \
          index does the same as `UNIQUE`, and can be made once the column is there. For another primary key the table has \
          to be made anew (see `lt-rebuild`).",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
        found: "ALTER TABLE users ADD COLUMN handle text UNIQUE;",
        instead: &["ALTER TABLE users ADD COLUMN handle text;\n\
                    CREATE UNIQUE INDEX users_handle ON users (handle);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    for constraint in &column.constraints {
        let (word, instead) = match constraint.kind {
            ConstraintKind::Unique { .. } => {
                let text = definition_without(at, column, constraint.span.clone());
                let index =
                    remedy::name(Dialect::Sqlite, &format!("{}_{}", table.name, column.name));
                let unique = format!(
                    "CREATE UNIQUE INDEX {index} ON {} ({});",
                    remedy::object(Dialect::Sqlite, table),
                    remedy::name(Dialect::Sqlite, &column.name)
                );
                (
                    "UNIQUE",
                    vec![format!(
                        "{}\n{unique}",
                        alter(table, &format!("ADD COLUMN {text}"))
                    )],
                )
            }
            ConstraintKind::PrimaryKey { .. } => ("PRIMARY KEY", Vec::new()),
            _ => continue,
        };
        let message = format!(
            "SQLite refuses to add `{}` to `{}` as {word}",
            column.name, table.name
        );
        report.add(constraint.span.clone(), message, instead);
    }
}
