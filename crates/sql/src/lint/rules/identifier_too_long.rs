use super::super::names::given;
use super::prelude::*;
use crate::lexer::{TokenKind, Tokens};

pub(super) static RULE: Rule = Rule {
    id: "x-identifier-too-long",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Statement,
    summary: "a name that is longer than the server keeps",
    why: "PostgreSQL cuts names to 63 bytes and only gives a notice: the object has another name than the one in the \
          file, and two long names can become the same. MySQL and MariaDB refuse names of more than 64 characters, \
          which is an error here.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "CREATE INDEX CONCURRENTLY customers_who_have_not_confirmed_their_address_since_the_last_invoice ON users (email);",
            instead: &["CREATE INDEX CONCURRENTLY users_unconfirmed ON users (email);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "CREATE INDEX customers_who_have_not_confirmed_their_address_since_the_last_invoice ON users (email);",
            instead: &["CREATE INDEX users_unconfirmed ON users (email);"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

/// `NAMEDATALEN - 1` of PostgreSQL, in bytes.
const POSTGRES_BYTES: usize = 63;

/// In characters (MySQL manual, "Identifier Length Limits"; the same in MariaDB).
const MYSQL_CHARACTERS: usize = 64;

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let names = given(&at.operation.kind);
    let dialect = at.dialect();
    if dialect == Dialect::Mysql {
        for (what, name) in &names {
            if name.chars().count() > MYSQL_CHARACTERS {
                let message = format!(
                    "the server refuses `{name}`, the name of this {what}: it has more than {MYSQL_CHARACTERS} characters"
                );
                report.add_as(
                    Severity::Error,
                    at.operation.span.clone(),
                    message,
                    Vec::new(),
                );
            }
        }
        return;
    }
    // Names of operations are as the catalog has them, that is, cut: the long ones are in the text.
    let text = at
        .statement
        .text
        .get(at.operation.span.clone())
        .unwrap_or_default();
    let mut start = at.operation.span.start;
    for (kind, token) in Tokens::new(dialect, text) {
        let span = start..start + token.len();
        start = span.end;
        let written = match kind {
            TokenKind::Word => token.to_owned(),
            TokenKind::QuotedName => token.trim_matches('"').replace("\"\"", "\""),
            _ => continue,
        };
        let cut = written
            .get(..written.floor_char_boundary(POSTGRES_BYTES))
            .unwrap_or_default();
        let is_given = names.iter().any(|(_, name)| name.eq_ignore_ascii_case(cut));
        if written.len() > POSTGRES_BYTES && is_given {
            report.add(
                span,
                format!("PostgreSQL cuts this name to `{cut}`"),
                Vec::new(),
            );
        }
    }
}
