use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ds-drop-database",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Statement,
    summary: "DROP DATABASE",
    why: "Everything in it is gone, for every release and every application that uses it, and only a backup brings \
          it back. That is no step of a deployment: do it by hand, when somebody has looked.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "",
            found: "DROP DATABASE IF EXISTS old_reports;",
            instead: &[],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "",
            found: "DROP DATABASE IF EXISTS old_reports;",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-drop-database",
        atlas: "DS101",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::Drop { object, .. } = &at.operation.kind
        && object.kind == ObjectKind::Database
    {
        let message = format!(
            "everything in the database `{}` is gone for good",
            object.name
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}
