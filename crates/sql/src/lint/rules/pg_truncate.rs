use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-truncate",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "TRUNCATE of a table that is there",
    why: "All rows are gone, and the table is locked with `ACCESS EXCLUSIVE`, so the statement waits for everybody who \
          uses it and everybody waits behind it. The release that still runs meets an empty table. Where the rows are \
          really to go, delete them by ranges of keys, or say with `forerun:allow` why they may.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "TRUNCATE orders;",
        instead: &["DELETE FROM orders WHERE id BETWEEN 1 AND 10000;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Truncate { table, .. } = &at.operation.kind else {
        return;
    };
    if !at.is_old(table) {
        return;
    }
    report.add(
        at.operation.span.clone(),
        format!(
            "all rows of `{}` are lost, and everybody who uses it waits meanwhile",
            table.name
        ),
        Vec::new(),
    );
}
