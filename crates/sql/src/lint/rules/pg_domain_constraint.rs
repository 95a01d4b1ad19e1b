use super::super::locks::effects_on_old;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::ColumnDefinition;

pub(super) static RULE: Rule = Rule {
    id: "pg-domain-constraint",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "a domain gets a constraint that all its columns are checked for, or a table a column of such a domain",
    why: "Every table with a column of the domain is read under a `SHARE` lock, one after the other, and their writers \
          wait until the last is done. `NOT VALID` checks only what is written from now on. Validating it later reads \
          the tables too; up to version 16 under the same lock.\n\n\
          A new column of a domain that has a constraint, or that is `NOT NULL`, is worse: the whole table is written \
          anew under `ACCESS EXCLUSIVE`, even when the column is NULL everywhere. Add it with the type beneath the \
          domain, and the check as a constraint of the table, `NOT VALID` first.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE DOMAIN email AS text;\nCREATE TABLE users (id bigint PRIMARY KEY, mail email);",
            found: "ALTER DOMAIN email ADD CONSTRAINT email_given CHECK (value <> '');",
            instead: &[
                "ALTER DOMAIN email ADD CONSTRAINT email_given CHECK (value <> '') NOT VALID;",
            ],
            claims: &[Claim {
                table: "users",
                lock: "SHARE",
                blocks: Blocks::Writers,
                work: Work::Scan,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE DOMAIN email AS text CHECK (value <> '');\nCREATE TABLE users (id bigint PRIMARY KEY);",
            found: "ALTER TABLE users ADD COLUMN mail email;",
            instead: &["ALTER TABLE users ADD COLUMN mail text;"],
            claims: &[Claim {
                table: "users",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Rewrite,
            }],
        },
    ],
    peers: Peers {
        squawk: "ban-alter-domain-with-add-constraint",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::AddColumn { table, column, .. } = &at.operation.kind {
        return added(at, table, column, report);
    }
    let OperationKind::DomainConstraint {
        object,
        not_valid: false,
    } = &at.operation.kind
    else {
        return;
    };
    let known = at.schema().definition(object);
    if known.is_some_and(|known| known.made_in >= at.statement.file.together_since) {
        return;
    }
    let tables: Vec<String> = effects_on_old(at)
        .iter()
        .map(|effect| format!("`{}`", effect.table.name))
        .collect();
    let whose = match (known, tables.is_empty()) {
        (Some(_), true) => return,
        (None, true) => "every table that uses it".to_owned(),
        (_, false) => tables.join(", "),
    };
    let text = at.statement.text.trim_end();
    let instead = match text.to_ascii_uppercase().contains("CHECK") {
        true => vec![format!("{text} NOT VALID;")],
        false => Vec::new(),
    };
    report.add(
        at.operation.span.clone(),
        format!("writers of {whose} wait while all rows are checked"),
        instead,
    );
}

/// A new column: PostgreSQL looks whether the domain takes the value that the rows get, and writes each row for it.
fn added(at: &At<'_>, table: &ObjectName, column: &ColumnDefinition, report: &mut Report<'_>) {
    // Of these other rules speak, and without them nothing but the domain is left to write rows anew.
    let others = column.numbered || column.generated.is_some() || column.default.is_some();
    let rewrites = effects_on_old(at)
        .iter()
        .any(|effect| effect.work == Work::Rewrite);
    let Some(data_type) = column.data_type.as_ref().filter(|_| rewrites && !others) else {
        return;
    };
    report.add_as(
        Severity::Error,
        at.operation.span.clone(),
        format!(
            "the domain `{}` has a constraint: `{}` is written anew for it, and nobody can read or write it meanwhile",
            data_type.name, table.name
        ),
        Vec::new(),
    );
}
