use super::super::pg_remedy::{alter, column_without, constraint_name, is_hollow, key_from_index};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-unique-constraint",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a unique constraint that builds its index",
    why: "The index of the constraint is built under an `ACCESS EXCLUSIVE` lock: nobody reads or writes the table \
          until it is finished. A unique index that is built `CONCURRENTLY` becomes the constraint in a moment. \
          `INCLUDE`, `NULLS NOT DISTINCT`, `WITH` and the tablespace are the index's; `DEFERRABLE` stays with the \
          constraint. Of a partitioned table the key is made on the table alone (`ALTER TABLE ONLY`), then on each \
          partition, and those are attached to it.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
            found: "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);",
            instead: &[
                "CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);",
                "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;",
            ],
            claims: &[Claim {
                table: "users",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::IndexBuild,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
            found: "ALTER TABLE users ADD COLUMN phone text UNIQUE;",
            instead: &[
                "ALTER TABLE users ADD COLUMN phone text;",
                "CREATE UNIQUE INDEX CONCURRENTLY users_phone_key ON users (phone);",
                "ALTER TABLE users ADD CONSTRAINT users_phone_key UNIQUE USING INDEX users_phone_key;",
            ],
            claims: &[Claim {
                table: "users",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::IndexBuild,
            }],
        },
    ],
    peers: Peers {
        squawk: "disallowed-unique-constraint",
        strong_migrations: "add_unique_constraint",
        atlas: "PG105",
        eugene: "E7",
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let kind = &at.operation.kind;
    let Some(table) = kind
        .table()
        .filter(|table| at.is_old(table) && !is_hollow(at, table))
    else {
        return;
    };
    let column = kind.added_column();
    for constraint in kind.added_constraints() {
        let ConstraintKind::Unique {
            columns,
            using_index: None,
        } = &constraint.kind
        else {
            continue;
        };
        let named = constraint_name(at, table, constraint);
        let mut instead = Vec::new();
        if let Some(column) = column {
            let rest = column_without(at, column, constraint);
            instead.push(alter(table, &format!("ADD COLUMN {rest}")));
        }
        instead.extend(key_from_index(at, table, constraint, columns, "UNIQUE"));
        report.add(
            at.operation.span.clone(),
            format!(
                "nobody can read or write `{}` until the index of `{named}` is built",
                table.name
            ),
            instead,
        );
    }
}
