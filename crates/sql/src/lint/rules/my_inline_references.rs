use super::prelude::*;
use crate::operation::{ColumnDefinition, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    id: "my-inline-references",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "REFERENCES written with a column",
    why: "MySQL before 9.0 reads `REFERENCES` after a column and makes no foreign key of it, without a warning: rows that \
          refer to nothing come in from the first day. MySQL from 9.0 and MariaDB from 10.5 do make one. So the same file \
          gives two schemas. Write `FOREIGN KEY (…) REFERENCES …` as an entry of its own, which all of them understand.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);",
            found: "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id), amount int);",
            instead: &[
                "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, FOREIGN KEY (user_id) REFERENCES users (id), amount int);",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                     CREATE TABLE orders (id bigint PRIMARY KEY);",
            found: "ALTER TABLE orders ADD COLUMN user_id bigint REFERENCES users (id);",
            instead: &[
                "ALTER TABLE orders ADD COLUMN user_id bigint, ALGORITHM=INSTANT;",
                "SET foreign_key_checks = 0;\n\
                 ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id), ALGORITHM=INPLACE, LOCK=NONE;\n\
                 SET foreign_key_checks = 1;",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "MY102",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let server = at.statement.file.server;
    let makes_one = match server.mariadb {
        Some(true) => server.version.is_none_or(|version| version >= (10, 5)),
        Some(false) => server.version.is_some_and(|version| version >= (9, 0)),
        None => false,
    };
    if makes_one {
        return;
    }
    for column in at.operation.kind.columns() {
        let mut constraints = column.constraints.iter();
        let Some(constraint) = constraints
            .find(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { .. }))
        else {
            continue;
        };
        let message = match server.mariadb {
            Some(_) => format!(
                "the server makes no foreign key for `{}`: it reads this and forgets it",
                column.name
            ),
            None => format!(
                "MySQL before 9.0 makes no foreign key for `{}`: it reads this and forgets it; MariaDB makes one",
                column.name
            ),
        };
        let instead = match &at.operation.kind {
            OperationKind::CreateTable(_) => {
                apart(at.statement.text, column, constraint.span.clone())
            }
            // Beside it the page of `my-fk-add` shows how a key comes to a table with rows.
            _ => Vec::new(),
        };
        report.add(constraint.span.clone(), message, instead);
    }
}

/// The statement with the reference as an entry of its own, right after the column.
fn apart(text: &str, column: &ColumnDefinition, reference: std::ops::Range<usize>) -> Vec<String> {
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let head = part(0..reference.start).trim_end();
    let rest = part(reference.end..column.span.end).trim_end();
    let tail = part(column.span.end..text.len()).trim_end();
    let key = part(reference);
    let at = key
        .to_ascii_uppercase()
        .find("REFERENCES")
        .unwrap_or_default();
    let references = key.get(at..).unwrap_or(key);
    let named = remedy::name(Dialect::Mysql, &column.name);
    vec![format!(
        "{head}{rest}, FOREIGN KEY ({named}) {references}{tail};"
    )]
}
