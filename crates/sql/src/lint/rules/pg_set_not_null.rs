use super::super::locks::effects_on_old;
use super::super::pg_remedy::alter;
use super::super::remedy::{name, not_null};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-set-not-null",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "SET NOT NULL that reads the table",
    why: "The table is looked through for NULLs under an `ACCESS EXCLUSIVE` lock: nobody reads or writes it meanwhile. \
          A check `column IS NOT NULL` that was validated before spares that (version 12), and validating it blocks \
          nobody. The check must still be there when the column is changed: PostgreSQL drops first when both stand in \
          one statement. From version 18 on a `NOT NULL` constraint can itself be `NOT VALID`.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
        found: "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
        instead: &[
            "ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID;",
            "ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;",
            "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\nALTER TABLE users DROP CONSTRAINT users_email_not_null;",
        ],
        claims: &[Claim {
            table: "users",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Scan,
        }],
    }],
    peers: Peers {
        squawk: "adding-not-nullable-field",
        strong_migrations: "change_column_null",
        atlas: "PG303",
        eugene: "E2",
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, column) = match &at.operation.kind {
        OperationKind::ColumnNullable {
            table,
            column,
            nullable: false,
        } => (table, column),
        OperationKind::AddConstraint {
            table, constraint, ..
        } => match &constraint.kind {
            ConstraintKind::NotNull { column } => (table, column),
            _ => return,
        },
        _ => return,
    };
    if !effects_on_old(at)
        .iter()
        .any(|effect| effect.work == Work::Scan)
    {
        return;
    }
    let mut instead = Vec::new();
    match at.statement.file.server.version {
        Some((18.., _)) => {
            let named = name(
                Dialect::Postgres,
                &format!("{}_{column}_not_null", table.name),
            );
            let column = name(Dialect::Postgres, column);
            instead.push(alter(
                table,
                &format!("ADD CONSTRAINT {named} NOT NULL {column} NOT VALID"),
            ));
            instead.push(alter(table, &format!("VALIDATE CONSTRAINT {named}")));
        }
        _ => instead.extend(not_null(at.schema(), table, column)),
    }
    report.add(
        at.operation.span.clone(),
        format!(
            "nobody can read or write `{}` while it is looked through for NULLs in `{column}`",
            table.name
        ),
        instead,
    );
}
