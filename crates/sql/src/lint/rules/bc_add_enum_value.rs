use super::super::compatibility::redefined;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-add-enum-value",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a new value of an enumeration",
    why: "Readers that know a fixed list of values, such as an enumeration of Rust or Java without a default, fail \
          on a row that has the new one. The statement itself harms nobody: what matters is that no release writes \
          the value before the last one that cannot read it is gone. Ship the readers first.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TYPE mood AS ENUM ('good', 'bad');",
            found: "ALTER TYPE mood ADD VALUE 'so-so';",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TYPE mood ADD VALUE 'so-so';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, mood enum('good', 'bad'));",
            found: "ALTER TABLE notes MODIFY mood enum('good', 'bad', 'so-so');",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE notes MODIFY mood enum('good', 'bad', 'so-so'), ALGORITHM=INSTANT;"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-add-enum-value",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let added = match &at.operation.kind {
        OperationKind::AddEnumValue { object, value, .. } if at.is_old_object(object) => {
            value.clone()
        }
        _ => {
            let Some(column) = redefined(at) else {
                return;
            };
            let Some((before, after)) = column.labels() else {
                return;
            };
            let added = after.iter().filter(|label| !before.contains(label));
            added.cloned().collect::<Vec<_>>().join("', '")
        }
    };
    if !added.is_empty() {
        let message = format!(
            "a strict reader in the release that still runs fails on rows with '{added}', as soon as somebody writes them"
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
