use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-14-cic-corruption",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "CONCURRENTLY on PostgreSQL 14.0 to 14.3",
    why: "In these versions an index that is built with `CREATE INDEX CONCURRENTLY` or `REINDEX CONCURRENTLY` can miss \
          rows that change meanwhile: queries then do not find them, and unique indexes let duplicates in. Version \
          14.4 repairs it; indexes built before have to be built again. The rule speaks only where the version of the \
          server is known.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);",
        instead: &[],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let concurrently = match &at.operation.kind {
        OperationKind::CreateIndex(index) => index.concurrently,
        OperationKind::Reindex { concurrently, .. } => *concurrently,
        _ => return,
    };
    let Some((14, minor @ 0..=3)) = at.statement.file.server.version else {
        return;
    };
    if concurrently {
        report.add(
            at.operation.span.clone(),
            format!("PostgreSQL 14.{minor} can build an index that misses rows: update the server to 14.4 or later first"),
            Vec::new(),
        );
    }
}
