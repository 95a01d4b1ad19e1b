use super::super::my_remedy::{Wish, alter, skips_foreign_keys, way_on_old, wish};
use super::prelude::*;
use crate::ObjectName;
use crate::effect::mysql::{Cause, Way};
use crate::operation::{ConstraintKind, Reference};
use crate::schema::Table;

pub(super) static RULE: Rule = Rule {
    id: "my-fk-add",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::File,
    summary: "ADD FOREIGN KEY, for which the whole table is copied",
    why: "To look each row up in the other table, MySQL and MariaDB copy the whole table, and every write to it waits \
          (`ALGORITHM=COPY, LOCK=SHARED`). With `foreign_key_checks = 0` the key is added in place and writes go on: the \
          rows that are there are not looked at then, and new ones are as soon as the setting is back. Ask for rows \
          without a parent before, by an assertion, and again afterwards: one may have been written in between. forerun \
          resets the session after each migration, so the setting ends with the file. An index on the column is made \
          by the same statement, if there is none, and in place too.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                 CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, INDEX (user_id));",
        found: "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);",
        instead: &[
            "-- forerun:assert \"every user_id of orders is in users\"\n\
             SELECT 1 FROM orders child LEFT JOIN users parent ON child.user_id = parent.id WHERE child.user_id IS NOT NULL AND parent.id IS NULL LIMIT 1;\n\
             SET foreign_key_checks = 0;\n\
             ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id), ALGORITHM=INPLACE, LOCK=NONE;\n\
             SET foreign_key_checks = 1;",
        ],
        claims: &[Claim {
            table: "orders",
            lock: "LOCK=SHARED",
            blocks: Blocks::Writers,
            work: Work::Rewrite,
        }],
    }],
    peers: Peers {
        strong_migrations: "add_foreign_key",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, Way::Copy(Cause::ForeignKey))) = way_on_old(at) else {
        return;
    };
    let inline = matches!(at.operation.kind, OperationKind::AddColumn { .. });
    // MySQL before 9 ignores a reference that is written with a column: another rule says so.
    let ignored = inline && at.statement.file.server.mariadb == Some(false);
    let asked = wish(at.statement.operations);
    if matches!(asked, Wish::Blocking | Wish::OnlineCopy)
        || ignored
        || (skips_foreign_keys(&at.statement) && !inline)
    {
        return;
    }
    let Some((columns, reference)) = key(&at.operation.kind) else {
        return;
    };
    let message = match (asked, inline) {
        (Wish::Online | Wish::InPlace, false) => format!(
            "the server refuses this: with `foreign_key_checks` it can add the key to `{}` only by copying the table",
            table.name
        ),
        (_, true) => format!(
            "MariaDB copies the whole of `{}` for the new column, because of the foreign key, and writes wait meanwhile",
            table.name
        ),
        _ => format!(
            "writes to `{}` wait while the whole table is copied to look for each row in `{}`",
            table.name, reference.table.name
        ),
    };
    report.add(
        at.operation.span.clone(),
        message,
        instead(at, table, columns, reference),
    );
}

/// The columns of the key that is added, and what they refer to.
fn key(kind: &OperationKind) -> Option<(&[String], &Reference)> {
    kind.added_constraints()
        .iter()
        .find_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, reference } => {
                Some((columns.as_slice(), reference))
            }
            _ => None,
        })
}

fn instead(
    at: &At<'_>,
    table: &ObjectName,
    columns: &[String],
    reference: &Reference,
) -> Vec<String> {
    let dialect = Dialect::Mysql;
    let parent = at.schema().table(&reference.table);
    let keys = match reference.columns.as_slice() {
        [] => parent.map(Table::primary_key).unwrap_or_default(),
        keys => keys,
    };
    let ([column], [key]) = (columns, keys) else {
        return Vec::new();
    };
    let (own, other) = (remedy::name(dialect, column), remedy::name(dialect, key));
    let (child, of) = (
        remedy::object(dialect, table),
        remedy::object(dialect, &reference.table),
    );
    let text = at.statement.text;
    let written = text.get(at.operation.span.clone()).unwrap_or_default();
    let mut files = Vec::new();
    let action = match &at.operation.kind {
        OperationKind::AddColumn {
            column: definition, ..
        } => {
            let mut constraints = definition.constraints.iter();
            let Some(constraint) =
                constraints.find(|own| matches!(own.kind, ConstraintKind::ForeignKey { .. }))
            else {
                return Vec::new();
            };
            let before = text
                .get(definition.span.start..constraint.span.start)
                .unwrap_or_default();
            let after = text
                .get(constraint.span.end..definition.span.end)
                .unwrap_or_default();
            files.push(alter(
                table,
                &format!("ADD COLUMN {}{after}", before.trim_end()),
            ));
            let references = text.get(constraint.span.clone()).unwrap_or_default();
            format!("ADD FOREIGN KEY ({own}) {references}")
        }
        _ if written
            .get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case("ADD")) =>
        {
            written.to_owned()
        }
        _ => format!("ADD {written}"),
    };
    files.push(remedy::asserted(
        &format!("every {column} of {} is in {}", table.name, reference.table.name),
        &format!(
            "SELECT 1 FROM {child} child LEFT JOIN {of} parent ON child.{own} = parent.{other} WHERE child.{own} IS NOT NULL AND parent.{other} IS NULL LIMIT 1"
        ),
        &format!(
            "SET foreign_key_checks = 0;\n{}\nSET foreign_key_checks = 1",
            alter(table, &format!("{action}, ALGORITHM=INPLACE, LOCK=NONE"))
        ),
    ));
    files
}
