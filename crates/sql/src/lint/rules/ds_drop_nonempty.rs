use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ds-drop-nonempty",
    severity: Severity::Info,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP of a table or column that nobody has seen empty",
    why: "Only when it is enabled. What is dropped is gone, and a rollback of the application does not bring it \
          back. An assertion before the statement makes sure that there is nothing in it, at the time and in the \
          environment in which it runs.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "-- forerun:contract unused-since=2.5.0\n\
                     DROP TABLE users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"users is empty\"\n\
                     SELECT 1 FROM users LIMIT 1;\n\
                     DROP TABLE users;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"users.email is empty\"\n\
                     SELECT 1 FROM users WHERE email IS NOT NULL LIMIT 1;\n\
                     ALTER TABLE users DROP COLUMN email, ALGORITHM=INSTANT;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, plan text);",
            found: "-- forerun:contract unused-since=2.5.0\n\
                     DROP TABLE users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"users is empty\"\n\
                     SELECT 1 FROM users LIMIT 1;\n\
                     DROP TABLE users;"],
            claims: &[],
        },
    ],
    peers: Peers {
        atlas: "DS102",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let dialect = at.dialect();
    let (table, column) = match &at.operation.kind {
        OperationKind::Drop { object, .. }
            if object.kind == ObjectKind::Table && at.is_old(object) && !at.comes_back(object) =>
        {
            (object, None)
        }
        OperationKind::DropColumn { table, column, .. } if at.is_old_column(table, column) => {
            (table, Some(column))
        }
        _ => return,
    };
    if at.is_asserted(table) {
        return;
    }
    let on = remedy::object(dialect, table);
    let (what, condition) = match column {
        Some(column) => (
            format!("{}.{column}", table.name),
            format!(" WHERE {} IS NOT NULL", remedy::name(dialect, column)),
        ),
        None => (table.name.clone(), String::new()),
    };
    let asserted = remedy::asserted(
        &format!("{what} is empty"),
        &format!("SELECT 1 FROM {on}{condition} LIMIT 1"),
        at.statement.text,
    );
    report.add(
        at.operation.span.clone(),
        format!(
            "what is in `{what}` is gone for good, and nobody has asked before whether it is empty"
        ),
        vec![remedy::contract(&asserted)],
    );
}
