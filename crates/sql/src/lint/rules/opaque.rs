use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-opaque",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: EVERY,
    needs: Needs::Statement,
    summary: "a statement that nobody can judge",
    why: "What a `DO` block, a procedure or a prepared statement does is only known when it runs, so no rule can say \
          whether it blocks the application or breaks the release that still runs; the schema that later rules go by \
          does not know of it either. Write plain statements where that is possible. Where it is not, look at it \
          yourself and say so with `forerun:allow` and the reason.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "DO $$ BEGIN ALTER TABLE users ADD COLUMN name text; END $$;",
            instead: &["ALTER TABLE users ADD COLUMN name text;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));\n\
                     CREATE PROCEDURE add_name() ALTER TABLE users ADD COLUMN name varchar(200);",
            found: "CALL add_name();",
            instead: &["ALTER TABLE users ADD COLUMN name varchar(200), ALGORITHM=INSTANT;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::Opaque { reason } = &at.operation.kind {
        let message = format!("cannot be judged: {reason}");
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
