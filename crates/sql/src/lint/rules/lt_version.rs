use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "lt-version",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::Statement,
    summary: "an ALTER TABLE that this SQLite does not have",
    why: "SQLite refuses what other databases do with `ALTER TABLE`, as a syntax error: another type or default of a column, \
          and a `UNIQUE`, a primary or a foreign key for a table that is there. For a unique key there is `CREATE UNIQUE \
          INDEX`; for the rest the table has to be made anew (see `lt-rebuild`). `ALTER COLUMN … SET NOT NULL` and `DROP \
          NOT NULL`, and adding and dropping a `CHECK`, exist from 3.53 on: forerun brings a later one, so this matters \
          only where another program runs the same files.",
    examples: &[
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
            found: "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);",
            instead: &["CREATE UNIQUE INDEX users_email ON users (email);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
            found: "ALTER TABLE users ALTER COLUMN email SET DEFAULT '';",
            instead: &[
                "CREATE TABLE users_new (id integer PRIMARY KEY, email text DEFAULT '');\n\
                        INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                        DROP TABLE users;\n\
                        ALTER TABLE users_new RENAME TO users;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

/// The first with `ALTER COLUMN … SET NOT NULL` and checks.
const FIRST: (u32, u32) = (3, 53);

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let version = at.statement.file.server.version;
    let is_early = version.is_some_and(|version| version < FIRST);
    let mut instead = Vec::new();
    let (what, never) = match &at.operation.kind {
        OperationKind::ColumnType { .. } => ("change the type of a column", true),
        OperationKind::ColumnDefault { .. } => ("change the default of a column", true),
        OperationKind::ColumnNullable { .. } => ("let a column take or refuse NULL", false),
        OperationKind::RenameConstraint { .. } => ("rename a constraint", true),
        OperationKind::ValidateConstraint { .. } => ("validate a constraint", true),
        OperationKind::DropConstraint { .. } => ("drop a constraint", false),
        OperationKind::AddConstraint {
            table, constraint, ..
        } => match &constraint.kind {
            ConstraintKind::Check { .. } => ("add a check", false),
            ConstraintKind::Unique { columns, .. } => {
                let name = constraint
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("{}_{}", table.name, columns.join("_")));
                instead.push(format!(
                    "CREATE UNIQUE INDEX {} ON {} ({});",
                    remedy::name(Dialect::Sqlite, &name),
                    remedy::object(Dialect::Sqlite, table),
                    remedy::names(Dialect::Sqlite, columns)
                ));
                ("add a unique key", true)
            }
            ConstraintKind::PrimaryKey { .. } => ("add a primary key", true),
            ConstraintKind::ForeignKey { .. } => ("add a foreign key", true),
            _ => return,
        },
        _ => return,
    };
    if never || is_early {
        let message = match never {
            true => format!("SQLite cannot {what} with ALTER TABLE: this is a syntax error"),
            false => format!("SQLite before 3.53 cannot {what}: this is a syntax error"),
        };
        report.add(at.operation.span.clone(), message, instead);
    }
}
