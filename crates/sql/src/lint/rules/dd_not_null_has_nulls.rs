use super::super::compatibility::refuses_null;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{ColumnDefinition, ConstraintKind, Expression};

pub(super) static RULE: Rule = Rule {
    id: "dd-not-null-has-nulls",
    severity: Severity::Warning,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "NOT NULL over rows that may have NULL",
    why: "The statement fails on the first row that has NULL; a MySQL or MariaDB that is not strict stores zero or \
          an empty string there instead. Fill the rows in a data migration first, and ask before the statement that \
          none is left.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));\n\
                     ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID;",
            found: "ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;",
            instead: &["-- forerun:assert \"email of users is never NULL\"\n\
                     SELECT 1 FROM users WHERE email IS NULL LIMIT 1;\n\
                     ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
            instead: &[
                "ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID;",
                "-- forerun:assert \"email of users is never NULL\"\n\
                     SELECT 1 FROM users WHERE email IS NULL LIMIT 1;\n\
                     ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;",
                "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);",
            found: "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users ADD COLUMN plan text NOT NULL;",
            instead: &["ALTER TABLE users ADD COLUMN plan text NOT NULL DEFAULT 'free';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "ALTER TABLE users MODIFY email varchar(200) NOT NULL;",
            instead: &["-- forerun:assert \"email of users is never NULL\"\n\
                     SELECT 1 FROM users WHERE email IS NULL LIMIT 1;\n\
                     ALTER TABLE users MODIFY email varchar(200) NOT NULL;"],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "MF104",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let dialect = at.dialect();
    if let OperationKind::AddColumn { table, column, .. } = &at.operation.kind {
        return added(at, table, column, report);
    }
    let (table, column) = match &at.operation.kind {
        // With NOT VALID nobody looks at the rows; VALIDATE does.
        OperationKind::AddConstraint { constraint, .. } if constraint.not_valid => return,
        OperationKind::ValidateConstraint { table, constraint } => {
            let known = at.schema().table(table);
            let known = known.and_then(|known| known.constraint(dialect, constraint));
            let column = match known.map(|known| &known.kind) {
                Some(ConstraintKind::Check { condition }) => condition.not_null_column(dialect),
                Some(ConstraintKind::NotNull { column }) => Some(column.clone()),
                _ => None,
            };
            match column {
                Some(column) if at.is_old(table) => (table, column),
                _ => return,
            }
        }
        _ => match refuses_null(at) {
            Some((table, column)) => (table, column.to_owned()),
            None => return,
        },
    };
    if at.is_asserted(table) {
        return;
    }
    let message = format!(
        "fails if a row of `{}` has no `{column}`: nobody has asked before",
        table.name
    );
    let asserted = |statement: &str| {
        remedy::asserted(
            &format!("{column} of {} is never NULL", table.name),
            &format!(
                "SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1",
                remedy::object(dialect, table),
                remedy::name(dialect, &column)
            ),
            statement,
        )
    };
    let mut steps = match at.operation.kind {
        OperationKind::ColumnNullable { .. } => remedy::not_null(at.schema(), table, &column),
        _ => Vec::new(),
    };
    match steps.get_mut(1) {
        // The statement that reads the rows.
        Some(validate) => *validate = asserted(validate.trim_end_matches(';')),
        None => steps = vec![asserted(at.statement.text)],
    }
    report.add(at.operation.span.clone(), message, steps);
}

/// A new column that refuses NULL and has nothing else to put into the rows. (MySQL and MariaDB put zero or the like
/// there, and SQLite refuses it in any case: other rules speak.)
fn added(at: &At<'_>, table: &ObjectName, column: &ColumnDefinition, report: &mut Report<'_>) {
    let is_null = |default: &Expression| default.text.eq_ignore_ascii_case("null");
    let fills = column.numbered
        || column.generated.is_some()
        || column.default.as_ref().is_some_and(|value| !is_null(value));
    if at.dialect() != Dialect::Postgres
        || !column.not_null
        || fills
        || !at.is_old(table)
        || at.is_asserted(table)
    {
        return;
    }
    let on = remedy::object(Dialect::Postgres, table);
    let text = remedy::without(
        Dialect::Postgres,
        at.definition_text(column),
        &["NOT", "NULL"],
    );
    report.add(
        at.operation.span.clone(),
        format!(
            "fails if `{}` has a row: it would have nothing in `{}`",
            table.name, column.name
        ),
        vec![format!("ALTER TABLE {on} ADD COLUMN {text};")],
    );
}
