use super::super::lt_remedy::{added, alter, without_default};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "lt-add-fk-default",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "ADD COLUMN … REFERENCES with a default",
    why: "All rows that are there would refer to the row of the default, and SQLite does not look whether there is one: with \
          `PRAGMA foreign_keys = ON` it refuses the statement (`Cannot add a REFERENCES column with non-NULL default \
          value`), without it the rows refer to whatever the default says, right or wrong. Add the column with `NULL`, and \
          fill it in a data migration from rows that exist.",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE plans (id integer PRIMARY KEY);\n\
                 CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                 INSERT INTO users (email) VALUES ('a@example.org');",
        found: "PRAGMA foreign_keys = ON;\n\
                ALTER TABLE users ADD COLUMN plan_id integer REFERENCES plans (id) DEFAULT 1;",
        instead: &[
            "ALTER TABLE users ADD COLUMN plan_id integer REFERENCES plans (id);",
            "-- forerun:data\n\
             UPDATE users SET plan_id = (SELECT id FROM plans WHERE id = 1) WHERE id BETWEEN 1 AND 10000 AND plan_id IS NULL;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, column)) = added(at) else {
        return;
    };
    let Some(default) = &column.default else {
        return;
    };
    let mut constraints = column.constraints.iter();
    let Some(reference) = constraints.find_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { reference, .. } => Some(reference),
        _ => None,
    }) else {
        return;
    };
    if default
        .text
        .trim_matches(['(', ')', ' '])
        .eq_ignore_ascii_case("NULL")
    {
        return;
    }
    let message = format!(
        "all rows of `{}` refer to {} in `{}`, and nobody looks whether it is there (with foreign keys on SQLite refuses \
         the statement)",
        table.name, default.text, reference.table.name
    );
    let instead = match (without_default(at, column), column.not_null) {
        (Some(text), false) => {
            let named = remedy::name(Dialect::Sqlite, &column.name);
            let key = reference.columns.first().map_or("id", String::as_str);
            let key = remedy::name(Dialect::Sqlite, key);
            let of = remedy::object(Dialect::Sqlite, &reference.table);
            let value = format!("(SELECT {key} FROM {of} WHERE {key} = {})", default.text);
            let fill = remedy::backfill(
                at.schema(),
                table,
                &format!("{named} = {value}"),
                &format!("{named} IS NULL"),
            );
            vec![alter(table, &format!("ADD COLUMN {text}")), fill]
        }
        _ => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}
