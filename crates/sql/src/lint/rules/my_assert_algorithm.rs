use super::super::my_remedy::{Wish, asking, is_alter_table, wish};
use super::super::rule::StatementAt;
use super::prelude::*;
use crate::effect::mysql::{Way, way};

pub(super) static RULE: Rule = Rule {
    id: "my-assert-algorithm",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a column changed without ALGORITHM, on which the time depends",
    why: "Whether a column comes, changes or goes at once depends on more than the statement: on the version of the server \
          (`DROP COLUMN` and a place other than the last are instant on MySQL from 8.0.29, renaming from 8.0.28), the row \
          format, full-text indexes, and how often it was done before. What the server cannot do at once it does in \
          another way without a word: it writes the table anew, or copies it while all writes wait. With \
          `ALGORITHM=INSTANT` it refuses instead, before it has changed anything, and nobody waits. Where more than the \
          definition has to be changed, `ALGORITHM=INPLACE, LOCK=NONE` says as much.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
        found: "ALTER TABLE orders ADD COLUMN note varchar(200);",
        instead: &["ALTER TABLE orders ADD COLUMN note varchar(200), ALGORITHM=INSTANT;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Statement(check),
};

fn check(at: &StatementAt<'_>, report: &mut Report<'_>) {
    if !is_alter_table(at) || wish(at.operations) != Wish::None {
        return;
    }
    let mut schema = at.schema.clone();
    let mut ways = Vec::new();
    let mut first = None;
    for operation in &at.operations.list {
        let Some((table, way)) = operation.kind.table().zip(way(&operation.kind, &schema)) else {
            return;
        };
        if !at.is_old(table) {
            return;
        }
        if depends(&operation.kind) {
            first = first.or(Some((table.name.clone(), operation.span.clone())));
        }
        ways.push(way);
        schema.apply(operation, at.text);
    }
    // Other rules speak of what takes longer.
    let quick = ways
        .iter()
        .all(|way| matches!(way, Way::Instant | Way::InPlace));
    let Some((table, span)) = first.filter(|_| quick) else {
        return;
    };
    let wish = match ways.contains(&Way::InPlace) {
        true => "ALGORITHM=INPLACE, LOCK=NONE",
        false => "ALGORITHM=INSTANT",
    };
    let message = format!(
        "where the server cannot do this at once it writes all of `{table}` anew without a word; `{wish}` lets it refuse"
    );
    report.add(span, message, vec![asking(at.text, wish)]);
}

/// Whether it depends on the table how an operation is done.
fn depends(kind: &OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::AddColumn { .. }
            | OperationKind::DropColumn { .. }
            | OperationKind::ModifyColumn { .. }
    )
}
