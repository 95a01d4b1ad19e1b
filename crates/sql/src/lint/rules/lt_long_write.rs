use super::super::locks::effects_on_old;
use super::super::mass_change::in_batches;
use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "lt-long-write",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "a whole table written while every writer waits",
    why: "There is one writer for the whole file. While a migration writes, all others wait, whichever table they are \
          about, and give up with `database is locked` when their `busy_timeout` ends; without a write-ahead log readers \
          wait at the end too. `DROP COLUMN`, `REINDEX`, `VACUUM`, making a table anew, and an `UPDATE` of all rows take as \
          long as the table is large. Rows are better changed in ranges, in a data migration, each range a transaction of its own. \
          For the rest: switch on the log (`PRAGMA journal_mode = WAL`), let the release set a `busy_timeout` that is \
          longer than the work, or let it pause.",
    examples: &[
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, note text);",
            found: "-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP COLUMN note;",
            instead: &[],
            claims: &[Claim {
                table: "users",
                lock: "whole file",
                blocks: Blocks::Writers,
                work: Work::Rewrite,
            }],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, note text);",
            found: "UPDATE users SET email = lower(email);",
            instead: &["-- forerun:data\n\
                        UPDATE users SET email = lower(email) WHERE id BETWEEN 1 AND 10000;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, what, instead) = match &at.operation.kind {
        OperationKind::Update {
            table,
            condition: None,
        } if at.is_old(table) => (
            &table.name,
            "all rows are changed",
            in_batches(at, table, None, at.statement.text.trim_end().len()),
        ),
        OperationKind::Insert { table, .. } => match replaced(at, table) {
            Some(old) => (
                &old.name,
                "all rows are written into the new table",
                Vec::new(),
            ),
            None => return,
        },
        OperationKind::Reindex { .. } => {
            let effects = effects_on_old(at);
            if effects.iter().any(|effect| effect.work == Work::IndexBuild) {
                let message = "every writer of the file waits while indexes are built anew";
                report.add(at.operation.span.clone(), message, Vec::new());
            }
            return;
        }
        _ => {
            let effects = effects_on_old(at);
            if let Some(effect) = effects.iter().find(|effect| effect.work == Work::Rewrite) {
                let what = match &at.operation.kind {
                    OperationKind::RewriteTable { table: None, .. } => "the whole file".to_owned(),
                    _ => format!("all of `{}`", effect.table.name),
                };
                let message =
                    format!("every writer of the file waits while {what} is written anew");
                report.add(at.operation.span.clone(), message, Vec::new());
            }
            return;
        }
    };
    let message =
        format!("every writer of the file waits while {what}, as long as `{table}` is large");
    report.add(at.operation.span.clone(), message, instead);
}

/// The old table in whose place the one that is filled here is put later.
fn replaced<'a>(at: &At<'a>, filled: &ObjectName) -> Option<&'a ObjectName> {
    at.later().find_map(|later| match &later.kind {
        OperationKind::Rename { object, to, .. }
            if at.schema().same_name(object, filled) && at.is_old(to) =>
        {
            Some(to)
        }
        _ => None,
    })
}
