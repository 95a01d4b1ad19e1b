use super::super::pg_remedy::{alter, view_words, without_views};
use super::super::remedy::{ended, name};
use super::prelude::*;
use crate::ObjectName;
use crate::schema::{ViewUse, same};

pub(super) static RULE: Rule = Rule {
    id: "pg-drop-used-column",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "DROP COLUMN of a column that a view or a generated column uses",
    why: "PostgreSQL refuses to drop a column from which a view or a generated column is made (`cannot drop column … because \
          other objects depend on it`). Drop the view in the same migration before the column, and make it again without the \
          column after: it is one transaction, in which nobody misses the view. `CASCADE` drops views without a word, \
          those made from them too, and does not bring them back. (The examples fail on every server.)",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);\n\
                     CREATE VIEW contacts AS SELECT name, email FROM users;",
            found: "-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                        DROP VIEW contacts;\n\
                        ALTER TABLE users DROP COLUMN email;\n\
                        CREATE VIEW contacts AS SELECT name FROM users;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text,\n  \
                     search text GENERATED ALWAYS AS (lower(email)) STORED);",
            found: "-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                        ALTER TABLE users DROP COLUMN search;\n\
                        ALTER TABLE users DROP COLUMN email;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropColumn {
        table,
        column,
        cascade,
        ..
    } = &at.operation.kind
    else {
        return;
    };
    let views = at.schema().views_using(table, column);
    let generated = generated(at, table, column);
    let of_views = views
        .iter()
        .map(|own| format!("view `{}`", remedy::spoken(&own.view)));
    let of_columns = generated
        .iter()
        .map(|own| format!("the generated column `{own}`"));
    let users: Vec<String> = of_views.chain(of_columns).collect();
    let (last, first) = match users.split_last() {
        Some(users) => users,
        None => return,
    };
    let (users, uses) = match first {
        [] => (last.clone(), "uses"),
        first => (format!("{} and {last}", first.join(", ")), "use"),
    };
    let instead = without_users(at, table, column).unwrap_or_default();
    let span = at.operation.span.clone();
    match cascade {
        true => report.add_as(
            Severity::Warning,
            span,
            format!(
                "`CASCADE` drops {users} too, because of `{}.{column}`",
                table.name
            ),
            instead,
        ),
        false => report.add(
            span,
            format!(
                "PostgreSQL refuses this: {users} {uses} `{}.{column}`",
                table.name
            ),
            instead,
        ),
    }
}

/// The column dropped after what uses it, where something does.
pub(super) fn without_users(at: &At<'_>, table: &ObjectName, column: &str) -> Option<Vec<String>> {
    let views = at.schema().views_using(table, column);
    let generated = generated(at, table, column);
    if views.is_empty() && generated.is_empty() {
        return None;
    }
    let columns = generated.iter().map(String::as_str).chain([column]);
    let drops: Vec<String> = columns
        .map(|own| {
            alter(
                table,
                &format!("DROP COLUMN {}", name(Dialect::Postgres, own)),
            )
        })
        .collect();
    let again = |own: &ViewUse<'_>| match own.all_columns && !own.definition.sketch {
        true => ended(&own.definition.text),
        false => format!(
            "-- here CREATE {} again, without {column}",
            view_words(&own.view)
        ),
    };
    let dropped = without_views(at.schema(), views, &drops.join("\n"), again);
    Some(vec![remedy::contract(&dropped)])
}

/// The generated columns that are made from a column and stay.
fn generated(at: &At<'_>, table: &ObjectName, column: &str) -> Vec<String> {
    let dialect = Dialect::Postgres;
    let known = at.schema().table(table);
    let goes = |other: &str| {
        at.statement.operations.list.iter().any(|operation| {
            matches!(&operation.kind, OperationKind::DropColumn { column, .. } if same(dialect, column, other))
        })
    };
    let columns = known.iter().flat_map(|known| &known.columns);
    let made_from_it = columns.map(|own| &own.definition).filter(|own| {
        let generated = own.generated.as_ref();
        generated.is_some_and(|own| own.expression.names(dialect, column)) && !goes(&own.name)
    });
    made_from_it.map(|own| own.name.clone()).collect()
}
