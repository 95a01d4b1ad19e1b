use super::super::pg_remedy::cut;
use super::super::rule::FileAt;
use super::prelude::*;
use crate::lexer::{TokenKind, Tokens};
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "pg-enum-add-in-tx",
    severity: Severity::Error,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a new enum value used in the transaction that adds it",
    why: "PostgreSQL refuses to use a value before the transaction that added it is committed (unsafe use of new \
          value). forerun runs a file with `ADD VALUE` without a transaction by itself; a `BEGIN` that is written in \
          the file undoes that. (The example fails on every server.)",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE moods (id bigint PRIMARY KEY, now mood);",
        found: "BEGIN;\nALTER TYPE mood ADD VALUE 'glad';\nINSERT INTO moods (id, now) VALUES (1, 'glad');\nCOMMIT;",
        instead: &[
            "ALTER TYPE mood ADD VALUE 'glad';",
            "INSERT INTO moods (id, now) VALUES (1, 'glad');",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(file: &FileAt<'_>, _: &Schema, report: &mut Report<'_>) {
    let mut open = file.file.transaction;
    let mut added: Vec<(usize, &str)> = Vec::new();
    let statements = file.file.script.statements.iter().zip(file.operations);
    for (place, (statement, own)) in statements.enumerate() {
        let uses = |(_, value): &&(usize, &str)| {
            let mut tokens = Tokens::new(Dialect::Postgres, &statement.text);
            tokens.any(|(kind, text)| {
                kind == TokenKind::Literal && text.trim_matches('\'').replace("''", "'") == *value
            })
        };
        if let Some((since, value)) = added.iter().find(uses) {
            let (instead, say) = cut(file, place, false);
            report.in_statement(place).add(
                0..statement.text.trim_end().len(),
                format!(
                    "'{value}', which statement {} adds, cannot be used before it is committed{say}",
                    since + 1
                ),
                instead,
            );
            return;
        }
        for operation in &own.list {
            match &operation.kind {
                OperationKind::TransactionControl => {
                    let text = statement.text.trim_start().to_ascii_uppercase();
                    open = text.starts_with("BEGIN") || text.starts_with("START");
                    added.clear();
                }
                OperationKind::AddEnumValue { value, .. } if open => added.push((place, value)),
                _ => {}
            }
        }
    }
}
