use super::super::pg_remedy::{alter, column_without, is_hollow, key_from_index};
use super::super::remedy::not_null;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::{Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    id: "pg-primary-key",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a primary key that builds its index",
    why: "The index is built under an `ACCESS EXCLUSIVE` lock, and the columns are looked through for NULLs: nobody \
          reads or writes the table until both are done. A unique index that is built `CONCURRENTLY` becomes the key \
          in a moment when the columns refuse NULL already. Of a partitioned table the key is made on the table alone \
          (`ALTER TABLE ONLY`), then on each partition, and those are attached to it.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE visits (id bigint, page text);",
        found: "ALTER TABLE visits ADD PRIMARY KEY (id);",
        instead: &[
            "ALTER TABLE visits ADD CONSTRAINT visits_id_not_null CHECK (id IS NOT NULL) NOT VALID;",
            "ALTER TABLE visits VALIDATE CONSTRAINT visits_id_not_null;",
            "ALTER TABLE visits ALTER COLUMN id SET NOT NULL;\nALTER TABLE visits DROP CONSTRAINT visits_id_not_null;",
            "CREATE UNIQUE INDEX CONCURRENTLY visits_pkey ON visits (id);",
            "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;",
        ],
        claims: &[Claim {
            table: "visits",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::IndexBuild,
        }],
    }],
    peers: Peers {
        squawk: "adding-serial-primary-key-field",
        atlas: "PG104",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let kind = &at.operation.kind;
    let Some(table) = kind
        .table()
        .filter(|table| at.is_old(table) && !is_hollow(at, table))
    else {
        return;
    };
    for constraint in kind.added_constraints() {
        let ConstraintKind::PrimaryKey {
            columns,
            using_index: None,
        } = &constraint.kind
        else {
            continue;
        };
        report.add(
            at.operation.span.clone(),
            format!(
                "nobody can read or write `{}` until the index of its primary key is built",
                table.name
            ),
            instead(at, table, constraint, columns),
        );
    }
}

fn instead(
    at: &At<'_>,
    table: &ObjectName,
    constraint: &Constraint,
    columns: &[String],
) -> Vec<String> {
    let mut files = Vec::new();
    if let OperationKind::AddColumn { column, .. } = &at.operation.kind {
        // The key of rows that are there has to come from somewhere: that is for whoever knows them.
        let rest = column_without(at, column, constraint);
        files.push(alter(table, &format!("ADD COLUMN {rest}")));
    }
    let known = at.schema().table(table);
    for column in columns {
        let nullable = known.and_then(|known| known.is_nullable(Dialect::Postgres, column));
        if nullable != Some(false) {
            files.extend(not_null(at.schema(), table, column));
        }
    }
    files.extend(key_from_index(
        at,
        table,
        constraint,
        columns,
        "PRIMARY KEY",
    ));
    files
}
