use super::prelude::*;
use crate::operation::ConstraintKind;
use crate::schema::Table;

pub(super) static RULE: Rule = Rule {
    id: "dd-fk-orphans",
    severity: Severity::Warning,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a foreign key over rows that may refer to nothing",
    why: "The statement fails on the first row whose parent is not there. Delete or correct such rows in a data \
          migration first, and ask before the statement that none is left. With `NOT VALID` on PostgreSQL the \
          question comes with `VALIDATE`.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                     CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total numeric(10, 2));\n\
                     ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;",
            found: "ALTER TABLE orders VALIDATE CONSTRAINT orders_user;",
            instead: &[
                "-- forerun:assert \"every user_id of orders is in users\"\n\
                     SELECT 1 FROM orders child LEFT JOIN users parent ON child.user_id = parent.id WHERE child.user_id IS NOT NULL AND parent.id IS NULL LIMIT 1;\n\
                     ALTER TABLE orders VALIDATE CONSTRAINT orders_user;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY);\n\
                     CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total decimal(10, 2));",
            found: "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);",
            instead: &[
                "-- forerun:assert \"every user_id of orders is in users\"\n\
                     SELECT 1 FROM orders child LEFT JOIN users parent ON child.user_id = parent.id WHERE child.user_id IS NOT NULL AND parent.id IS NULL LIMIT 1;\n\
                     SET foreign_key_checks = 0;\n\
                     ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id), ALGORITHM=INPLACE, LOCK=NONE;\n\
                     SET foreign_key_checks = 1;",
            ],
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
    let ConstraintKind::ForeignKey { columns, reference } = &constraint.kind else {
        return;
    };
    if at.is_asserted(table) {
        return;
    }
    let message = format!(
        "fails if a row of `{}` refers to a row that `{}` does not have: nobody has asked before",
        table.name, reference.table.name
    );
    let parent = at.schema().table(&reference.table);
    let keys = match reference.columns.as_slice() {
        [] => parent.map(Table::primary_key).unwrap_or_default(),
        keys => keys,
    };
    let instead = match (columns.as_slice(), keys) {
        // On MySQL the statement as it is copies the table: another rule says how to go about that.
        ([column], [key]) if dialect != Dialect::Mysql => {
            let (child, parent) = (
                remedy::object(dialect, table),
                remedy::object(dialect, &reference.table),
            );
            let (own, other) = (remedy::name(dialect, column), remedy::name(dialect, key));
            vec![remedy::asserted(
                &format!(
                    "every {column} of {} is in {}",
                    table.name, reference.table.name
                ),
                &format!(
                    "SELECT 1 FROM {child} child LEFT JOIN {parent} parent ON child.{own} = parent.{other} \
                     WHERE child.{own} IS NOT NULL AND parent.{other} IS NULL LIMIT 1"
                ),
                at.statement.text,
            )]
        }
        _ => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}
