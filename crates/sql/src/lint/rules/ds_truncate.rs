use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ds-truncate",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "TRUNCATE",
    why: "All rows are gone, and on MySQL and MariaDB at once and for good: it commits by itself and cannot be \
          rolled back. A table that only holds what can be computed again can be allowed, with that as the reason; \
          otherwise delete the rows that are meant, in ranges of the key.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
        found: "TRUNCATE TABLE users;",
        instead: &["-- forerun:data\n\
                     DELETE FROM users WHERE id BETWEEN 1 AND 10000;"],
        claims: &[],
    }],
    peers: Peers {
        squawk: "ban-truncate",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::Truncate { table, .. } = &at.operation.kind
        && at.is_old(table)
    {
        let message = format!("all rows of `{}` are gone for good", table.name);
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
