use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-index",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "ALTER INDEX … RENAME TO, RENAME INDEX",
    why: "Queries do not name indexes, with two exceptions: hints (`FORCE INDEX (name)` of MySQL fails when there is \
          no such index, pg_hint_plan ignores the hint), and code that looks at the name in the message of a unique \
          violation to tell the user what was taken.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n\
                     CREATE UNIQUE INDEX users_email ON users (email);",
            found: "ALTER INDEX users_email RENAME TO users_email_key;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER INDEX users_email RENAME TO users_email_key;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));\n\
                     CREATE UNIQUE INDEX users_email ON users (email);",
            found: "ALTER TABLE users RENAME INDEX users_email TO users_email_key;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users RENAME INDEX users_email TO users_email_key;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Rename {
        object, to, table, ..
    } = &at.operation.kind
    else {
        return;
    };
    let table_is_new = match table {
        Some(table) => !at.is_old(table),
        None => at
            .schema()
            .index(object)
            .is_some_and(|(table, _)| table.made_in >= at.statement.file.together_since),
    };
    let swapped = at.comes_back(object);
    if object.kind == ObjectKind::Index && !table_is_new && !swapped {
        let message = format!(
            "hints and handlers of unique violations in the release that still runs look for `{}`, not `{}`",
            object.name, to.name
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
