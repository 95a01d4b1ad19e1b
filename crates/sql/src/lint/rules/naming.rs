use super::super::names::given;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-naming",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: EVERY,
    needs: Needs::Statement,
    summary: "a name that needs quotes",
    why: "Only when it is enabled. A name with capitals, spaces or other signs must be written in quotes wherever it \
          is used, by everybody, for ever; without them PostgreSQL looks for the name in lower case, and MySQL finds \
          it or not depending on the file system of the server. Names of lower-case letters, digits and underscores \
          work everywhere.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "",
            found: "CREATE TABLE \"OrderItems\" (id bigint PRIMARY KEY);",
            instead: &["CREATE TABLE order_items (id bigint PRIMARY KEY);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "",
            found: "CREATE TABLE OrderItems (id bigint PRIMARY KEY);",
            instead: &["CREATE TABLE order_items (id bigint PRIMARY KEY);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "",
            found: "CREATE TABLE \"order items\" (id integer PRIMARY KEY);",
            instead: &["CREATE TABLE order_items (id integer PRIMARY KEY);"],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "NM101",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for (what, name) in given(&at.operation.kind) {
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins = name.starts_with(|first: char| !first.is_ascii_digit());
        if !(begins && name.chars().all(plain)) {
            let message = format!(
                "`{name}`, the name of this {what}, has to be quoted or minded wherever it is used"
            );
            report.add(at.operation.span.clone(), message, Vec::new());
        }
    }
}
