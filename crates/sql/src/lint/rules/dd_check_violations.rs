use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "dd-check-violations",
    severity: Severity::Warning,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a check over rows that may not satisfy it",
    why: "The statement fails on the first row that does not satisfy the check. Correct such rows in a data \
          migration first, and ask before the statement that none is left. With `NOT VALID` on PostgreSQL the \
          question comes with `VALIDATE`.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                     CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total numeric(10, 2));\n\
                     ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;",
            found: "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
            instead: &[
                "-- forerun:assert \"every row of orders satisfies total_positive\"\n\
                     SELECT 1 FROM orders WHERE NOT (total > 0) LIMIT 1;\n\
                     ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                     CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total decimal(10, 2));",
            found: "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let dialect = at.dialect();
    let Some((table, constraint)) = at.looks_at_rows() else {
        return;
    };
    let ConstraintKind::Check { condition } = &constraint.kind else {
        return;
    };
    // What refuses NULL has a rule of its own.
    if condition.not_null_column(dialect).is_some() || at.is_asserted(table) {
        return;
    }
    let name = constraint.name.as_deref().unwrap_or("the check");
    let message = format!(
        "fails if a row of `{}` does not satisfy {name}: nobody has asked before",
        table.name
    );
    let asserted = remedy::asserted(
        &format!("every row of {} satisfies {name}", table.name),
        &format!(
            "SELECT 1 FROM {} WHERE NOT ({}) LIMIT 1",
            remedy::object(dialect, table),
            condition.text.trim()
        ),
        at.statement.text,
    );
    // On MySQL the statement as it is copies the table, which another rule speaks of.
    let instead = match dialect {
        Dialect::Mysql => Vec::new(),
        Dialect::Postgres | Dialect::Sqlite => vec![asserted],
    };
    report.add(at.operation.span.clone(), message, instead);
}
