use super::super::remedy::{name, object};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-matview-refresh",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "REFRESH MATERIALIZED VIEW without CONCURRENTLY",
    why: "The view is locked with `ACCESS EXCLUSIVE` while its query runs: nobody reads it meanwhile. `CONCURRENTLY` \
          compares and changes what differs, and readers go on; it needs a unique index on columns of the view, over \
          all of its rows.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE sales (day date, amount int);\nCREATE MATERIALIZED VIEW daily AS SELECT day, sum(amount) AS total FROM sales GROUP BY day;\nCREATE UNIQUE INDEX daily_day ON daily (day);",
        found: "REFRESH MATERIALIZED VIEW daily;",
        instead: &["REFRESH MATERIALIZED VIEW CONCURRENTLY daily;"],
        claims: &[Claim {
            table: "daily",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Rewrite,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::RefreshMaterializedView {
        view,
        concurrently: false,
    } = &at.operation.kind
    else {
        return;
    };
    let known = at.schema().definition(view);
    if known.is_some_and(|known| known.made_in >= at.statement.file.together_since) {
        return;
    }
    let named = object(Dialect::Postgres, view);
    let refresh = format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {named};");
    let indexed = at.statement.views.has(at.schema(), view);
    let (needs, instead) = match (indexed, known) {
        (true, _) => ("", vec![refresh]),
        // Which columns tell its rows apart is for those to say who know the query.
        (false, Some(_)) => (
            "; `CONCURRENTLY` would let them, but needs a unique index first, and no migration makes one",
            Vec::new(),
        ),
        (false, None) => (
            "; `CONCURRENTLY` lets them, and needs a unique index, of which nothing is known here",
            vec![
                format!(
                    "CREATE UNIQUE INDEX CONCURRENTLY {} ON {named} (<columns>);",
                    name(Dialect::Postgres, &format!("{}_key", view.name))
                ),
                refresh,
            ],
        ),
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "nobody can read `{}` until its query is finished{needs}",
            view.name
        ),
        instead,
    );
}
