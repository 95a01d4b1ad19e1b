use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-many-columns-index",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "an index of more than three columns",
    why: "Few queries use the fourth column of an index, and every write pays for it. One or two columns that select \
          well usually do.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE events (a int, b int, c int, d int);",
        found: "CREATE INDEX CONCURRENTLY events_all ON events (a, b, c, d);",
        instead: &["CREATE INDEX CONCURRENTLY events_a_b ON events (a, b);"],
        claims: &[],
    }],
    peers: Peers {
        strong_migrations: "add_index_columns",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    if index.unique || index.columns.len() <= 3 {
        return;
    }
    report.add(
        at.operation.span.clone(),
        format!(
            "every write pays for an index of {} columns",
            index.columns.len()
        ),
        Vec::new(),
    );
}
