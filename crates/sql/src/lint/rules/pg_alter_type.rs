use super::super::locks::effects_on_old;
use super::super::pg_conversion::conversion;
use super::super::pg_remedy::alter;
use super::super::remedy::{
    contract, copied, keep_converted, literal, name, no_longer_same, object,
};
use super::super::second_column::SecondColumn;
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
          the table in use. It gets `NOT NULL` by a check that is validated while rows are written, indexes that are built \
          `CONCURRENTLY`, and in the contract file the default, the numbering and the keys of the old one; what has to be \
          decided by hand (foreign keys, checks) is a comment in the proposal.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE payments (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE payments ALTER COLUMN amount TYPE bigint;",
            instead: &[
                "ALTER TABLE payments ADD COLUMN amount_new bigint;\nCREATE FUNCTION payments_amount() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.amount_new := NEW.amount;\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER payments_amount BEFORE INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION payments_amount();",
                "UPDATE payments SET amount_new = amount WHERE id BETWEEN 1 AND 10000 AND amount_new IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n-- forerun:assert \"every row has its value in amount_new\"\nSELECT 1 FROM payments WHERE amount_new IS NULL AND amount IS NOT NULL LIMIT 1;\nDROP TRIGGER payments_amount ON payments;\nDROP FUNCTION payments_amount();\nALTER TABLE payments DROP COLUMN amount;",
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
    let mut files = Vec::new();
    let two = SecondColumn::of(at.schema(), table, column, new.as_str());
    let Some(two) = two else {
        // Nothing is known of what else the old one has.
        files.push(format!("{add}\n{same}"));
        files.push(copied(at.schema(), table, &new_name, &values.forth));
        let no_longer = no_longer_same(Dialect::Postgres, table, &new);
        let drop = alter(table, &format!("DROP COLUMN {old_name}"));
        files.push(contract(&format!("{no_longer}\n{drop}")));
        return files;
    };
    // An expression that may be NULL where the old value is not must not refuse rows of the release that runs.
    let refuses = two.refuses_null() && values.back_of_row.is_some();
    let check = name(Dialect::Postgres, &format!("{}_{new}_not_null", table.name));
    let add = match refuses {
        true => alter(
            table,
            &format!(
                "ADD COLUMN {new_name} {data_type}, ADD CONSTRAINT {check} CHECK ({new_name} IS NOT NULL) NOT VALID"
            ),
        ),
        false => add,
    };
    files.push(format!("{add}\n{same}"));
    files.push(copied(at.schema(), table, &new_name, &values.forth));
    if refuses {
        files.push(alter(table, &format!("VALIDATE CONSTRAINT {check}")));
        files.push(format!(
            "{}\n{}",
            alter(table, &format!("ALTER COLUMN {new_name} SET NOT NULL")),
            alter(table, &format!("DROP CONSTRAINT {check}"))
        ));
    }
    let (indexes, mut lost) = two.indexes();
    files.extend(indexes.iter().map(|index| index.create.clone()));
    lost.extend(two.lost());
    lost.extend((two.refuses_null() && !refuses).then(|| "NOT NULL".to_owned()));
    let mut last = vec![no_longer_same(Dialect::Postgres, table, &new)];
    last.extend(default(&two, &values.forth, &mut lost));
    last.push(format!(
        "{}{}",
        two.notes(&lost),
        alter(table, &format!("DROP COLUMN {old_name}"))
    ));
    // The constraint goes with the old column, and comes back with the new one.
    for index in &indexes {
        if let (Some(words), Some(constraint)) = (index.constraint, &index.old_name) {
            let (own, of) = (
                name(Dialect::Postgres, constraint),
                name(Dialect::Postgres, &index.name),
            );
            last.push(alter(
                table,
                &format!("ADD CONSTRAINT {own} {words} USING INDEX {of}"),
            ));
        }
    }
    files.push(two.last(&values.forth, &last.join("\n")));
    files
}

/// What gives the new column the default of the old one, or numbers its rows from where the old one has come to.
fn default(two: &SecondColumn<'_>, forth: &str, lost: &mut Vec<String>) -> Option<String> {
    let (old, new) = two.names();
    let cast = forth.strip_prefix(&old);
    let cast = cast.filter(|cast| cast.is_empty() || cast.starts_with("::"));
    if two.old.numbered {
        if cast.is_none() {
            lost.push("identity".to_owned());
            return None;
        }
        let on = object(Dialect::Postgres, two.table);
        let identity = two.alter(&format!(
            "ALTER COLUMN {new} ADD GENERATED BY DEFAULT AS IDENTITY"
        ));
        return Some(format!(
            "{identity}\nSELECT setval(pg_get_serial_sequence({}, {}), max({new})) FROM {on};",
            literal(&on),
            literal(&two.new)
        ));
    }
    let default = two.default()?;
    let set = |default: &str| two.alter(&format!("ALTER COLUMN {new} SET DEFAULT {default}"));
    match cast {
        Some("") => Some(set(default)),
        Some(cast) => Some(set(&format!("({default}){cast}"))),
        None => {
            lost.push(format!("default {default}").replace('\n', " "));
            None
        }
    }
}
