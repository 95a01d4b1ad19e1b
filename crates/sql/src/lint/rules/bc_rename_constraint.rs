use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-constraint",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "RENAME CONSTRAINT",
    why: "`ON CONFLICT ON CONSTRAINT name` of the release that still runs fails when the constraint has another \
          name, and code that looks at the name in the message of a violation no longer recognises it. Rename it in \
          a contract file.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email text CONSTRAINT one_email UNIQUE);",
        found: "ALTER TABLE users RENAME CONSTRAINT one_email TO users_email_key;",
        instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE users RENAME CONSTRAINT one_email TO users_email_key;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::RenameConstraint {
        table,
        constraint,
        to,
    } = &at.operation.kind
        && at.is_old(table)
    {
        let message = format!(
            "`ON CONFLICT ON CONSTRAINT {constraint}` and handlers of its violations in the release that still runs do \
             not know `{to}`"
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}
