use super::super::my_remedy::alter;
use super::prelude::*;
use crate::operation::ConstraintKind;
use crate::schema::same;

pub(super) static RULE: Rule = Rule {
    id: "my-drop-indexed-column",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "DROP COLUMN of a column that is indexed",
    why: "A column goes at once (MariaDB from 10.4, MySQL from 8.0.29), but not while an index has it. On MariaDB it then \
          takes `ALGORITHM=NOCOPY`, which is still quick; MySQL writes the whole table anew, and MariaDB does too when \
          the index has other columns besides. Drop the index first, in a statement of its own: then each of the two is \
          quick on both.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), INDEX users_email (email));",
        found: "-- forerun:contract unused-since=2.5.0\n\
                ALTER TABLE users DROP COLUMN email;",
        instead: &["-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP INDEX users_email;\n\
                    ALTER TABLE users DROP COLUMN email, ALGORITHM=INSTANT;"],
        claims: &[Claim {
            table: "users",
            lock: "LOCK=NONE",
            blocks: Blocks::Nobody,
            work: Work::Metadata,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let Some(known) = at.old_table(table) else {
        return;
    };
    let is_own = |name: &str| same(Dialect::Mysql, name, column);
    let (mut has_it, mut shares_it) = (false, false);
    let mut names = Vec::new();
    for index in &known.indexes {
        if index.columns.iter().flatten().any(|name| is_own(name)) {
            has_it = true;
            shares_it |= index.columns.len() > 1;
            names.push(index.name.as_ref().map(|name| name.name.clone()));
        }
    }
    // Named after its first column, when nobody has named it.
    for constraint in &known.constraints {
        let unique = matches!(constraint.kind, ConstraintKind::Unique { .. });
        if unique && constraint.columns().iter().any(|name| is_own(name)) {
            has_it = true;
            shares_it |= constraint.columns().len() > 1;
            names.push(
                constraint
                    .name
                    .clone()
                    .or_else(|| constraint.columns().first().cloned()),
            );
        }
    }
    let mariadb = at.statement.file.server.mariadb;
    // MariaDB takes an index of this column alone along, and that is quick.
    if !has_it || (mariadb == Some(true) && !shares_it) {
        return;
    }
    let shown: Vec<String> = names
        .iter()
        .flatten()
        .map(|name| format!("`{name}`"))
        .collect();
    let index = match shown.as_slice() {
        [] => "an index".to_owned(),
        _ => shown.join(", "),
    };
    let server = match (mariadb, shares_it) {
        (None, true) => "MySQL and MariaDB write",
        (Some(true), _) => "MariaDB writes",
        _ => "MySQL writes",
    };
    let message = format!(
        "`{}.{column}` is in {index}, so it does not go at once: {server} the whole table anew",
        table.name
    );
    let named =
        |name: &Option<String>| name.as_ref().map(|name| remedy::name(Dialect::Mysql, name));
    let drops: Option<Vec<String>> = names
        .iter()
        .map(|name| named(name).map(|name| alter(table, &format!("DROP INDEX {name}"))))
        .collect();
    let instead = match drops {
        Some(drops) => {
            let column = remedy::name(Dialect::Mysql, column);
            let drop = alter(table, &format!("DROP COLUMN {column}"));
            vec![remedy::contract(&format!("{}\n{drop}", drops.join("\n")))]
        }
        None => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}
