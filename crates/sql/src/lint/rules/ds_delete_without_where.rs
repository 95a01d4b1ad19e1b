use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ds-delete-without-where",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DELETE without WHERE",
    why: "Every row goes, in one statement that locks all of them until it commits. Where that is meant, say so with \
          `forerun:allow` and the reason; otherwise say which rows, and delete them in ranges of the key.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "DELETE FROM users;",
            instead: &["-- forerun:data\n\
                     DELETE FROM users WHERE id BETWEEN 1 AND 10000 AND plan = 'trial';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "DELETE FROM users;",
            instead: &["-- forerun:data\n\
                     DELETE FROM users WHERE id BETWEEN 1 AND 10000 AND plan = 'trial';"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, plan text);",
            found: "DELETE FROM users;",
            instead: &["-- forerun:data\n\
                     DELETE FROM users WHERE id BETWEEN 1 AND 10000 AND plan = 'trial';"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Delete { table, condition } = &at.operation.kind else {
        return;
    };
    let all = match condition {
        Some(condition) => condition.is_constant(at.dialect()),
        None => true,
    };
    if all && at.is_old(table) {
        let message = format!("every row of `{}` goes", table.name);
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
