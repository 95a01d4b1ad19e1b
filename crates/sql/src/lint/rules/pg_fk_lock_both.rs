use super::super::locks::{effects_on_old, has_company};
use super::super::pg_remedy::cut;
use super::prelude::*;
use crate::{ObjectKind, ObjectName};

pub(super) static RULE: Rule = Rule {
    id: "pg-fk-lock-both",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "a foreign key goes away in company",
    why: "Dropping a foreign key, its column or its table locks the table that it refers to with `ACCESS EXCLUSIVE` as \
          well. That is a matter of a moment when the statement is alone in its transaction, where forerun tries again \
          until it has both locks. Together with others the locks are kept until those are done, and a deadlock with \
          the application becomes likely.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
        found: "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;\nUPDATE orders SET customer_id = NULL WHERE id BETWEEN 1 AND 10000;",
        instead: &[
            "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;",
            "UPDATE orders SET customer_id = NULL WHERE id BETWEEN 1 AND 10000;",
        ],
        claims: &[
            Claim {
                table: "customers",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Metadata,
            },
            Claim {
                table: "orders",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Metadata,
            },
        ],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let table = match &at.operation.kind {
        OperationKind::DropConstraint { table, .. } | OperationKind::DropColumn { table, .. } => {
            table
        }
        OperationKind::Drop { object, .. } if object.kind == ObjectKind::Table => object,
        _ => return,
    };
    let effects = effects_on_old(at);
    let is_other = |other: &&ObjectName| !at.schema().same_name(other, table);
    let mut others = effects.iter().map(|effect| &effect.table);
    let Some(other) = others.find(is_other).filter(|_| has_company(at)) else {
        return;
    };
    let (instead, say) = cut(at.statement.file, at.statement.place, true);
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` and `{}` are both locked against everybody until all of this file is done{say}",
            table.name, other.name
        ),
        instead,
    );
}
