use super::super::mass_change::in_batches;
use super::super::remedy::says;
use super::prelude::*;
use crate::operation::Expression;

pub(super) static RULE: Rule = Rule {
    id: "my-mass-dml",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "UPDATE of a whole table at once",
    why: "InnoDB locks every row that the statement reads and keeps the locks until it commits, so that soon whoever \
          writes waits. The values before go to the undo log, which grows by as much, cannot be purged meanwhile, and is \
          what a rollback reads back row by row, often for longer than the statement took. Replicas begin with it only \
          when it is done, and fall behind for as long as it takes them. A range of keys at a time, each in a transaction \
          of its own, keeps all of that small. `DELETE` without a condition is found by `ds-delete-without-where`.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(50));",
            found: "UPDATE orders SET note = '';",
            instead: &[
                "-- forerun:data\nUPDATE orders SET note = '' WHERE id BETWEEN 1 AND 10000;",
                "-- forerun:data\nUPDATE orders SET note = '' WHERE id BETWEEN 10001 AND 20000;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (number bigint PRIMARY KEY, note varchar(50));",
            found: "UPDATE orders SET note = '' WHERE TRUE;",
            instead: &[
                "-- forerun:data\nUPDATE orders SET note = '' WHERE number BETWEEN 1 AND 10000;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Update { table, condition } = &at.operation.kind else {
        return;
    };
    let all = |condition: &Expression| condition.is_constant(Dialect::Mysql);
    let text = at.statement.text.trim_end();
    let has = |word: &str| says(Dialect::Mysql, text, &[word]);
    // The rows of a join are those that meet its condition.
    if !at.is_old(table)
        || !condition.as_ref().is_none_or(all)
        || at.statement.operations.list.len() > 1
        || has("LIMIT")
        || has("JOIN")
    {
        return;
    }
    let is_whole = text
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("UPDATE"));
    let instead = match is_whole && !has("ORDER") {
        true => in_batches(at, table, condition.as_ref(), text.len()),
        false => Vec::new(),
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "one statement updates every row of `{}`: the rows stay locked until it commits, the undo log keeps all values \
             before, and replicas fall behind",
            table.name
        ),
        instead,
    );
}
