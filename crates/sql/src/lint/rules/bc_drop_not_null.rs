use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-not-null",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a column that refused NULL takes it",
    why: "A reader in the release that still runs that counts on a value (`String`, not `Option<String>`) fails on \
          the first row in which the new release stores NULL. Let a release that can read NULL be deployed first; \
          then do this in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state DROP NOT NULL;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ALTER COLUMN state DROP NOT NULL;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders MODIFY state varchar(20) NULL DEFAULT 'new';",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders MODIFY state varchar(20) NULL DEFAULT 'new';"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-drop-not-null",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, column) = match &at.operation.kind {
        OperationKind::ColumnNullable {
            table,
            column,
            nullable: true,
        } => (table, column),
        OperationKind::ModifyColumn {
            table,
            column,
            definition,
            ..
        } if !definition.not_null => (table, column),
        _ => return,
    };
    let known = at.schema().table(table);
    let nullable = known.and_then(|known| known.is_nullable(at.dialect(), column));
    let certain = matches!(at.operation.kind, OperationKind::ColumnNullable { .. });
    let changes = match nullable {
        Some(nullable) => !nullable,
        None => certain,
    };
    if changes && at.is_old_column(table, column) {
        let message = format!(
            "a reader in the release that still runs that expects a value in `{}.{column}` fails on the first NULL",
            table.name
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
