use super::prelude::*;
use crate::operation::{ConstraintKind, CreateTable};
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "my-no-primary-key",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::File,
    summary: "a table without a primary key",
    why: "InnoDB then orders the rows by a hidden number that nobody can use. Row-based replication looks for each changed \
          row by reading the whole table; group replication and many managed servers refuse such tables \
          (`sql_require_primary_key`). The tools that change large tables online (gh-ost, spirit) need a key, and so does \
          filling a column range by range. A key is cheap while the table is empty, and writes the table anew later. A \
          unique key over columns that are all `NOT NULL` does as well.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "",
        found: "CREATE TABLE visits (user_id bigint NOT NULL, at datetime NOT NULL);",
        instead: &[
            "CREATE TABLE visits (id bigint AUTO_INCREMENT PRIMARY KEY, user_id bigint NOT NULL, at datetime NOT NULL);",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateTable(create) = &at.operation.kind else {
        return;
    };
    let Some(table) = &create.table else { return };
    let is_key = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey { .. });
    let comes_later = at
        .statement
        .file
        .operations
        .iter()
        .flat_map(|list| &list.list)
        .any(|other| match &other.kind {
            OperationKind::AddConstraint {
                table: of,
                constraint,
                ..
            } => is_key(&constraint.kind) && at.schema().same_name(of, table),
            OperationKind::AddColumn {
                table: of, column, ..
            } => {
                column.constraints.iter().any(|own| is_key(&own.kind))
                    && at.schema().same_name(of, table)
            }
            _ => false,
        });
    if create.temporary || create.incomplete || has_key(create) || comes_later {
        return;
    }
    let message = format!(
        "`{}` has no primary key: replicas read the whole table for each changed row, and no tool can change it online",
        table.name
    );
    report.add(at.operation.span.clone(), message, Vec::new());
}

/// Whether the table has a primary key, or a unique one that does as well.
fn has_key(create: &CreateTable) -> bool {
    let is_not_null = |name: &str| {
        let mut columns = create.columns.iter();
        columns.any(|column| {
            same(Dialect::Mysql, &column.name, name) && (column.not_null || column.numbered)
        })
    };
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    let by_constraint =
        of_columns
            .chain(&create.constraints)
            .any(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { .. } => true,
                ConstraintKind::Unique { columns, .. } => {
                    columns.iter().all(|name| is_not_null(name))
                }
                _ => false,
            });
    by_constraint
        || create.indexes.iter().any(|index| {
            let mut columns = index.columns.iter();
            index.unique && columns.all(|name| name.as_ref().is_some_and(|name| is_not_null(name)))
        })
}
