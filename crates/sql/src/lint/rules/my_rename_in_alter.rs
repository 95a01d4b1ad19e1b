use super::super::my_remedy::is_alter_table;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-rename-in-alter",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "RENAME TO among other actions of ALTER TABLE",
    why: "The new name takes effect when the last of the other actions is done, and for that moment nobody may use the \
          table: renaming needs `LOCK=EXCLUSIVE` (so `LOCK=NONE` is refused for it alone). From then on every statement of \
          the release that still runs fails, at a time that nobody can foresee, and there is no moment at which both names \
          work. Change the table in one migration, let the new release use a view with the new name, and exchange the two \
          in a contract file: `RENAME TABLE` renames several things at once, `ALTER TABLE` only one.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE clients (id bigint PRIMARY KEY, name varchar(100));",
        found: "ALTER TABLE clients ADD COLUMN note varchar(50), RENAME TO customers;",
        instead: &[
            "ALTER TABLE clients ADD COLUMN note varchar(50), ALGORITHM=INSTANT;",
            "CREATE VIEW customers AS SELECT * FROM clients;",
            "-- forerun:contract unused-since=2.5.0\n\
             RENAME TABLE customers TO customers_view, clients TO customers;\n\
             DROP VIEW customers_view;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Rename { object, to, .. } = &at.operation.kind else {
        return;
    };
    let others = at.statement.operations.list.len() > 1;
    if object.kind != ObjectKind::Table
        || !is_alter_table(&at.statement)
        || !others
        || !at.is_old(object)
    {
        return;
    }
    let message = format!(
        "`{}` becomes `{}` whenever the rest of the statement is done, and the release that still runs fails from then on",
        object.name, to.name
    );
    let (old, new) = (
        remedy::object(Dialect::Mysql, object),
        remedy::object(Dialect::Mysql, to),
    );
    let aside = remedy::name(Dialect::Mysql, &format!("{}_view", to.name));
    let instead = vec![
        format!("CREATE VIEW {new} AS SELECT * FROM {old};"),
        remedy::contract(&format!(
            "RENAME TABLE {new} TO {aside}, {old} TO {new};\nDROP VIEW {aside};"
        )),
    ];
    report.add(at.operation.span.clone(), message, instead);
}
