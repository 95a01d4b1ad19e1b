use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-set-schema",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "SET SCHEMA, RENAME TABLE into another database",
    why: "The release that still runs looks for it where it was, and fails. Move a table and make a view in its old \
          place in the same transaction (PostgreSQL), which a contract file drops later; on MySQL and MariaDB make a \
          view in the new place and exchange the two in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE clients (id bigint PRIMARY KEY, name text);\n\
                     CREATE SCHEMA sales;",
            found: "ALTER TABLE clients SET SCHEMA sales;",
            instead: &[
                "ALTER TABLE clients SET SCHEMA sales;\n\
                     CREATE VIEW clients AS SELECT * FROM sales.clients;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW clients;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE clients (id bigint PRIMARY KEY, name text);",
            found: "RENAME TABLE clients TO sales.clients;",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Rename { object, to, .. } = &at.operation.kind else {
        return;
    };
    let moves = to.name == object.name && !at.schema().same_name(object, to);
    if !moves || !at.is_old_object(object) || at.has_view_later(object) {
        return;
    }
    let dialect = at.dialect();
    let message = format!(
        "the release that still runs looks for `{}` where it was, and does not find it",
        object.name
    );
    let instead = match (object.kind, dialect) {
        (ObjectKind::Table | ObjectKind::View, Dialect::Postgres) => {
            let (old, new) = (remedy::object(dialect, object), remedy::object(dialect, to));
            vec![
                format!(
                    "{}\nCREATE VIEW {old} AS SELECT * FROM {new};",
                    remedy::ended(at.statement.text)
                ),
                remedy::contract(&format!("DROP VIEW {old};")),
            ]
        }
        _ => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}
