use super::super::pg_remedy::validated_later;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    id: "pg-create-table-fk",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "CREATE TABLE with foreign keys to several tables",
    why: "Each table that a foreign key refers to is locked with `SHARE ROW EXCLUSIVE`: its writers wait. One such \
          lock is had quickly; a statement that has one and waits for the next makes the writers of the first wait as \
          long. One foreign key with the table and each of the others in a migration of its own keeps that short.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE shops (id bigint PRIMARY KEY);",
        found: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, shop_id bigint REFERENCES shops);\nCREATE INDEX orders_customer ON orders (customer_id);\nCREATE INDEX orders_shop ON orders (shop_id);",
        instead: &[
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, shop_id bigint);\nCREATE INDEX orders_customer ON orders (customer_id);\nCREATE INDEX orders_shop ON orders (shop_id);",
            "ALTER TABLE orders ADD CONSTRAINT orders_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_shop_id_fkey;",
        ],
        claims: &[
            Claim {
                table: "customers",
                lock: "SHARE ROW EXCLUSIVE",
                blocks: Blocks::Writers,
                work: Work::Metadata,
            },
            Claim {
                table: "shops",
                lock: "SHARE ROW EXCLUSIVE",
                blocks: Blocks::Writers,
                work: Work::Metadata,
            },
        ],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateTable(create) = &at.operation.kind else {
        return;
    };
    let Some(table) = &create.table else { return };
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    let mut seen: Vec<&ObjectName> = Vec::new();
    let mut later = Vec::new();
    for constraint in of_columns.chain(&create.constraints) {
        let ConstraintKind::ForeignKey { reference, .. } = &constraint.kind else {
            continue;
        };
        let other = &reference.table;
        let is_own = at.schema().same_name(other, table);
        let known = seen.iter().any(|seen| at.schema().same_name(seen, other));
        if is_own || known || !at.is_old(other) {
            continue;
        }
        if !seen.is_empty() {
            later.push(constraint);
        }
        seen.push(other);
    }
    if seen.len() < 2 {
        return;
    }
    let mut instead = vec![without(at.statement.text, &later)];
    for constraint in later {
        instead.extend(validated_later(at, table, constraint));
    }
    let names: Vec<String> = seen.iter().map(|seen| format!("`{}`", seen.name)).collect();
    report.add(
        at.operation.span.clone(),
        format!(
            "writers of {} wait until the statement has the locks on all of them",
            names.join(", ")
        ),
        instead,
    );
}

/// The statement without these constraints.
fn without(text: &str, constraints: &[&Constraint]) -> String {
    let mut kept = text.trim_end().to_owned();
    for constraint in constraints.iter().rev() {
        let before = kept
            .get(..constraint.span.start)
            .unwrap_or_default()
            .trim_end();
        // One that stands by itself takes its comma with it.
        let before = before.strip_suffix(',').unwrap_or(before);
        let after = kept.get(constraint.span.end..).unwrap_or_default();
        kept = format!("{before}{after}");
    }
    format!("{kept};")
}
