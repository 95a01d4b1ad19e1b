use super::prelude::*;
use crate::ObjectName;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "bc-new-restriction",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "a new CHECK, UNIQUE or FOREIGN KEY that writers may violate",
    why: "Every row that the release that still runs writes must satisfy it from this moment on, `NOT VALID` and \
          `CONCURRENTLY` or not. If that release may write rows that do not, its statements fail. Let a release that \
          only writes rows that conform be deployed first, and add the restriction in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;",
            instead: &[
                "-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;",
                "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "CREATE UNIQUE INDEX CONCURRENTLY orders_note ON orders (note);",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     CREATE UNIQUE INDEX CONCURRENTLY orders_note ON orders (note);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total decimal(10, 2), note varchar(200), state varchar(20) NOT NULL DEFAULT 'new');",
            found: "CREATE UNIQUE INDEX orders_note ON orders (note);",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     CREATE UNIQUE INDEX orders_note ON orders (note);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE orders (id integer PRIMARY KEY, total numeric, note text, state text NOT NULL DEFAULT 'new');",
            found: "CREATE UNIQUE INDEX orders_note ON orders (note);",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     CREATE UNIQUE INDEX orders_note ON orders (note);"],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "ban-new-write-restriction",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, what)) = restriction(at) else {
        return;
    };
    let message = format!(
        "rows that the release that still runs writes into `{}` must satisfy {what} from here on",
        table.name
    );
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}

fn restriction<'a>(at: &At<'a>) -> Option<(&'a ObjectName, String)> {
    if let OperationKind::CreateIndex(index) = &at.operation.kind {
        let table = index.table.as_ref().filter(|table| at.is_old(table))?;
        let new = |column: &Option<String>| {
            column
                .as_ref()
                .is_some_and(|column| !at.is_old_column(table, column))
        };
        let concerns = index.unique && !index.columns.iter().all(new);
        return concerns.then(|| (table, "a unique index".to_owned()));
    }
    let (table, constraint) = at.new_constraint()?;
    let kind = match &constraint.kind {
        // What refuses NULL has a rule of its own.
        ConstraintKind::NotNull { .. } => return None,
        ConstraintKind::Check { condition } => {
            if condition.not_null_column(at.dialect()).is_some() {
                return None;
            }
            "a check"
        }
        // The index refuses duplicates already.
        ConstraintKind::Unique {
            using_index: Some(_),
            ..
        }
        | ConstraintKind::PrimaryKey {
            using_index: Some(_),
            ..
        } => return None,
        ConstraintKind::Unique { .. } => "a unique constraint",
        ConstraintKind::PrimaryKey { .. } => "a primary key",
        ConstraintKind::ForeignKey { .. } => "a foreign key",
        ConstraintKind::Exclude => "an exclusion",
    };
    Some((
        table,
        match &constraint.name {
            Some(name) => format!("{kind}, `{name}`,"),
            None => kind.to_owned(),
        },
    ))
}
