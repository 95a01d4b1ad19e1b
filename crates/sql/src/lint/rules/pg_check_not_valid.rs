use super::super::pg_remedy::{alter, column_without, validated_later};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-check-not-valid",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a check that reads all rows under the lock",
    why: "The table is read from beginning to end under an `ACCESS EXCLUSIVE` lock: nobody reads or writes it \
          meanwhile. With `NOT VALID` the check holds for what is written from now on, at once. `VALIDATE CONSTRAINT`, \
          in a migration of its own, then reads the rows while all others go on.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
            found: "ALTER TABLE users ADD CONSTRAINT users_age CHECK (age >= 0);",
            instead: &[
                "ALTER TABLE users ADD CONSTRAINT users_age CHECK (age >= 0) NOT VALID;",
                "ALTER TABLE users VALIDATE CONSTRAINT users_age;",
            ],
            claims: &[Claim {
                table: "users",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Scan,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
            found: "ALTER TABLE users ADD COLUMN height int CHECK (height > 0);",
            instead: &[
                "ALTER TABLE users ADD COLUMN height int;",
                "ALTER TABLE users ADD CONSTRAINT users_height_check CHECK (height > 0) NOT VALID;",
                "ALTER TABLE users VALIDATE CONSTRAINT users_height_check;",
            ],
            claims: &[Claim {
                table: "users",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Scan,
            }],
        },
    ],
    peers: Peers {
        squawk: "constraint-missing-not-valid",
        strong_migrations: "add_check_constraint",
        atlas: "PG305",
        eugene: "E1",
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let kind = &at.operation.kind;
    let Some(table) = kind.table().filter(|table| at.is_old(table)) else {
        return;
    };
    let column = kind.added_column();
    for constraint in kind.added_constraints() {
        let is_check = matches!(constraint.kind, ConstraintKind::Check { .. });
        if !is_check || constraint.not_valid {
            continue;
        }
        let mut instead = Vec::new();
        if let Some(column) = column {
            let rest = column_without(at, column, constraint);
            instead.push(alter(table, &format!("ADD COLUMN {rest}")));
        }
        instead.extend(validated_later(at, table, constraint));
        report.add(
            at.operation.span.clone(),
            format!(
                "nobody can read or write `{}` while all of its rows are checked",
                table.name
            ),
            instead,
        );
    }
}
