use super::super::locks::effects_on_old;
use super::super::remedy::{ended, not_null};
use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-pk-using-index-nullable",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "a primary key from an index on a column that may hold NULL",
    why: "`PRIMARY KEY USING INDEX` is a matter of a moment only when its columns refuse NULL. Otherwise it makes them \
          do so, which reads the whole table under an `ACCESS EXCLUSIVE` lock. A check `column IS NOT NULL` that was \
          validated before spares that.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE visits (id bigint, page text);\nCREATE UNIQUE INDEX visits_pkey ON visits (id);",
        found: "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;",
        instead: &[
            "ALTER TABLE visits ADD CONSTRAINT visits_id_not_null CHECK (id IS NOT NULL) NOT VALID;",
            "ALTER TABLE visits VALIDATE CONSTRAINT visits_id_not_null;",
            "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;\nALTER TABLE visits DROP CONSTRAINT visits_id_not_null;",
        ],
        claims: &[Claim {
            table: "visits",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::Scan,
        }],
    }],
    peers: Peers {
        atlas: "PG304",
        eugene: "W14",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddConstraint {
        table, constraint, ..
    } = &at.operation.kind
    else {
        return;
    };
    let ConstraintKind::PrimaryKey {
        using_index: Some(index),
        ..
    } = &constraint.kind
    else {
        return;
    };
    let scans = effects_on_old(at)
        .iter()
        .any(|effect| effect.work == Work::Scan);
    if !scans {
        return;
    }
    let known = at.schema().table(table);
    let index = known.and_then(|known| known.index(Dialect::Postgres, index));
    let columns = index
        .iter()
        .flat_map(|index| index.columns.iter().flatten());
    let nullable = columns.filter(|column| {
        known.and_then(|known| known.is_nullable(Dialect::Postgres, column)) != Some(false)
    });
    let mut instead: Vec<String> = nullable
        .flat_map(|column| not_null(at.schema(), table, column))
        .collect();
    instead.push(ended(at.statement.text));
    report.add(
        at.operation.span.clone(),
        format!(
            "nobody can read or write `{}` while it is looked through for NULLs",
            table.name
        ),
        instead,
    );
}
