use super::super::compatibility::redefined;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-remove-enum-value",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "ENUM or SET defined anew without one of its values",
    why: "The release that still runs writes the value: from here on the server refuses it (strict mode), or stores \
          an empty string. Rows that have it are refused or emptied as well when the column is changed. Let a \
          release that does not write the value go first, change the rows in a data migration, and take the value \
          away in a contract file.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE notes (id bigint PRIMARY KEY, mood enum('good', 'bad'));",
        found: "ALTER TABLE notes MODIFY mood enum('good');",
        instead: &[],
        claims: &[],
    }],
    peers: Peers {
        atlas: "MY112",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some(column) = redefined(at) else {
        return;
    };
    let Some((before, after)) = column.labels() else {
        return;
    };
    let removed: Vec<&str> = before
        .iter()
        .filter(|label| !after.contains(label))
        .map(String::as_str)
        .collect();
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
