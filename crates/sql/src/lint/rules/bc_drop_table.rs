use super::super::compatibility::dropped;
use super::prelude::*;

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
    if !is_partition {
        dropped(at, report, &[ObjectKind::Table], "table");
    }
}
