use super::prelude::*;
use crate::operation::{ConstraintKind, Expression, operations};
use crate::schema::{Schema, Table, same};
use crate::{ObjectName, schema::Definition};

pub(super) static RULE: Rule = Rule {
    id: "lt-drop-used-column",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::Schema,
    summary: "DROP COLUMN of a column that something else names",
    why: "SQLite refuses to drop a column that is in an index, a key, a `CHECK` of the table or of another column, a \
          foreign key of the table, a generated column, a view, or that a trigger names as `NEW.…` or `OLD.…` (`error in \
          index … after drop column`, `cannot drop UNIQUE column`). A trigger that only writes to the column is worse: the \
          drop succeeds, and from then on everything that fires the trigger fails with `no such column`. Drop the index, \
          view or trigger in the same migration before the column, and make it again without the column after. For a key \
          or a constraint the table has to be made anew (see `lt-rebuild`).",
    examples: &[
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text);\n\
                     CREATE INDEX users_email ON users (email);",
            found: "-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                        DROP INDEX users_email;\n\
                        ALTER TABLE users DROP COLUMN email;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text);\n\
                     CREATE VIEW contacts AS SELECT name, email FROM users;",
            found: "-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                        DROP VIEW contacts;\n\
                        ALTER TABLE users DROP COLUMN email;\n\
                        CREATE VIEW contacts AS SELECT name FROM users;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let schema = at.schema();
    let known = schema.table(table);
    let fixed = known.and_then(|known| in_table(known, column));
    let users = users(schema, table, known, column);
    let Some(first) = fixed
        .clone()
        .or_else(|| users.first().map(|user| user.what.clone()))
    else {
        return;
    };
    let late = fixed.is_none() && users.iter().all(|user| user.late);
    let message = match late {
        true => format!(
            "whatever fires {first} fails from here on, because it writes to `{}.{column}`",
            table.name
        ),
        false => format!(
            "SQLite refuses this: {first} names `{}.{column}`",
            table.name
        ),
    };
    let instead = without_users(at, table, column).unwrap_or_default();
    report.add(at.operation.span.clone(), message, instead);
}

/// The column dropped after what uses it, where something does; nothing where the table itself does.
pub(super) fn without_users(at: &At<'_>, table: &ObjectName, column: &str) -> Option<Vec<String>> {
    let known = at.schema().table(table);
    if known.is_some_and(|known| in_table(known, column).is_some()) {
        return Some(Vec::new());
    }
    let users = users(at.schema(), table, known, column);
    let drops: Vec<&str> = users.iter().map(|user| user.drop.as_str()).collect();
    (!drops.is_empty()).then(|| {
        vec![remedy::contract(&format!(
            "{}\nALTER TABLE {} DROP COLUMN {};",
            drops.join("\n"),
            remedy::object(Dialect::Sqlite, table),
            remedy::name(Dialect::Sqlite, column)
        ))]
    })
}

/// What uses a column from outside of its table.
struct User {
    what: String,
    drop: String,
    /// It is found out only when it runs.
    late: bool,
}

/// What of the table itself names the column.
fn in_table(table: &Table, column: &str) -> Option<String> {
    let dialect = Dialect::Sqlite;
    let own = table.column(dialect, column)?;
    let constraints = table.constraints.iter().find_map(|constraint| {
        let with_column = own.definition.constraints.contains(constraint);
        let listed = constraint
            .columns()
            .iter()
            .any(|name| same(dialect, name, column));
        match &constraint.kind {
            ConstraintKind::PrimaryKey { .. } if listed => Some("the primary key"),
            ConstraintKind::Unique { .. } if listed => Some("a unique key"),
            ConstraintKind::ForeignKey { .. } if listed && !with_column => {
                Some("a foreign key of the table")
            }
            ConstraintKind::Check { condition }
                if !with_column && condition.names(dialect, column) =>
            {
                Some("a check")
            }
            _ => None,
        }
    });
    let generated = || {
        let mut others = table
            .columns
            .iter()
            .filter(|other| !same(dialect, &other.definition.name, column));
        others.find_map(|other| {
            let generated = other.definition.generated.as_ref()?;
            let names = generated.expression.names(dialect, column);
            names.then(|| format!("the generated column `{}`", other.definition.name))
        })
    };
    constraints.map(str::to_owned).or_else(generated)
}

fn users(schema: &Schema, table: &ObjectName, known: Option<&Table>, column: &str) -> Vec<User> {
    let dialect = Dialect::Sqlite;
    let mut users = Vec::new();
    for index in known.iter().flat_map(|known| &known.indexes) {
        let listed = index
            .columns
            .iter()
            .flatten()
            .any(|name| same(dialect, name, column));
        let partly = index
            .condition
            .as_ref()
            .is_some_and(|condition| condition.names(dialect, column));
        if let Some(name) = index.name.as_ref().filter(|_| listed || partly) {
            users.push(user("index", "INDEX", &name.name, false));
        }
    }
    for (name, view) in schema.definitions(ObjectKind::View) {
        let text = expression(&view.text);
        if text.names(dialect, &table.name) && text.names(dialect, column) {
            users.push(user("view", "VIEW", &name.name, false));
        }
    }
    for (name, trigger) in schema.definitions(ObjectKind::Trigger) {
        let on_it = trigger
            .table
            .as_ref()
            .is_some_and(|on| schema.same_name(on, table));
        if on_it && names_row(&trigger.text, column) {
            users.push(user("trigger", "TRIGGER", &name.name, false));
        } else if writes(schema, trigger, table, column) {
            users.push(user("trigger", "TRIGGER", &name.name, true));
        }
    }
    users
}

fn user(noun: &str, word: &str, name: &str, late: bool) -> User {
    User {
        what: format!("the {noun} `{name}`"),
        drop: format!("DROP {word} {};", remedy::name(Dialect::Sqlite, name)),
        late,
    }
}

fn expression(text: &str) -> Expression {
    Expression {
        text: text.to_owned(),
        span: 0..text.len(),
    }
}

/// Whether a trigger names the column as one of the row that fires it.
fn names_row(text: &str, column: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let column = column.to_ascii_lowercase();
    ["new", "old"].iter().any(|row| {
        ["", "\"", "`", "["].iter().any(|quote| {
            let name = format!("{row}.{quote}{column}");
            let mut places = text.match_indices(&name);
            places.any(|(place, _)| {
                let next = text
                    .get(place + name.len()..)
                    .and_then(|rest| rest.chars().next());
                next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
            })
        })
    })
}

/// Whether the body of a trigger has a statement that changes the table and names the column.
fn writes(schema: &Schema, trigger: &Definition, table: &ObjectName, column: &str) -> bool {
    let upper = trigger.text.to_ascii_uppercase();
    let Some(body) = upper
        .find("BEGIN")
        .and_then(|place| trigger.text.get(place + "BEGIN".len()..))
    else {
        return false;
    };
    body.split(';').any(|statement| {
        let changes = operations(Dialect::Sqlite, statement.trim()).list;
        let of_table = changes.iter().any(|change| {
            let changed = change.kind.table();
            changed.is_some_and(|changed| schema.same_name(changed, table))
        });
        of_table && expression(statement).names(Dialect::Sqlite, column)
    })
}
