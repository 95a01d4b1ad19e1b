use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-change-default",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "another default",
    why: "Inserts of the release that still runs that leave the column out store another value from this moment on, \
          one that this release may not know. Let the new release write the value itself, and change the default in \
          a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'draft';",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'draft';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'draft';",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'draft';"],
            claims: &[],
        },
    ],
    peers: Peers {
        strong_migrations: "change_column_default",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, column, new) = match &at.operation.kind {
        OperationKind::ColumnDefault {
            table,
            column,
            default: Some(new),
            ..
        } => (table, column, new),
        OperationKind::ModifyColumn {
            table,
            column,
            definition,
            ..
        } => match &definition.default {
            Some(new) => (table, column, new),
            None => return,
        },
        _ => return,
    };
    let Some(known) = at.old_column(table, column) else {
        return;
    };
    let old = known.definition.default.as_ref();
    if let Some(old) = old.filter(|_| known.gets_other_default(at.dialect(), new)) {
        let message = format!(
            "inserts of the release that still runs that leave `{}.{column}` out store {} from here on, not {}",
            table.name, new.text, old.text
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
