use super::super::compatibility::dropped;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-view",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP VIEW",
    why: "A view is a table to the release that still runs: its queries fail from the moment the view is gone. That \
          holds most of all for a view that keeps an old name of a table alive. Drop it in a contract file, when the \
          last release that reads it is gone. A view that is made anew in the same transaction is the matter of \
          `bc-replace-view`.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name varchar(100) NOT NULL DEFAULT '');\n\
                     CREATE VIEW active AS SELECT id, name FROM users;",
            found: "DROP VIEW active;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW active;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), name varchar(100) NOT NULL DEFAULT '');\n\
                     CREATE VIEW active AS SELECT id, name FROM users;",
            found: "DROP VIEW active;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW active;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT '');\n\
                     CREATE VIEW active AS SELECT id, name FROM users;",
            found: "DROP VIEW active;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW active;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        dropped(
            at,
            report,
            &[ObjectKind::View, ObjectKind::MaterializedView],
            "view",
        );
    }),
};
