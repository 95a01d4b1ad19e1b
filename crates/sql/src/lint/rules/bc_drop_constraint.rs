use super::prelude::*;
use crate::operation::ConstraintKind;
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-constraint",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP CONSTRAINT",
    why: "Without its unique constraint an `INSERT … ON CONFLICT (columns)` of the release that still runs is an \
          error on PostgreSQL and SQLite, and on MySQL inserts a second row where it updated the first. Without a \
          check or a foreign key the new release may store what the old one does not expect to read. Drop it in a \
          contract file. A constraint that is added again in the same transaction is the matter of \
          `bc-new-restriction`, and a check that only says NOT NULL of a column that is NOT NULL guards nothing.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), number varchar(20), CONSTRAINT one_number UNIQUE (number), CONSTRAINT total_positive CHECK (total > 0));",
            found: "ALTER TABLE orders DROP CONSTRAINT one_number;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders DROP CONSTRAINT one_number;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), number varchar(20), CONSTRAINT one_number UNIQUE (number), CONSTRAINT total_positive CHECK (total > 0));",
            found: "ALTER TABLE orders DROP CONSTRAINT total_positive;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders DROP CONSTRAINT total_positive;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropConstraint {
        table, constraint, ..
    } = &at.operation.kind
    else {
        return;
    };
    let dialect = at.dialect();
    let known = at.schema().table(table);
    let is_guarded =
        |column: &str| known.and_then(|known| known.is_nullable(dialect, column)) == Some(false);
    let dropped = known.and_then(|known| match constraint.as_str() {
        "PRIMARY" => known
            .constraints
            .iter()
            .find(|own| matches!(own.kind, ConstraintKind::PrimaryKey { .. })),
        name => known.constraint(dialect, name),
    });
    let lost = match dropped.map(|dropped| &dropped.kind) {
        Some(ConstraintKind::Check { condition }) => {
            let of_null = condition.not_null_column(dialect);
            if of_null.is_some_and(|column| is_guarded(&column)) {
                return;
            }
            "may read values that were refused before"
        }
        Some(ConstraintKind::ForeignKey { .. }) => "may read rows whose parent is gone",
        Some(ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }) => {
            "cannot insert with ON CONFLICT on its columns, and may read duplicates"
        }
        _ => "goes without what it guaranteed",
    };
    let again = at.later().any(|later| match &later.kind {
        OperationKind::AddConstraint {
            constraint: added, ..
        } => {
            added
                .name
                .as_ref()
                .is_some_and(|name| same(dialect, name, constraint))
                || constraint == "PRIMARY"
                    && matches!(added.kind, ConstraintKind::PrimaryKey { .. })
        }
        _ => false,
    });
    if again || !at.is_old(table) {
        return;
    }
    let message = format!(
        "without `{constraint}` of `{}` the release that still runs {lost}",
        table.name
    );
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}
