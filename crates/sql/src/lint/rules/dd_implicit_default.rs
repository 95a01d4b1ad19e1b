use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "dd-implicit-default",
    severity: Severity::Warning,
    kind: Kind::Data,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "NOT NULL without a default fills rows with zero or nothing",
    why: "A new column that is NOT NULL and has no default gets the implicit default of its type in the rows that \
          are there: 0, an empty string, the first value of an ENUM. Nothing tells such a value from one that was \
          meant. Write the default that you mean, or let the column take NULL until it is filled.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
        found: "ALTER TABLE users ADD COLUMN credit int NOT NULL;",
        instead: &[
            "ALTER TABLE users ADD COLUMN credit int NOT NULL DEFAULT 0, ALGORITHM=INSTANT;",
        ],
        claims: &[],
    }],
    peers: Peers {
        atlas: "MY101",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let filled = column.default.is_some() || column.generated.is_some() || column.numbered;
    if column.not_null && !filled && at.is_old(table) {
        let message = format!(
            "the rows of `{}` get 0, an empty string or the like as `{}`, which nobody has chosen",
            table.name, column.name
        );
        let text = at.definition_text(column);
        let nullable = remedy::without(at.dialect(), text, &["NOT", "NULL"]);
        let on = remedy::object(at.dialect(), table);
        report.add(
            at.operation.span.clone(),
            message,
            vec![format!("ALTER TABLE {on} ADD COLUMN {nullable};")],
        );
    }
}
