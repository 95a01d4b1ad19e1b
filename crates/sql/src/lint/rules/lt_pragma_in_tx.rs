use super::super::rule::FileAt;
use super::prelude::*;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "lt-pragma-in-tx",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "PRAGMA foreign_keys inside of a transaction",
    why: "SQLite takes the statement, says nothing, and does nothing: foreign keys can be switched on and off only outside \
          of a transaction. A `DROP TABLE` that follows then deletes the rows of other tables that refer to it (`ON DELETE \
          CASCADE`), just what the pragma was to prevent. forerun does not switch foreign keys on in its sessions, so a \
          migration that makes a table anew needs no pragma: leave it out, with `BEGIN` and `COMMIT`, and the file is one \
          transaction.",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
        found: "BEGIN;\n\
                PRAGMA foreign_keys = OFF;\n\
                CREATE TABLE users_new (id integer PRIMARY KEY, email text CHECK (email <> ''));\n\
                INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                DROP TABLE users;\n\
                ALTER TABLE users_new RENAME TO users;\n\
                COMMIT;",
        instead: &[
            "CREATE TABLE users_new (id integer PRIMARY KEY, email text CHECK (email <> ''));\n\
                    INSERT INTO users_new (id, email) SELECT id, email FROM users;\n\
                    DROP TABLE users;\n\
                    ALTER TABLE users_new RENAME TO users;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(at: &FileAt<'_>, _schema: &Schema, report: &mut Report<'_>) {
    let mut open = at.file.transaction;
    for (place, list) in at.operations.iter().enumerate() {
        for operation in &list.list {
            match &operation.kind {
                OperationKind::TransactionControl => open = begins(at, place),
                OperationKind::Setting { name, .. } if name == "foreign_keys" && open => {
                    let message =
                        "does nothing inside of a transaction: foreign keys stay as they are";
                    report
                        .in_statement(place)
                        .add(operation.span.clone(), message, Vec::new());
                }
                _ => {}
            }
        }
    }
}

/// Whether a transaction is open after the statement, which begins, ends or divides one.
fn begins(at: &FileAt<'_>, place: usize) -> bool {
    let statement = at.file.script.statements.get(place);
    let text = statement.map_or("", |statement| statement.text.trim_start());
    let first = text.split_whitespace().next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word);
    is("BEGIN") || is("SAVEPOINT") || is("RELEASE")
}
