use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "lt-index-build",
    severity: Severity::Info,
    kind: Kind::Lock,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "an index built while every writer waits",
    why: "There is one writer for the whole file, and to build an index takes as long as the table is large. SQLite has no \
          other way to build one, so this is only worth knowing where the table is large: let the release set a \
          `busy_timeout` that is longer than the work, or let it pause.",
    examples: &[Example {
        dialect: Dialect::Sqlite,
        before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
        found: "CREATE INDEX users_email ON users (email);",
        instead: &[],
        claims: &[Claim {
            table: "users",
            lock: "whole file",
            blocks: Blocks::Writers,
            work: Work::IndexBuild,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::CreateIndex(index) = &at.operation.kind else {
        return;
    };
    if let Some(table) = index.table.as_ref().filter(|table| at.is_old(table)) {
        let message = format!(
            "every writer of the file waits while the index is built, as long as `{}` is large",
            table.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
