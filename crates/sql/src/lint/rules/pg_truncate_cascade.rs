use super::super::locks::effects_on_old;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-truncate-cascade",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "TRUNCATE … CASCADE",
    why: "Every table with a foreign key to this one is emptied as well, and every table with a foreign key to those, \
          whatever the file names. Name the tables that are meant, in the order of their foreign keys.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
        found: "TRUNCATE customers CASCADE;",
        instead: &[
            "DELETE FROM orders WHERE id BETWEEN 1 AND 10000;\nDELETE FROM customers WHERE id BETWEEN 1 AND 10000;",
        ],
        claims: &[],
    }],
    peers: Peers {
        squawk: "ban-truncate-cascade",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Truncate {
        table,
        cascade: true,
    } = &at.operation.kind
    else {
        return;
    };
    if !at.is_old(table) {
        return;
    }
    let others: Vec<String> = effects_on_old(at)
        .iter()
        .filter(|effect| !at.schema().same_name(&effect.table, table))
        .map(|effect| format!("`{}`", effect.table.name))
        .collect();
    let others = match others.is_empty() {
        true => "every table that refers to it".to_owned(),
        false => format!("{}, which refer to it", others.join(", ")),
    };
    report.add(
        at.operation.span.clone(),
        format!("not only `{}` is emptied but also {others}", table.name),
        Vec::new(),
    );
}
