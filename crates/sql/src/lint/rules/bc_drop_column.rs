use super::prelude::*;
use super::{lt_drop_used_column, my_drop_indexed_column, pg_drop_used_column};
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-column",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP COLUMN",
    why: "The release before this one still runs while the new one starts, and runs again after a rollback. Its \
          queries name the column, or read all columns into a row type that has it: they fail from the moment it is \
          gone, until the last old pod is. First ship a release that neither reads nor writes the column; drop it in \
          a contract file of a later one, which forerun holds back until that release has been deployed completely. \
          A table that is dropped and built anew with fewer columns (as SQLite needs it) loses them in the same way.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name varchar(100) NOT NULL DEFAULT '');",
            found: "ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users DROP COLUMN email;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), name varchar(100) NOT NULL DEFAULT '');",
            found: "ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users DROP COLUMN email, ALGORITHM=INSTANT;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT '');",
            found: "ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users DROP COLUMN email;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT '');",
            found: "CREATE TABLE users_new (id integer PRIMARY KEY, name text NOT NULL DEFAULT '');\n\
                     INSERT INTO users_new (id, name) SELECT id, name FROM users;\n\
                     DROP TABLE users;\n\
                     ALTER TABLE users_new RENAME TO users;",
            instead: &[
                "CREATE TABLE users_new (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT 'nobody');\n\
                     INSERT INTO users_new (id, email, name) SELECT id, email, name FROM users;\n\
                     DROP TABLE users;\n\
                     ALTER TABLE users_new RENAME TO users;",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-drop-column",
        strong_migrations: "remove_column",
        atlas: "DS103",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    match &at.operation.kind {
        OperationKind::DropColumn { table, column, .. } if at.is_old_column(table, column) => {
            let message = format!(
                "the release that still runs reads or writes `{}.{column}`; those statements fail from here on",
                table.name
            );
            let drop = format!(
                "ALTER TABLE {} {};",
                remedy::object(at.dialect(), table),
                drops(at).join(", ")
            );
            // Where the server refuses the statement as long as something uses the column.
            let refused = match at.dialect() {
                Dialect::Postgres => pg_drop_used_column::without_users(at, table, column),
                Dialect::Mysql => my_drop_indexed_column::without_keys(at, table, column),
                Dialect::Sqlite => lt_drop_used_column::without_users(at, table, column),
            };
            let instead = refused.unwrap_or_else(|| vec![remedy::contract(&drop)]);
            report.add(at.operation.span.clone(), message, instead);
        }
        OperationKind::Drop { object, .. } | OperationKind::Rename { object, .. }
            if object.kind == ObjectKind::Table =>
        {
            rebuilt(at, object, report);
        }
        _ => {}
    }
}

/// All that the statement drops of columns: they go together.
fn drops<'a>(at: &At<'a>) -> Vec<&'a str> {
    let all = at.statement.operations.list.iter();
    let drops = all.filter(|other| matches!(other.kind, OperationKind::DropColumn { .. }));
    drops
        .filter_map(|drop| at.statement.text.get(drop.span.clone()))
        .collect()
}

/// A table that is dropped or put aside, and replaced in the same transaction by one that was made beside it.
fn rebuilt(at: &At<'_>, table: &ObjectName, report: &mut Report<'_>) {
    let (dialect, schema) = (at.dialect(), at.schema());
    let Some(old) = at.old_table(table) else {
        return;
    };
    let beside = at.later().find_map(|later| match &later.kind {
        OperationKind::Rename { object, to, .. } if schema.same_name(to, table) => {
            schema.table(object)
        }
        _ => None,
    });
    let Some(new) = beside.filter(|new| !new.incomplete) else {
        return;
    };
    let lost: Vec<&str> = old
        .columns
        .iter()
        .map(|column| column.definition.name.as_str())
        .filter(|column| new.column(dialect, column).is_none())
        .collect();
    if !lost.is_empty() {
        let message = format!(
            "the new `{}` has no `{}`, which the release that still runs reads or writes",
            table.name,
            lost.join("`, `")
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
