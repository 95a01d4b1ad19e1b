use super::super::remedy::without;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-concurrently-if-not-exists",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
    why: "An index that is built concurrently stays behind, invalid, when building it fails. `IF NOT EXISTS` looks at \
          the name only: the second try finds the broken index, does nothing, and the migration counts as done. \
          forerun looks whether the index is valid, and builds it again when it is not.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer ON orders (customer_id);",
        instead: &["CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    if !index.concurrently || !index.if_not_exists {
        return;
    }
    let text = without(
        Dialect::Postgres,
        at.statement.text,
        &["IF", "NOT", "EXISTS"],
    );
    report.add(
        at.operation.span.clone(),
        "an invalid index that an earlier try left behind is taken for a good one",
        vec![format!("{text};")],
    );
}
