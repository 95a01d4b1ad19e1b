use super::prelude::*;
use crate::operation::{ColumnDefinition, Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    id: "x-style-bigint",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Statement,
    summary: "a key of fewer than eight bytes",
    why: "Only when it is enabled. A key of four bytes ends at 2 147 483 647. Whoever gets there stands still, and \
          the way out is to write the whole table anew with all that refers to it, on the day when it is largest. \
          Eight bytes cost four more for each row.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "",
            found: "CREATE TABLE plans (id integer PRIMARY KEY);",
            instead: &["CREATE TABLE plans (id bigint PRIMARY KEY);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "",
            found: "CREATE TABLE plans (id int AUTO_INCREMENT PRIMARY KEY);",
            instead: &["CREATE TABLE plans (id bigint AUTO_INCREMENT PRIMARY KEY);"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "prefer-bigint-over-int",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for column in at.operation.kind.columns() {
        let Some(data_type) = &column.data_type else {
            continue;
        };
        if is_key(at, column) && SMALL.contains(&data_type.name.as_str()) {
            let message = format!(
                "the key `{}` is only `{}`, and may end before the rows do",
                column.name, data_type.name
            );
            report.add(data_type.span.clone(), message, Vec::new());
        }
    }
}

const SMALL: &[&str] = &["tinyint", "smallint", "mediumint", "integer", "int"];

fn is_key(at: &At<'_>, column: &ColumnDefinition) -> bool {
    let names_it = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } => columns.as_slice() == [column.name.as_str()],
        _ => false,
    };
    let of_table = match &at.operation.kind {
        OperationKind::CreateTable(create) => create.constraints.as_slice(),
        _ => &[],
    };
    column.numbered || column.constraints.iter().chain(of_table).any(names_it)
}
