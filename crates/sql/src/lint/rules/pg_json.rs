use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-json",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "a column of type json in a table that is there",
    why: "`json` has no equality. A `SELECT DISTINCT`, `UNION` or `GROUP BY` over all columns, which the release that \
          runs may well do, fails as soon as the column is there. `jsonb` has it, is smaller to read and can be \
          indexed.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "ALTER TABLE orders ADD COLUMN data json;",
        instead: &["ALTER TABLE orders ADD COLUMN data jsonb;"],
        claims: &[],
    }],
    peers: Peers {
        strong_migrations: "add_column_json",
        eugene: "E3",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, data_type) = match &at.operation.kind {
        OperationKind::AddColumn { table, column, .. } => (table, column.data_type.as_ref()),
        OperationKind::ColumnType { table, to, .. } => (table, Some(to)),
        _ => return,
    };
    let Some(data_type) =
        data_type.filter(|data_type| data_type.name == "json" && at.is_old(table))
    else {
        return;
    };
    let text = at.statement.text.trim_end();
    let before = text.get(..data_type.span.start).unwrap_or_default();
    let after = text.get(data_type.span.end..).unwrap_or_default();
    let array = if data_type.array { "[]" } else { "" };
    report.add(
        data_type.span.clone(),
        format!(
            "`SELECT DISTINCT` over all columns of `{}` fails from now on: json has no equality",
            table.name
        ),
        vec![format!("{before}jsonb{array}{after};")],
    );
}
