use super::super::pg_remedy::cut;
use super::super::rule::FileAt;
use super::prelude::*;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "pg-concurrently-in-tx",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "CONCURRENTLY between BEGIN and COMMIT",
    why: "What works `CONCURRENTLY` commits in between, so PostgreSQL refuses it inside of a transaction. forerun runs \
          a file with such a statement without one by itself; a `BEGIN` that is written in the file undoes that. (The \
          example fails on every server.)",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "BEGIN;\nCREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);\nCOMMIT;",
        instead: &["CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);"],
        claims: &[],
    }],
    peers: Peers {
        squawk: "ban-concurrent-index-creation-in-transaction",
        atlas: "PG103",
        ..Peers::NONE
    },
    check: Check::File(check),
};

fn check(file: &FileAt<'_>, _: &Schema, report: &mut Report<'_>) {
    let mut open = false;
    let statements = &file.file.script.statements;
    for (place, (statement, own)) in statements.iter().zip(file.operations).enumerate() {
        for operation in &own.list {
            match operation.kind.written() {
                OperationKind::TransactionControl => open = opens(&statement.text, open),
                kind if open && is_concurrent(kind) => {
                    let (instead, say) = cut(file, place, true);
                    report.in_statement(place).add(
                        operation.span.clone(),
                        format!("PostgreSQL refuses CONCURRENTLY in the transaction that BEGIN opened{say}"),
                        instead,
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether a transaction is open after a statement about transactions.
fn opens(text: &str, open: bool) -> bool {
    let word = text
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .next();
    match word.unwrap_or_default().to_ascii_uppercase().as_str() {
        "BEGIN" | "START" => true,
        "COMMIT" | "END" | "ABORT" => false,
        "ROLLBACK" => open && text.to_ascii_uppercase().contains(" TO "),
        _ => open,
    }
}

fn is_concurrent(kind: &OperationKind) -> bool {
    match kind {
        OperationKind::CreateIndex(index) => index.concurrently,
        OperationKind::DropIndex { concurrently, .. }
        | OperationKind::Reindex { concurrently, .. }
        | OperationKind::DetachPartition { concurrently, .. } => *concurrently,
        _ => false,
    }
}
