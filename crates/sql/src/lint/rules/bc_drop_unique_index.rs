use super::prelude::*;
use crate::operation::ConstraintKind;
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-unique-index",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP INDEX of a unique index",
    why: "An `INSERT … ON CONFLICT (columns)` of the release that still runs needs the index: without it the \
          statement is an error on PostgreSQL and SQLite; `ON DUPLICATE KEY UPDATE` of MySQL inserts a second row \
          where it updated the first. Duplicates are no longer refused. Drop it in a contract file, or make the \
          index that takes its place first.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');\n\
                     CREATE UNIQUE INDEX orders_note ON orders (note);",
            found: "DROP INDEX CONCURRENTLY orders_note;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP INDEX CONCURRENTLY orders_note;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');\n\
                     CREATE UNIQUE INDEX orders_note ON orders (note);",
            found: "DROP INDEX orders_note ON orders;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP INDEX orders_note ON orders;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE orders (id integer PRIMARY KEY, total numeric, note text, state text NOT NULL DEFAULT 'new');\n\
                     CREATE UNIQUE INDEX orders_note ON orders (note);",
            found: "DROP INDEX orders_note;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP INDEX orders_note;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropIndex { index, table, .. } = &at.operation.kind else {
        return;
    };
    let (schema, dialect) = (at.schema(), at.dialect());
    let known = match table {
        Some(table) => schema.table(table),
        None => schema.index(index).map(|(table, _)| table),
    };
    let Some(known) = known.filter(|known| known.made_in < at.statement.file.together_since) else {
        return;
    };
    // What MySQL calls an index may be what a UNIQUE constraint made.
    let columns = match known.index(dialect, &index.name) {
        Some(own) if own.unique => own.columns.clone(),
        Some(_) => return,
        None => match known.constraint(dialect, &index.name).map(|own| &own.kind) {
            Some(ConstraintKind::Unique { columns, .. }) => {
                columns.iter().cloned().map(Some).collect()
            }
            _ => return,
        },
    };
    // Another unique index on the same columns does the same.
    let another = known.indexes.iter().any(|other| {
        let named = other
            .name
            .as_ref()
            .is_some_and(|name| !same(dialect, &name.name, &index.name));
        named && other.unique && other.columns == columns && other.condition.is_none()
    });
    if another {
        return;
    }
    let message = format!(
        "without `{}` on `{}` the release that still runs cannot count on unique values, nor on upserts that need it",
        index.name, known.name
    );
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}
