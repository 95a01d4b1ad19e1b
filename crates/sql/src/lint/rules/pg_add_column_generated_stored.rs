use super::super::pg_remedy::{alter, bare_column};
use super::super::remedy::{copied, name, object};
use super::prelude::*;
use crate::ObjectName;
use crate::lexer::{TokenKind, Tokens};
use crate::operation::ColumnDefinition;

pub(super) static RULE: Rule = Rule {
    id: "pg-add-column-generated-stored",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "ADD COLUMN GENERATED … STORED",
    why: "The value is computed for every row, so the whole table is written anew under an `ACCESS EXCLUSIVE` lock. A \
          plain column that a trigger fills, and a backfill for the rows that are there, keep the table in use. From \
          version 18 on a `VIRTUAL` column is computed when it is read and costs nothing here.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE items (id bigint PRIMARY KEY, net int, tax int);",
        found: "ALTER TABLE items ADD COLUMN gross int GENERATED ALWAYS AS (net + tax) STORED;",
        instead: &[
            "ALTER TABLE items ADD COLUMN gross int;\nCREATE FUNCTION items_gross() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.gross := NEW.net + NEW.tax;\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER items_gross BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION items_gross();",
            "UPDATE items SET gross = net + tax WHERE id BETWEEN 1 AND 10000 AND gross IS NULL;",
        ],
        claims: &[Claim {
            table: "items",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Rewrite,
        }],
    }],
    peers: Peers {
        squawk: "adding-field-with-default",
        strong_migrations: "add_column_generated_stored",
        eugene: "E11",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let generated = column
        .generated
        .as_ref()
        .filter(|generated| generated.stored);
    let Some(generated) = generated.filter(|_| at.is_old(table)) else {
        return;
    };
    let instead = by_trigger(at, table, column, &generated.expression.text);
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` is written anew to store `{}`, and nobody can read or write it meanwhile",
            table.name, column.name
        ),
        instead,
    );
}

fn by_trigger(
    at: &At<'_>,
    table: &ObjectName,
    column: &ColumnDefinition,
    expression: &str,
) -> Vec<String> {
    let quoted = |text: &str| name(Dialect::Postgres, text);
    let function = quoted(&format!("{}_{}", table.name, column.name));
    let own = quoted(&column.name);
    let known = at.schema().table(table);
    let is_column =
        |word: &str| known.is_some_and(|known| known.column(Dialect::Postgres, word).is_some());
    let of_new: String = Tokens::new(Dialect::Postgres, expression)
        .map(|(kind, text)| match kind {
            TokenKind::Word if is_column(&text.to_ascii_lowercase()) => format!("NEW.{text}"),
            _ => text.to_owned(),
        })
        .collect();
    let add = alter(table, &format!("ADD COLUMN {}", bare_column(at, column)));
    let on = object(Dialect::Postgres, table);
    vec![
        format!(
            "{add}\nCREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.{own} := {of_new};\n  \
             RETURN NEW;\nEND $$;\nCREATE TRIGGER {function} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {function}();"
        ),
        copied(at.schema(), table, &own, expression),
    ]
}
