use super::prelude::*;
use crate::ObjectName;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "dd-unique-duplicates",
    severity: Severity::Warning,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a unique index or key over rows that nobody has counted",
    why: "The statement fails on the first two rows that have the same values, after minutes of work on a large \
          table, in the middle of the deployment. Ask before: an assertion in the same file is one query that tells \
          how things are before anything is changed. On PostgreSQL a failed `CREATE UNIQUE INDEX CONCURRENTLY` also \
          leaves an invalid index behind.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
            instead: &[
                "-- forerun:assert \"no two rows of users have the same email\"\n\
                     SELECT email FROM users WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT 1;\n\
                     CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "CREATE UNIQUE INDEX users_email ON users (email);",
            instead: &[
                "-- forerun:assert \"no two rows of users have the same email\"\n\
                     SELECT email FROM users WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT 1;\n\
                     CREATE UNIQUE INDEX users_email ON users (email);",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, plan text);",
            found: "CREATE UNIQUE INDEX users_email ON users (email);",
            instead: &[
                "-- forerun:assert \"no two rows of users have the same email\"\n\
                     SELECT email FROM users WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT 1;\n\
                     CREATE UNIQUE INDEX users_email ON users (email);",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "MF101",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (dialect, old) = (at.dialect(), |table: &ObjectName| at.is_old(table));
    // Without all of its columns nobody knows what has to be unique, and of some rows only those.
    let (table, columns, rows, complete) = match &at.operation.kind {
        OperationKind::CreateIndex(index) => match &index.table {
            Some(table) if index.unique && old(table) => (
                table,
                index.columns.iter().flatten().cloned().collect(),
                index.condition.as_ref(),
                index.columns.iter().all(Option::is_some),
            ),
            _ => return,
        },
        OperationKind::AddConstraint {
            table, constraint, ..
        } if old(table) => match &constraint.kind {
            ConstraintKind::Unique {
                columns,
                using_index: None,
            }
            | ConstraintKind::PrimaryKey {
                columns,
                using_index: None,
            } => (table, columns.clone(), None, true),
            _ => return,
        },
        _ => return,
    };
    // NULL is never twice, so a column that is new as well has no duplicates unless it has a default. Unless it is said
    // that all NULLs are the same.
    let written = at.statement.text.get(at.operation.span.clone());
    let words = ["NULLS", "NOT", "DISTINCT"];
    let null_is_one = remedy::says(dialect, written.unwrap_or_default(), &words);
    let fresh = |column: &String| {
        let known = at.schema().column(table, column);
        known.is_some_and(|known| known.definition.default.is_none())
            && !at.is_old_column(table, column)
    };
    let list: Vec<String> = columns;
    if (!null_is_one && list.iter().any(fresh)) || at.is_asserted(table) {
        return;
    }
    let on = remedy::object(dialect, table);
    let message = format!(
        "fails if two rows of `{}` have the same values: nobody has asked before",
        table.name
    );
    let names = remedy::names(dialect, &list);
    let counted = [
        (!null_is_one).then(|| not_null(dialect, &list)),
        rows.map(|rows| format!("({})", rows.text.trim())),
    ];
    let counted: Vec<String> = counted.into_iter().flatten().collect();
    let counted = match counted.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", counted.join(" AND ")),
    };
    let instead = match list.is_empty() || !complete {
        true => Vec::new(),
        false => vec![remedy::asserted(
            &format!(
                "no two rows of {} have the same {}",
                table.name,
                list.join(", ")
            ),
            &format!(
                "SELECT {names} FROM {on}{counted} GROUP BY {names} HAVING count(*) > 1 LIMIT 1"
            ),
            at.statement.text,
        )],
    };
    report.add(at.operation.span.clone(), message, instead);
}

fn not_null(dialect: Dialect, columns: &[String]) -> String {
    let each: Vec<String> = columns
        .iter()
        .map(|column| format!("{} IS NOT NULL", remedy::name(dialect, column)))
        .collect();
    each.join(" AND ")
}
