use super::super::my_remedy::{alter, is_alter_table};
use super::super::rule::StatementAt;
use super::prelude::*;
use crate::effect::mysql::{Way, way};

pub(super) static RULE: Rule = Rule {
    id: "my-mixed-instant",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a column added or dropped together with an index",
    why: "One `ALTER TABLE` is done in one way, and the slowest action decides which. A column that comes or goes at once \
          when it is alone makes the whole table be written anew when an index is built in the same statement; the index \
          alone would have been built beside the table. On MySQL 8 an index that is dropped in the same statement is \
          enough for that. Nobody waits, but it takes as long as the table is large, and replicas lag. Two statements do \
          the same in a fraction of the time.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
        found: "ALTER TABLE orders ADD COLUMN note varchar(50), ADD INDEX orders_amount (amount);",
        instead: &[
            "ALTER TABLE orders ADD COLUMN note varchar(50), ALGORITHM=INSTANT;\n\
                    ALTER TABLE orders ADD INDEX orders_amount (amount);",
        ],
        // Each action alone does less than both together.
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Statement(check),
};

fn check(at: &StatementAt<'_>, report: &mut Report<'_>) {
    if !is_alter_table(at) {
        return;
    }
    let mariadb = at.file.server.mariadb == Some(true);
    let mut schema = at.schema.clone();
    let (mut columns, mut others, mut table) = (Vec::new(), Vec::new(), None);
    let mut slows = false;
    for operation in &at.operations.list {
        let Some((of, way)) = operation.kind.table().zip(way(&operation.kind, &schema)) else {
            return;
        };
        if !at.is_old(of) {
            return;
        }
        table = Some(of);
        let text = at.text.get(operation.span.clone()).unwrap_or_default();
        let placed = matches!(
            operation.kind,
            OperationKind::ModifyColumn { placed: true, .. }
        );
        match (&operation.kind, way) {
            (OperationKind::AddColumn { column, .. }, Way::Instant)
                if column.generated.is_none() =>
            {
                columns.push(text);
            }
            (OperationKind::DropColumn { .. }, Way::Instant) => columns.push(text),
            (_, Way::Instant) if placed => columns.push(text),
            // The rest is written anew in any case.
            (_, Way::Rebuild | Way::SharedRebuild | Way::Copy(_)) => return,
            (_, way) => {
                let drops = matches!(operation.kind, OperationKind::DropIndex { .. });
                slows |= matches!(way, Way::Index | Way::SharedIndex) || (drops && !mariadb);
                others.push(text);
            }
        }
        schema.apply(operation, at.text);
    }
    let Some((table, _)) = table.zip(columns.first()).filter(|_| slows) else {
        return;
    };
    let first = at.operations.list.first();
    let span = first.map_or(0..at.text.len(), |first| {
        first.span.start..at.text.trim_end().len()
    });
    let only_drops = !at
        .operations
        .list
        .iter()
        .any(|operation| matches!(operation.kind, OperationKind::CreateIndex(_)));
    let server = match only_drops {
        true => "MySQL writes",
        false => "the server writes",
    };
    let message = format!(
        "{server} all of `{}` anew, because the column and the index are in one statement; alone neither needs that",
        table.name
    );
    // What makes the index need not be there when the columns come, but when they go.
    let drops_column = at
        .operations
        .list
        .iter()
        .any(|operation| matches!(operation.kind, OperationKind::DropColumn { .. }));
    let mut parts = [
        alter(table, &columns.join(", ")),
        alter(table, &others.join(", ")),
    ];
    if drops_column {
        parts.reverse();
    }
    report.add(span, message, vec![parts.join("\n")]);
}
