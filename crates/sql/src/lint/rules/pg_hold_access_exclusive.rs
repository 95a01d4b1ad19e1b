use super::super::locks::{Step, steps};
use super::super::pg_remedy::cut;
use super::super::rule::FileAt;
use super::prelude::*;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "pg-hold-access-exclusive",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "long work while a table is locked against everybody",
    why: "A transaction keeps its locks to the end. After a statement that locked a table with `ACCESS EXCLUSIVE`, \
          everything else in the file is time in which nobody reads or writes that table: an `UPDATE` of many rows, \
          the look at all rows of another table, the build of an index. Such work belongs into a migration of its own.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nCREATE TABLE archive (id bigint PRIMARY KEY, note text);",
        found: "ALTER TABLE orders ADD COLUMN paid boolean;\nINSERT INTO archive (id, note) SELECT id, note FROM orders;",
        instead: &[
            "ALTER TABLE orders ADD COLUMN paid boolean;",
            "INSERT INTO archive (id, note) SELECT id, note FROM orders;",
        ],
        claims: &[],
    }],
    peers: Peers {
        eugene: "E4",
        ..Peers::NONE
    },
    check: Check::File(check),
};

fn check(file: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    let mut held: Option<(usize, String)> = None;
    for step in steps(file, schema) {
        let text = file.file.script.statements.get(step.statement);
        let text = text.map_or("", |statement| statement.text.as_str());
        if let Some((since, table)) = &held
            && *since < step.statement
            && is_long(&step, text)
        {
            let (instead, say) = cut(file, step.statement, false);
            report.in_statement(step.statement).add(
                step.span.clone(),
                format!("nobody can read or write `{table}`, which statement {} locked, until this is done too{say}", since + 1),
                instead,
            );
            return;
        }
        let mut locked = step
            .effects
            .iter()
            .filter(|effect| effect.blocks == Blocks::Everybody);
        if let (None, Some(effect)) = (&held, locked.next()) {
            held = Some((step.statement, effect.table.name.clone()));
        }
    }
}

/// Whether it can take as long as there are rows. Rows that are written down in the file are few.
fn is_long(step: &Step<'_>, text: &str) -> bool {
    match step.kind {
        OperationKind::Insert { .. } => text.to_ascii_uppercase().contains("SELECT"),
        // Other rules speak.
        OperationKind::ValidateConstraint { .. }
        | OperationKind::Update { .. }
        | OperationKind::Delete { .. } => false,
        _ => step
            .effects
            .iter()
            .any(|effect| effect.work > Work::Metadata),
    }
}
