use super::prelude::*;
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "my-invisible-first",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "DROP INDEX of an index that was never hidden first",
    why: "An index that somebody needed after all is gone at once and takes hours to build again, while every query that \
          used it reads the whole table. MySQL from 8.0 can hide an index from the optimizer (`INVISIBLE`), MariaDB from \
          10.6 (`IGNORED`): it is kept up to date all the while, and comes back at once with `VISIBLE` or `NOT IGNORED`. \
          Hide it in one release, look at the slow queries, and drop it in a later one. (An index that is replaced in the \
          same statement by one that begins with the same columns is not meant.)",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int, INDEX orders_amount (amount));",
            found: "DROP INDEX orders_amount ON orders;",
            instead: &[
                "ALTER TABLE orders ALTER INDEX orders_amount IGNORED;",
                "-- forerun:contract unused-since=2.5.0\n\
                 DROP INDEX orders_amount ON orders;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int, INDEX orders_amount (amount));",
            found: "ALTER TABLE orders DROP INDEX orders_amount;",
            instead: &[
                "ALTER TABLE orders DROP INDEX orders_amount, ADD INDEX orders_amount_id (amount, id);",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropIndex {
        index,
        table: Some(table),
        ..
    } = &at.operation.kind
    else {
        return;
    };
    let dialect = Dialect::Mysql;
    let Some(known) = at.old_table(table) else {
        return;
    };
    // A contract migration waits for a release, also where it is pending together with the one that hides the index.
    let file = at.statement.file;
    let until = match file.file.contract {
        true => file.number,
        false => file.together_since,
    };
    let is_hidden = known
        .hidden_indexes
        .iter()
        .any(|(name, file)| same(dialect, name, &index.name) && *file < until);
    let Some(dropped) = known.index(dialect, &index.name).filter(|_| !is_hidden) else {
        return;
    };
    let covers = |columns: &[Option<String>]| columns.starts_with(&dropped.columns);
    let replaced = at
        .statement
        .operations
        .list
        .iter()
        .any(|other| match &other.kind {
            OperationKind::CreateIndex(new) => covers(&new.columns),
            _ => false,
        });
    let other_one = known
        .indexes
        .iter()
        .any(|other| other.name != dropped.name && covers(&other.columns));
    // A column that goes takes its index along.
    let column_goes = at
        .statement
        .file
        .operations
        .iter()
        .flat_map(|list| &list.list)
        .any(|other| match &other.kind {
            OperationKind::DropColumn {
                table: of, column, ..
            } => {
                at.schema().same_name(of, table)
                    && dropped
                        .columns
                        .iter()
                        .flatten()
                        .any(|name| same(dialect, name, column))
            }
            _ => false,
        });
    if replaced || other_one || column_goes {
        return;
    }
    let message = format!(
        "if somebody still needs `{}`, queries on `{}` read the whole table until it is built again; a hidden index comes \
         back at once",
        index.name, table.name
    );
    let (note, word) = match at.statement.file.server.mariadb {
        Some(true) => ("", "IGNORED"),
        Some(false) => ("", "INVISIBLE"),
        None => ("-- on MySQL: INVISIBLE\n", "IGNORED"),
    };
    let hide = format!(
        "{note}ALTER TABLE {} ALTER INDEX {} {word};",
        remedy::object(dialect, table),
        remedy::name(dialect, &index.name)
    );
    report.add(
        at.operation.span.clone(),
        message,
        vec![hide, remedy::contract(&remedy::ended(at.statement.text))],
    );
}
