use super::super::pg_remedy::{alter, column_without, constraint_text, validated_later};
use super::super::remedy::{ended, name, names, object};
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{Constraint, ConstraintKind};
use crate::schema::Table;

pub(super) static RULE: Rule = Rule {
    id: "pg-fk-index",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "a foreign key without an index on its columns",
    why: "PostgreSQL looks for referring rows whenever a row of the other table is deleted or its key changes. Without \
          an index that begins with these columns it reads the whole table for each of them, and keeps the row locked \
          meanwhile. The index comes first, since it takes no lock that anybody waits for; then the key, in the two steps \
          of `pg-fk-not-valid`.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
            found: "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
            instead: &[
                "CREATE INDEX CONCURRENTLY orders_customer_id ON orders (customer_id);",
                "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, note text);",
            found: "ALTER TABLE orders ADD COLUMN customer_id bigint REFERENCES customers;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN customer_id bigint;",
                "CREATE INDEX CONCURRENTLY orders_customer_id ON orders (customer_id);",
                "ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE customers (id bigint PRIMARY KEY);",
            found: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
            instead: &[
                "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);\nCREATE INDEX orders_customer_id ON orders (customer_id);",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        eugene: "E15",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    match &at.operation.kind {
        OperationKind::CreateTable(create) => {
            let Some(table) = &create.table else { return };
            let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
            let all: Vec<&Constraint> = of_columns.chain(&create.constraints).collect();
            let constraints = all.iter().map(|constraint| (*constraint).clone());
            let of_table = Table::sketch(&table.name, constraints.collect(), Vec::new());
            for constraint in all {
                look(at, report, table, constraint, &of_table);
            }
        }
        OperationKind::AddConstraint {
            table, constraint, ..
        } => {
            if let Some(known) = at.schema().table(table) {
                look(at, report, table, constraint, known);
            }
        }
        OperationKind::AddColumn { table, column, .. } => {
            if let Some(known) = at.schema().table(table) {
                for constraint in &column.constraints {
                    look(at, report, table, constraint, known);
                }
            }
        }
        _ => {}
    }
}

fn look(
    at: &At<'_>,
    report: &mut Report<'_>,
    table: &ObjectName,
    constraint: &Constraint,
    known: &Table,
) {
    let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind else {
        return;
    };
    if known.has_index_on(Dialect::Postgres, columns) || comes_later(at, table, columns) {
        return;
    }
    let index = name(
        Dialect::Postgres,
        &format!("{}_{}", table.name, columns.join("_")),
    );
    let columns = names(Dialect::Postgres, columns);
    let on = format!("{} ({columns})", object(Dialect::Postgres, table));
    let instead = match &at.operation.kind {
        // What is made in this file has no rows, or few.
        kind if matches!(kind, OperationKind::CreateTable(_)) || !at.is_old(table) => {
            let statement = ended(at.statement.text);
            vec![format!("{statement}\nCREATE INDEX {index} ON {on};")]
        }
        // Each partition gets an index of its own first, and such a key looks at all rows before version 18.
        _ if known.partitioned => Vec::new(),
        kind => {
            let column = kind.added_column();
            let add = column.map(|column| {
                let rest = column_without(at, column, constraint);
                alter(table, &format!("ADD COLUMN {rest}"))
            });
            let index = format!("CREATE INDEX CONCURRENTLY {index} ON {on};");
            let mut key = validated_later(at, table, constraint);
            if constraint.not_valid {
                let text = constraint_text(at, table, constraint);
                key = vec![alter(table, &format!("ADD {text}"))];
            }
            add.into_iter().chain([index]).chain(key).collect()
        }
    };
    report.add(
        constraint.span.clone(),
        format!(
            "deleting what `{columns}` refers to reads all of `{}` each time",
            table.name
        ),
        instead,
    );
}

/// Whether an index on the columns is made later in the file.
fn comes_later(at: &At<'_>, table: &ObjectName, columns: &[String]) -> bool {
    let operations = at.statement.file.operations.iter().skip(at.statement.place);
    let mut later = operations.flat_map(|operations| &operations.list);
    later.any(|operation| match &operation.kind {
        OperationKind::CreateIndex(index) => {
            let of_table = index
                .table
                .as_ref()
                .is_some_and(|of| at.schema().same_name(of, table));
            let made = Table::sketch(&table.name, Vec::new(), vec![(**index).clone()]);
            of_table && made.has_index_on(Dialect::Postgres, columns)
        }
        _ => false,
    })
}
