use super::super::compatibility::renamed_report;
use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-view",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER VIEW … RENAME TO",
    why: "The queries of the release that still runs name the view as it was, and fail. Make a view with the old \
          name on the renamed one in the same transaction; a contract file drops it later. (MySQL and MariaDB rename \
          views with `RENAME TABLE`, see `bc-rename-table`.)",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE clients (id bigint PRIMARY KEY, name text);\n\
                     CREATE VIEW active AS SELECT id FROM clients;",
        found: "ALTER VIEW active RENAME TO current_clients;",
        instead: &[
            "ALTER VIEW active RENAME TO current_clients;\n\
                     CREATE VIEW active AS SELECT * FROM current_clients;",
            "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW active;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        renamed_report(
            at,
            report,
            &[ObjectKind::View, ObjectKind::MaterializedView],
            "view",
            instead,
        );
    }),
};

fn instead(at: &At<'_>, view: &ObjectName, to: &ObjectName) -> Vec<String> {
    let dialect = at.dialect();
    let (old, new) = (remedy::object(dialect, view), remedy::object(dialect, to));
    vec![
        format!(
            "{}\nCREATE VIEW {old} AS SELECT * FROM {new};",
            remedy::ended(at.statement.text)
        ),
        remedy::contract(&format!("DROP VIEW {old};")),
    ]
}
