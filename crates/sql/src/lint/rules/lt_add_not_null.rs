use super::super::lt_remedy::{added, alter};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "lt-add-not-null",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "ADD COLUMN NOT NULL without a default",
    why: "The rows that are there would have nothing in the column, so SQLite refuses the statement: `Cannot add a NOT NULL \
          column with default value NULL`. On an empty table it passes, which is why it works on every developer's machine \
          and fails in production. Give the column a default other than `NULL`, or let it take `NULL` and refuse that \
          later (`ALTER COLUMN … SET NOT NULL`, SQLite from 3.53).",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                 INSERT INTO users (email) VALUES ('a@example.org');",
        found: "ALTER TABLE users ADD COLUMN plan text NOT NULL;",
        instead: &["ALTER TABLE users ADD COLUMN plan text NOT NULL DEFAULT 'free';"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, column)) = added(at) else {
        return;
    };
    let is_null = |text: &str| {
        text.trim_matches(['(', ')', ' '])
            .eq_ignore_ascii_case("NULL")
    };
    let has_value = column
        .default
        .as_ref()
        .is_some_and(|default| !is_null(&default.text));
    if !column.not_null || has_value || column.generated.is_some() {
        return;
    }
    let message = format!(
        "SQLite refuses this when `{}` has rows: they would have nothing in `{}`",
        table.name, column.name
    );
    let nullable = remedy::without(
        Dialect::Sqlite,
        at.definition_text(column),
        &["NOT", "NULL"],
    );
    let instead = vec![alter(table, &format!("ADD COLUMN {nullable}"))];
    report.add(at.operation.span.clone(), message, instead);
}
