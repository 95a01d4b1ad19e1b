use super::super::locks::effects_on_old;
use super::super::pg_remedy::{alter, view_words, without_views};
use super::super::remedy::{ended, name};
use super::prelude::*;
use crate::ObjectName;
use crate::operation::ConstraintKind;
use crate::schema::ViewUse;

pub(super) static RULE: Rule = Rule {
    id: "pg-alter-type-dependents",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER COLUMN TYPE with a view or a check on the column",
    why: "PostgreSQL refuses to change the type of a column that a view uses, so the view has to be dropped and made \
          again around it, in one transaction. A check on the column is looked at again for all rows, under the \
          `ACCESS EXCLUSIVE` lock of the change, even where the rows themselves stay as they are: drop the check, \
          change the type, add the check as `NOT VALID`, and validate it in a migration of its own.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE labels (id bigint PRIMARY KEY, word varchar(10), CONSTRAINT labels_word CHECK (word <> ''));",
            found: "ALTER TABLE labels ALTER COLUMN word TYPE text;",
            instead: &[
                "ALTER TABLE labels DROP CONSTRAINT labels_word;\nALTER TABLE labels ALTER COLUMN word TYPE text;\nALTER TABLE labels ADD CONSTRAINT labels_word CHECK (word <> '') NOT VALID;",
                "ALTER TABLE labels VALIDATE CONSTRAINT labels_word;",
            ],
            claims: &[Claim {
                table: "labels",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Scan,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE labels (id bigint PRIMARY KEY, word varchar(10));\nCREATE VIEW words AS SELECT word FROM labels;",
            found: "ALTER TABLE labels ALTER COLUMN word TYPE text;",
            instead: &[
                "DROP VIEW words;\nALTER TABLE labels ALTER COLUMN word TYPE text;\nCREATE VIEW words AS SELECT word FROM labels;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::ColumnType { table, column, .. } = &at.operation.kind else {
        return;
    };
    if !at.is_old(table) {
        return;
    }
    let views = at.schema().views_using(table, column);
    // It is refused as long as one of them is left.
    let around = without_views(
        at.schema(),
        views.clone(),
        &ended(at.statement.text),
        |view| match view.definition.sketch {
            true => format!(
                "CREATE {} AS …; -- as it was before",
                view_words(&view.view)
            ),
            false => ended(&view.definition.text),
        },
    );
    let mut instead = vec![around];
    for ViewUse { view, .. } in views {
        report.add(
            at.operation.span.clone(),
            format!(
                "PostgreSQL refuses to change the type of `{column}` while view `{}` uses it",
                remedy::spoken(&view)
            ),
            // Said once, for all of them.
            std::mem::take(&mut instead),
        );
    }
    if effects_on_old(at)
        .iter()
        .any(|effect| effect.work == Work::Scan)
    {
        report.add(
            at.operation.span.clone(),
            format!(
                "nobody can read or write `{}` while its rows are checked again",
                table.name
            ),
            without_checks(at, table, column),
        );
    }
}

/// The change with the checks on the column left out, and then validated.
fn without_checks(at: &At<'_>, table: &ObjectName, column: &str) -> Vec<String> {
    let known = at.schema().table(table);
    let constraints = known.iter().flat_map(|known| &known.constraints);
    let (mut before, mut after, mut later) = (String::new(), String::new(), Vec::new());
    for constraint in constraints {
        if let (ConstraintKind::Check { condition }, Some(own)) =
            (&constraint.kind, &constraint.name)
            && condition.names(Dialect::Postgres, column)
        {
            let own = name(Dialect::Postgres, own);
            let check = &condition.text;
            before += &format!("{}\n", alter(table, &format!("DROP CONSTRAINT {own}")));
            let add = format!("ADD CONSTRAINT {own} CHECK ({check}) NOT VALID");
            after += &format!("\n{}", alter(table, &add));
            later.push(alter(table, &format!("VALIDATE CONSTRAINT {own}")));
        }
    }
    let mut files = vec![format!("{before}{}{after}", ended(at.statement.text))];
    files.extend(later);
    files
}
