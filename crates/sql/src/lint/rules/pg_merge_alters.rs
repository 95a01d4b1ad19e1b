use super::super::apart::rewritten;
use super::super::pg_remedy::MOST_SHOWN;
use super::super::proposal::Proposal;
use super::super::remedy::ended;
use super::super::rule::FileAt;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::Operations;
use crate::schema::Schema;

pub(super) static RULE: Rule = Rule {
    id: "pg-merge-alters",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "consecutive ALTER TABLE of one table",
    why: "Each statement asks for the lock anew, and each that reads or writes all rows does so by itself. One `ALTER \
          TABLE` with several actions does it once.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ADD COLUMN b int;",
        instead: &["ALTER TABLE orders ADD COLUMN a int, ADD COLUMN b int;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(file: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    let statements = file.file.script.statements.iter().zip(file.operations);
    let mut before: Option<(&str, &Operations)> = None;
    for (place, (statement, own)) in statements.enumerate() {
        let text = statement.text.trim_end();
        if let Some((text_before, operations)) = before
            && let Some(table) = altered(operations)
            && altered(own).is_some_and(|other| schema.same_name(other, table))
        {
            let joined = own
                .list
                .iter()
                .map(|operation| text.get(operation.span.clone()).unwrap_or_default());
            let joined: Vec<&str> = joined.collect();
            report.in_statement(place).add(
                0..text.len(),
                format!(
                    "`{}` is locked once more for what could stand in the statement before",
                    table.name
                ),
                merged(
                    file,
                    place,
                    &format!("{text_before}, {};", joined.join(", ")),
                ),
            );
        }
        before = Some((text, own));
    }
}

/// The file with one statement for this one and the one before it.
fn merged(file: &FileAt<'_>, place: usize, one: &str) -> Proposal {
    if file.operations.len() > MOST_SHOWN {
        return Proposal::default();
    }
    let whole = rewritten(file, |number, text| match number {
        _ if number == place => None,
        _ if number + 1 == place => Some(one.to_owned()),
        _ => Some(ended(text)),
    });
    Proposal::of_file(whole.into_iter().collect())
}

/// The table of a statement whose actions can stand together with others.
fn altered(operations: &Operations) -> Option<&ObjectName> {
    let can_join = |kind: &OperationKind| {
        matches!(
            kind,
            OperationKind::AddColumn { .. }
                | OperationKind::DropColumn { .. }
                | OperationKind::ColumnType { .. }
                | OperationKind::ColumnDefault { .. }
                | OperationKind::AddConstraint { .. }
        )
    };
    let first = operations.list.first()?;
    let all = operations
        .list
        .iter()
        .all(|operation| can_join(&operation.kind));
    first.kind.table().filter(|_| all)
}
