use super::prelude::*;
use crate::ObjectName;
use crate::operation::{ColumnDefinition, Constraint, ConstraintKind};
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "bc-required-column",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::File,
    summary: "a new column that must be given a value",
    why: "The inserts of the release that still runs do not name the column: they fail from the moment it is there \
          without a default and refuses NULL. (On a table with rows PostgreSQL and SQLite refuse the statement \
          itself; MySQL and MariaDB fill in zero or an empty string.) Give it a default that stays at least until \
          the next release, or let it take NULL first and refuse NULL in a contract file, when every running release \
          writes it. Adding it with a default that the same migration takes away comes to the same as none.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text NOT NULL;",
            instead: &["ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'shop';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'shop';\n\
                     ALTER TABLE orders ALTER COLUMN channel DROP DEFAULT;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN channel text;",
                "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD CONSTRAINT orders_channel_not_null CHECK (channel IS NOT NULL) NOT VALID;",
                "-- forerun:data\n\
                     UPDATE orders SET channel = 'shop' WHERE id BETWEEN 1 AND 10000 AND channel IS NULL;",
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_channel_not_null;",
                "ALTER TABLE orders ALTER COLUMN channel SET NOT NULL;\n\
                     ALTER TABLE orders DROP CONSTRAINT orders_channel_not_null;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel varchar(20) NOT NULL;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN channel varchar(20) NOT NULL DEFAULT 'shop';",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE orders (id integer PRIMARY KEY, total numeric, note text, state text NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text NOT NULL;",
            instead: &["ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'shop';"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "adding-required-field",
        atlas: "MF103",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let dialect = at.dialect();
    let Some((table, column)) = becomes_required(at) else {
        return;
    };
    let is_later_column = |other: &str| same(dialect, other, column);
    // A later step that gives it a default, or lets it take NULL again, makes it good.
    let made_good = at.later().any(|later| match &later.kind {
        OperationKind::ColumnDefault {
            column,
            default: Some(_),
            ..
        } => is_later_column(column),
        OperationKind::ColumnNullable {
            column,
            nullable: true,
            ..
        } => is_later_column(column),
        _ => false,
    });
    if made_good {
        return;
    }
    let message = format!(
        "inserts of the release that still runs do not name `{}.{column}`, and fail from here on",
        table.name
    );
    let on = remedy::object(dialect, table);
    let mut instead = Vec::new();
    if let OperationKind::AddColumn {
        column: definition, ..
    } = &at.operation.kind
    {
        let text = at.definition_text(definition);
        let text = remedy::without(dialect, text, &["NOT", "NULL"]);
        instead.push(format!("ALTER TABLE {on} ADD COLUMN {text};"));
    }
    report.add(at.operation.span.clone(), message, instead);
}

/// The column that inserts must name when this operation is done, which they did not have to name before: one that is
/// new on a table that was there.
fn becomes_required<'a>(at: &At<'a>) -> Option<(&'a ObjectName, &'a str)> {
    let fills_itself = |column: &ColumnDefinition| {
        column.default.is_some() || column.generated.is_some() || column.numbered
    };
    let in_key = |column: &ColumnDefinition| {
        let key =
            |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
        column.constraints.iter().any(key)
    };
    match &at.operation.kind {
        OperationKind::AddColumn { table, column, .. } => {
            let refuses = column.not_null || in_key(column);
            let required = refuses && !fills_itself(column);
            (required && at.is_old(table)).then_some((table, column.name.as_str()))
        }
        OperationKind::ModifyColumn {
            table,
            column,
            definition,
            ..
        } => {
            let required = definition.not_null && !fills_itself(definition);
            (required && is_new_on_old(at, table, column)).then_some((table, column.as_str()))
        }
        OperationKind::ColumnDefault {
            table,
            column,
            default: None,
        } => {
            let known = &at.schema().column(table, column)?.definition;
            (known.not_null && is_new_on_old(at, table, column)).then_some((table, column.as_str()))
        }
        OperationKind::ColumnNullable {
            table,
            column,
            nullable: false,
        } => {
            let known = &at.schema().column(table, column)?.definition;
            (!fills_itself(known) && is_new_on_old(at, table, column))
                .then_some((table, column.as_str()))
        }
        _ => None,
    }
}

fn is_new_on_old(at: &At<'_>, table: &ObjectName, column: &str) -> bool {
    at.is_old(table) && !at.is_old_column(table, column)
}
