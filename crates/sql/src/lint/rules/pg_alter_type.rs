use super::super::locks::effects_on_old;
use super::super::pg_conversion::conversion;
use super::super::pg_remedy::alter;
use super::super::remedy::{backfill, contract, keep_converted, name, no_longer_same};
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{Expression, TypeName};

pub(super) static RULE: Rule = Rule {
    id: "pg-alter-type",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER COLUMN TYPE that writes the table or its indexes anew",
    why: "Unless the bytes of the old type are bytes of the new one, the whole table is written anew with all of its \
          indexes under an `ACCESS EXCLUSIVE` lock. Not rewritten are: `varchar` to a longer one or to `text`, \
          `numeric` to more digits before the point, `timestamp` and `interval` to a higher precision, `cidr` to \
          `inet`. Another collation builds the indexes anew; so does any new type for indexes on expressions or with a \
          condition. A second column beside the old one, kept the same by a trigger and filled range by range, keeps \
          the table in use.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE payments (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE payments ALTER COLUMN amount TYPE bigint;",
            instead: &[
                "ALTER TABLE payments ADD COLUMN amount_new bigint;\nCREATE FUNCTION payments_amount() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.amount_new := NEW.amount;\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER payments_amount BEFORE INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION payments_amount();",
                "UPDATE payments SET amount_new = amount WHERE id BETWEEN 1 AND 10000 AND amount_new IS NULL;",
                "-- forerun:contract unused-since=2.5.0\nDROP TRIGGER payments_amount ON payments;\nDROP FUNCTION payments_amount();\nALTER TABLE payments DROP COLUMN amount;",
            ],
            claims: &[Claim {
                table: "payments",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Rewrite,
            }],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE labels (id bigint PRIMARY KEY, word text);\nCREATE INDEX labels_word ON labels (word);",
            found: "ALTER TABLE labels ALTER COLUMN word TYPE text COLLATE \"C\";",
            instead: &["CREATE INDEX CONCURRENTLY labels_word_c ON labels (word COLLATE \"C\");"],
            claims: &[Claim {
                table: "labels",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::IndexBuild,
            }],
        },
    ],
    peers: Peers {
        squawk: "changing-column-type",
        strong_migrations: "change_column",
        atlas: "PG301",
        eugene: "E5",
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::ColumnType {
        table,
        column,
        to,
        using,
        ..
    } = &at.operation.kind
    else {
        return;
    };
    let work = effects_on_old(at).iter().map(|effect| effect.work).max();
    let (what, instead) = match work {
        Some(Work::Rewrite) => (
            "is written anew",
            beside(at, table, column, to, using.as_ref()),
        ),
        Some(Work::IndexBuild) => ("gets new indexes", Vec::new()),
        _ => return,
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` {what} for the type of `{column}`, and nobody can read or write it meanwhile",
            table.name
        ),
        instead,
    );
}

/// A second column, until nobody uses the first.
fn beside(
    at: &At<'_>,
    table: &ObjectName,
    column: &str,
    to: &TypeName,
    using: Option<&Expression>,
) -> Vec<String> {
    let data_type = at.statement.text.get(to.span.clone()).unwrap_or_default();
    let new = format!("{column}_new");
    let (old_name, new_name) = (
        name(Dialect::Postgres, column),
        name(Dialect::Postgres, &new),
    );
    let add = alter(table, &format!("ADD COLUMN {new_name} {data_type}"));
    let values = conversion(at, table, column, &new, to, using);
    let same = keep_converted(
        table,
        column,
        &new,
        &values.forth_of_row,
        values.back_of_row.as_deref(),
    );
    let drop = alter(table, &format!("DROP COLUMN {old_name}"));
    let mut files = vec![format!("{add}\n{same}")];
    files.push(backfill(
        at.schema(),
        table,
        &format!("{new_name} = {}", values.forth),
        &format!("{new_name} IS NULL"),
    ));
    let no_longer = no_longer_same(Dialect::Postgres, table, &new);
    files.push(contract(&format!("{no_longer}\n{drop}")));
    files
}
