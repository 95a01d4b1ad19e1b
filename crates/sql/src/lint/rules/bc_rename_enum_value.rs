use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-enum-value",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER TYPE … RENAME VALUE",
    why: "The release that still runs writes the old label, which is refused from the moment of the rename, and \
          reads the new one, which a strict reader does not know. Add the new value, have readers of both deployed \
          first, change the rows in a data migration, and let the old label stay unused: a value cannot be taken out \
          of a type.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TYPE mood AS ENUM ('good', 'bad');\n\
                     CREATE TABLE notes (id bigint PRIMARY KEY, mood mood);",
        found: "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';",
        instead: &[
            "ALTER TYPE mood ADD VALUE 'poor';",
            "-- forerun:data\n\
                     -- forerun:no-transaction\n\
                     -- one such statement for each range of keys\n\
                     UPDATE notes SET mood = 'poor' WHERE id BETWEEN 1 AND 10000 AND mood = 'bad';",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::RenameEnumValue { object, value, to } = &at.operation.kind else {
        return;
    };
    if !at.is_old_object(object) {
        return;
    }
    let message = format!(
        "the release that still runs writes '{value}', which `{}` refuses from here on, and reads '{to}', which it does \
         not know",
        object.name
    );
    let (dialect, schema) = (at.dialect(), at.schema());
    let (old, new) = (remedy::literal(value), remedy::literal(to));
    let mut instead = vec![format!(
        "ALTER TYPE {} ADD VALUE {new};",
        remedy::object(dialect, object)
    )];
    for (name, column) in schema.columns_of_type(object) {
        let column = remedy::name(dialect, column);
        let set = format!("{column} = {new}");
        instead.push(remedy::backfill(
            schema,
            &name,
            &set,
            &format!("{column} = {old}"),
        ));
    }
    report.add(at.operation.span.clone(), message, instead);
}
