use super::super::compatibility::{redefined, replacing_labels};
use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "bc-remove-enum-value",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Mysql, Dialect::Postgres],
    needs: Needs::Schema,
    summary: "an enumeration defined anew without one of its values",
    why: "The release that still runs writes the value: from here on the server refuses it (strict mode), or stores \
          an empty string. Rows that have it are refused or emptied as well when the column is changed. Let a \
          release that does not write the value go first, change the rows in a data migration, and take the value \
          away in a contract file.\n\n\
          PostgreSQL has no `DROP VALUE`, so another type gets the name of the old one, and the table is written anew \
          for it. A check that refuses the value does as well, and leaves the type as it is.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, mood enum('good', 'bad'));",
            found: "ALTER TABLE notes MODIFY mood enum('good');",
            instead: &[],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TYPE mood AS ENUM ('good', 'bad');\n\
                     CREATE TABLE notes (id bigint PRIMARY KEY, mood mood);",
            found: "ALTER TYPE mood RENAME TO mood_old;\n\
                    CREATE TYPE mood AS ENUM ('good');\n\
                    ALTER TABLE notes ALTER COLUMN mood TYPE mood USING mood::text::mood;\n\
                    DROP TYPE mood_old;",
            instead: &[
                "-- forerun:contract unused-since=2.5.0\n\
                 ALTER TABLE notes ADD CONSTRAINT notes_mood_values CHECK (mood NOT IN ('bad')) NOT VALID;",
                "-- forerun:data\n\
                 UPDATE notes SET mood = 'good' WHERE id BETWEEN 1 AND 10000 AND mood IN ('bad');",
                "ALTER TABLE notes VALIDATE CONSTRAINT notes_mood_values;",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "MY112",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    match &at.operation.kind {
        OperationKind::Rename { object, .. } | OperationKind::Drop { object, .. }
            if object.kind == ObjectKind::Type && at.is_old_object(object) =>
        {
            replaced(at, object, report);
        }
        _ => redefined_column(at, report),
    }
}

/// PostgreSQL: the name of the type goes to another one.
fn replaced(at: &At<'_>, object: &ObjectName, report: &mut Report<'_>) {
    let Some((before, after)) = replacing_labels(at, object) else {
        return;
    };
    let removed = removed(&before, &after);
    if removed.is_empty() {
        return;
    }
    let message = format!(
        "the release that still runs writes '{}', which the new `{}` refuses from here on",
        removed.join("', '"),
        object.name
    );
    let (dialect, schema) = (at.dialect(), at.schema());
    let list: Vec<String> = removed.iter().map(|label| remedy::literal(label)).collect();
    let list = list.join(", ");
    let columns = schema.columns_of_type(object);
    let steps = columns.flat_map(|(table, column)| {
        let on = remedy::object(dialect, &table);
        let check = remedy::name(dialect, &format!("{}_{column}_values", table.name));
        let column = remedy::name(dialect, column);
        let refuse = format!(
            "ALTER TABLE {on} ADD CONSTRAINT {check} CHECK ({column} NOT IN ({list})) NOT VALID;"
        );
        [
            remedy::contract(&refuse),
            remedy::backfill(
                schema,
                &table,
                &format!("{column} = <another value>"),
                &format!("{column} IN ({list})"),
            ),
            format!("ALTER TABLE {on} VALIDATE CONSTRAINT {check};"),
        ]
    });
    report.add(
        at.operation.span.clone(),
        message,
        steps.collect::<Vec<_>>(),
    );
}

fn removed<'a>(before: &'a [String], after: &[String]) -> Vec<&'a str> {
    let removed = before.iter().filter(|label| !after.contains(label));
    removed.map(String::as_str).collect()
}

/// MySQL: the column gets another list of labels.
fn redefined_column(at: &At<'_>, report: &mut Report<'_>) {
    let Some(column) = redefined(at) else {
        return;
    };
    let Some((before, after)) = column.labels() else {
        return;
    };
    let removed = removed(before, after);
    if !removed.is_empty() {
        let message = format!(
            "the release that still runs writes '{}' into `{}.{}`, which refuses it from here on",
            removed.join("', '"),
            column.table.name,
            column.column
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
