use super::super::apart::{other_actions, rewritten};
use super::super::pg_remedy::MOST_SHOWN;
use super::super::proposal::Proposal;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{ColumnDefinition, Constraint, ConstraintKind, Expression};
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
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel text;\n\
                     UPDATE orders SET channel = 'shop';\n\
                     ALTER TABLE orders ALTER COLUMN channel SET NOT NULL;",
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
                "ALTER TABLE orders ADD COLUMN channel varchar(20) NOT NULL DEFAULT 'shop', ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD COLUMN channel varchar(20);\n\
                     UPDATE orders SET channel = 'shop';\n\
                     ALTER TABLE orders MODIFY channel varchar(20) NOT NULL;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN channel varchar(20), ALGORITHM=INSTANT;",
                "-- forerun:data\n\
                     UPDATE orders SET channel = 'shop' WHERE id BETWEEN 1 AND 10000 AND channel IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders MODIFY channel varchar(20) NOT NULL;",
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
    let mut instead = Proposal::default();
    if let OperationKind::AddColumn {
        column: definition, ..
    } = &at.operation.kind
    {
        // A key is never NULL: the rules about adding one say how it comes.
        let text = at.definition_text(definition);
        let text = remedy::without(dialect, text, &["NOT", "NULL"]);
        if !in_key(definition) {
            instead = vec![format!("ALTER TABLE {on} ADD COLUMN {text};")].into();
        }
    } else if refuses_null(&at.operation.kind) {
        instead = null_first(at, table, column);
    }
    report.add(at.operation.span.clone(), message, instead);
}

fn refuses_null(kind: &OperationKind) -> bool {
    let nullable = matches!(kind, OperationKind::ColumnNullable { .. });
    nullable || matches!(kind, OperationKind::ModifyColumn { .. })
}

/// The file without the operation, so that the new column takes NULL until every release that runs writes it; then the
/// rows that have nothing in it, range by range; then the operation. An `UPDATE` by which the file itself fills the column
/// is done by ranges as well.
fn null_first(at: &At<'_>, table: &ObjectName, column: &str) -> Proposal {
    let (dialect, file) = (at.dialect(), at.statement.file);
    if file.operations.len() > MOST_SHOWN {
        return Proposal::default();
    }
    let filled = (0..at.statement.place)
        .rev()
        .find_map(|number| Some((number, assignments(at, number, table, column)?)));
    let (fills, set) = filled.unzip();
    let first = rewritten(file, |number, text| match number {
        _ if number == at.statement.place => other_actions(at, |_| true),
        _ if Some(number) == fills => None,
        _ => Some(remedy::ended(text)),
    });
    let named = remedy::name(dialect, column);
    let set = set.unwrap_or_else(|| format!("{named} = <value>"));
    let backfill = remedy::backfill(at.schema(), table, &set, &format!("{named} IS NULL"));
    let mut refusing = remedy::not_null(at.schema(), table, column).into_iter();
    let mut steps: Vec<String> = first.into_iter().collect();
    match refusing.next() {
        Some(refuse) => {
            steps.extend([refuse, backfill]);
            steps.extend(refusing);
        }
        None => {
            let action = at.statement.text.get(at.operation.span.clone());
            let on = remedy::object(dialect, table);
            let refuse = format!("ALTER TABLE {on} {};", action.unwrap_or_default());
            steps.extend([backfill, remedy::contract(&refuse)]);
        }
    }
    Proposal::of_file(steps)
}

/// What an `UPDATE` of all rows of the table sets, when it sets this column.
fn assignments(at: &At<'_>, number: usize, table: &ObjectName, column: &str) -> Option<String> {
    let file = at.statement.file;
    let [operation] = file.operations.get(number)?.list.as_slice() else {
        return None;
    };
    let OperationKind::Update {
        table: updated,
        condition: None,
    } = &operation.kind
    else {
        return None;
    };
    let text = &file.file.script.statements.get(number)?.text;
    let place = text.to_ascii_uppercase().find(" SET ")? + " SET ".len();
    let set = text.get(place..)?.trim();
    let dialect = at.dialect();
    let more = ["FROM", "RETURNING", "ORDER", "LIMIT"];
    let plain = !more.iter().any(|word| remedy::says(dialect, set, &[word]));
    let names = Expression {
        text: set.to_owned(),
        span: 0..set.len(),
    }
    .names(dialect, column);
    (plain && names && at.schema().same_name(updated, table)).then(|| set.to_owned())
}

/// The column that inserts must name when this operation is done, which they did not have to name before: one that is
/// new on a table that was there.
fn becomes_required<'a>(at: &At<'a>) -> Option<(&'a ObjectName, &'a str)> {
    let fills_itself = |column: &ColumnDefinition| {
        column.default.is_some() || column.generated.is_some() || column.numbered
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
            ..
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

fn in_key(column: &ColumnDefinition) -> bool {
    let key =
        |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    column.constraints.iter().any(key)
}

fn is_new_on_old(at: &At<'_>, table: &ObjectName, column: &str) -> bool {
    at.is_old(table) && !at.is_old_column(table, column)
}
