use super::super::pg_remedy::{alter, column_without, validated_later};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-fk-not-valid",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a foreign key that reads all rows under the lock",
    why: "Both tables are locked with `SHARE ROW EXCLUSIVE` while the rows of one are looked up in the other: nobody \
          writes to either of them meanwhile. With `NOT VALID` the key holds for what is written from now on, at once. \
          `VALIDATE CONSTRAINT`, in a migration of its own, then reads the rows while all others go on.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);",
        instead: &[
            "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer;",
        ],
        claims: &[Claim {
            table: "orders",
            lock: "SHARE ROW EXCLUSIVE",
            blocks: Blocks::Writers,
            work: Work::Scan,
        }],
    }],
    peers: Peers {
        squawk: "adding-foreign-key-constraint",
        strong_migrations: "add_foreign_key",
        eugene: "E1",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, column, constraints) = match &at.operation.kind {
        OperationKind::AddConstraint {
            table, constraint, ..
        } => (table, None, std::slice::from_ref(constraint)),
        // A column without default is NULL everywhere: there is nothing to look up.
        OperationKind::AddColumn { table, column, .. } if column.default.is_some() => {
            (table, Some(column), column.constraints.as_slice())
        }
        _ => return,
    };
    if !at.is_old(table) {
        return;
    }
    for constraint in constraints {
        let ConstraintKind::ForeignKey { reference, .. } = &constraint.kind else {
            continue;
        };
        if constraint.not_valid {
            continue;
        }
        let mut instead = Vec::new();
        if let Some(column) = column {
            let rest = column_without(at, column, constraint);
            instead.push(alter(table, &format!("ADD COLUMN {rest}")));
        }
        instead.extend(validated_later(at, table, constraint));
        report.add(
            at.operation.span.clone(),
            format!(
                "nobody can write to `{}` or `{}` while all rows of the first are looked up in the second",
                table.name, reference.table.name
            ),
            instead,
        );
    }
}
