use super::prelude::*;
use crate::operation::Expression;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-default",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP DEFAULT, DROP IDENTITY",
    why: "Inserts of the release that still runs that leave the column out got the default, and now get NULL; where \
          the column refuses NULL, they fail. Drop the default in a contract file, when every running release writes \
          the column.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, column) = match &at.operation.kind {
        OperationKind::ColumnDefault {
            table,
            column,
            default: None,
            ..
        } => (table, column),
        OperationKind::ColumnOther {
            table,
            column,
            action,
        } if action == "DROP IDENTITY" => (table, column),
        OperationKind::ModifyColumn {
            table,
            column,
            definition,
            ..
        } if definition.default.is_none() && !definition.numbered => (table, column),
        _ => return,
    };
    let known = at
        .schema()
        .column(table, column)
        .map(|known| &known.definition);
    let had = match known {
        Some(known) => known.default.as_ref().is_some_and(is_value) || known.numbered,
        None => !matches!(at.operation.kind, OperationKind::ModifyColumn { .. }),
    };
    if !had || !at.is_old_column(table, column) {
        return;
    }
    let of_table = at.schema().table(table);
    let nullable = of_table.and_then(|known| known.is_nullable(at.dialect(), column));
    // What numbers itself is never NULL.
    let refuses = nullable == Some(false) || known.is_some_and(|known| known.numbered);
    let outcome = match refuses {
        true => "fail from here on",
        false => "store NULL from here on",
    };
    let message = format!(
        "inserts of the release that still runs that leave `{}.{column}` out {outcome}",
        table.name
    );
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}

/// `DEFAULT NULL` says no more than no default at all.
fn is_value(default: &Expression) -> bool {
    !default.text.eq_ignore_ascii_case("null")
}
