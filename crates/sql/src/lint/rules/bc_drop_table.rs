use super::super::compatibility::dropped;
use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-table",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP TABLE",
    why: "Every statement of the release that still runs that names the table fails from the moment it is gone. Ship \
          a release that does not use it, and drop the table in a contract file of a later one. A table that is \
          replaced in the same transaction (made beside it, filled, renamed) is not meant, and neither is a \
          partition, which nobody names.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name varchar(100) NOT NULL DEFAULT '');",
            found: "DROP TABLE users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TABLE users;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), name varchar(100) NOT NULL DEFAULT '');",
            found: "DROP TABLE users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TABLE users;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT '');",
            found: "DROP TABLE users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TABLE users;"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-drop-table",
        strong_migrations: "",
        atlas: "DS102",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let is_partition = match &at.operation.kind {
        OperationKind::Drop { object, .. } => at
            .schema()
            .table(object)
            .is_some_and(|table| table.partition_of.is_some()),
        _ => true,
    };
    if is_partition {
        return;
    }
    if let OperationKind::Drop { object, .. } = &at.operation.kind
        && at.dialect() == Dialect::Sqlite
        && at.is_old(object)
        && !at.comes_back(object)
        && gets_the_name_of(at, object)
    {
        let message = format!(
            "there is no `{}` until the new table gets its name: outside of a transaction the release that still runs meets that",
            object.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
        return;
    }
    dropped(at, report, &[ObjectKind::Table], "table");
    if let OperationKind::Drop { object, .. } = &at.operation.kind
        && at.old_table(object).is_some()
        && comes_back_empty(at, object)
    {
        let message = format!(
            "`{}` is made anew without its rows: they are gone, and the release that still runs finds none",
            object.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}

/// Whether another table of the file gets this name later.
fn gets_the_name_of(at: &At<'_>, table: &ObjectName) -> bool {
    let lists = at.statement.file.operations.get(at.statement.place + 1..);
    let mut later = lists.unwrap_or_default().iter().flat_map(|list| &list.list);
    later.any(|later| {
        matches!(&later.kind, OperationKind::Rename { to, .. } if at.schema().same_name(to, table))
    })
}

/// Whether a table with this name is made later in the transaction, and nothing is written into it.
fn comes_back_empty(at: &At<'_>, table: &ObjectName) -> bool {
    let same = |other: &ObjectName| at.schema().same_name(other, table);
    let created = at.later().any(|later| match &later.kind {
        OperationKind::CreateTable(create) => {
            create.table.as_ref().is_some_and(same) && !create.incomplete
        }
        _ => false,
    });
    let filled = at.later().any(|later| match &later.kind {
        OperationKind::Insert { table, .. } => same(table),
        OperationKind::Rename { to, .. } => same(to),
        // It may fill it.
        OperationKind::Opaque { .. } => true,
        _ => false,
    });
    created && !filled
}
