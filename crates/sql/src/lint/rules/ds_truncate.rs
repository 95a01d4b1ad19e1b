use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ds-truncate",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "TRUNCATE, DROP PARTITION, TRUNCATE PARTITION",
    why: "All rows are gone, and on MySQL and MariaDB at once and for good: it commits by itself and cannot be \
          rolled back. The same goes for the rows of a partition that is dropped or truncated. A table that only holds what can be computed again can be allowed, with that as the reason; \
          otherwise delete the rows that are meant, in ranges of the key.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), plan varchar(20));",
            found: "TRUNCATE TABLE users;",
            instead: &["-- forerun:data\n\
                     DELETE FROM users WHERE id BETWEEN 1 AND 10000;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE visits (day int PRIMARY KEY) PARTITION BY RANGE (day) (\n  \
                     PARTITION p1 VALUES LESS THAN (20260101), PARTITION p2 VALUES LESS THAN (20270101));",
            found: "ALTER TABLE visits DROP PARTITION p1;",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-truncate",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (table, which) = match &at.operation.kind {
        OperationKind::Truncate { table, .. } => (table, "all rows"),
        OperationKind::AlterTableOther { table, action }
            if matches!(action.as_str(), "DROP PARTITION" | "TRUNCATE PARTITION") =>
        {
            (table, "all rows of these partitions")
        }
        _ => return,
    };
    if at.is_old(table) {
        let message = format!("{which} of `{}` are gone for good", table.name);
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
