use super::super::lt_remedy::{added, alter};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "lt-add-stored",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "ADD COLUMN … STORED",
    why: "A stored generated column would have to be written into each row that is there, and `ALTER TABLE` of SQLite \
          touches none, so it refuses: `cannot add a STORED column` (not on an empty table, where nobody notices). \
          `VIRTUAL` computes the value when it is read, and can be indexed just as well.",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE orders (id integer PRIMARY KEY, amount integer);\n\
                 INSERT INTO orders (amount) VALUES (1);",
        found: "ALTER TABLE orders ADD COLUMN double_amount integer AS (amount * 2) STORED;",
        instead: &["ALTER TABLE orders ADD COLUMN double_amount integer AS (amount * 2) VIRTUAL;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, column)) = added(at) else {
        return;
    };
    if column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored)
    {
        let message = format!(
            "SQLite refuses this when `{}` has rows: it would have to write `{}` into each",
            table.name, column.name
        );
        let text = remedy::without(Dialect::Sqlite, at.definition_text(column), &["STORED"]);
        let instead = vec![alter(table, &format!("ADD COLUMN {text} VIRTUAL"))];
        report.add(at.operation.span.clone(), message, instead);
    }
}
