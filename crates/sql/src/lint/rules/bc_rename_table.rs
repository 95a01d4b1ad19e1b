use super::super::compatibility::renamed_report;
use super::prelude::*;
use crate::ObjectName;
use crate::schema::Table;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-table",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "RENAME TABLE, ALTER TABLE … RENAME TO",
    why: "Every statement of the release that still runs that names the table fails from the moment of the rename. \
          On PostgreSQL rename it and make a view with the old name in the same transaction: the old release reads \
          and writes through the view (grant its role the same rights on it), and a contract file drops the view \
          later. On MySQL and MariaDB, where the two statements cannot be one transaction, make a view with the new \
          name, let the new release use that, and exchange the names in a contract file, which is one atomic `RENAME \
          TABLE`.\n\n\
          On SQLite it is the view with the new name as well, since one is not written through like a table there: \
          `INSTEAD OF` triggers have to do it, and the release that runs must not depend on them. What the new release \
          cannot do until the contract file has put the table in the place of the view: `INSERT … ON CONFLICT` (`cannot \
          UPSERT a view`) and `INSERT OR REPLACE`; learn the number of a new row from `last_insert_rowid()` or \
          `RETURNING`, or how many rows were changed from `changes()`; store NULL in a column that has a default, which it \
          gets instead.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE clients (id bigint PRIMARY KEY, name text);",
            found: "ALTER TABLE clients RENAME TO customers;",
            instead: &[
                "ALTER TABLE clients RENAME TO customers;\n\
                     CREATE VIEW clients AS SELECT * FROM customers;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW clients;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE clients (id bigint PRIMARY KEY, name text);",
            found: "RENAME TABLE clients TO customers;",
            instead: &[
                "CREATE VIEW customers AS SELECT * FROM clients;",
                "-- forerun:contract unused-since=2.5.0\n\
                     RENAME TABLE customers TO customers_view, clients TO customers;\n\
                     DROP VIEW customers_view;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE clients (id integer PRIMARY KEY, name text);",
            found: "ALTER TABLE clients RENAME TO customers;",
            instead: &[
                "CREATE VIEW customers AS SELECT * FROM clients;\n\
                     CREATE TRIGGER customers_insert INSTEAD OF INSERT ON customers BEGIN\n\
                     INSERT INTO clients (id, name) VALUES (NEW.id, NEW.name);\n\
                     END;\n\
                     CREATE TRIGGER customers_update INSTEAD OF UPDATE ON customers BEGIN\n\
                     UPDATE clients SET id = NEW.id, name = NEW.name WHERE id IS OLD.id;\n\
                     END;\n\
                     CREATE TRIGGER customers_delete INSTEAD OF DELETE ON customers BEGIN\n\
                     DELETE FROM clients WHERE id IS OLD.id;\n\
                     END;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP VIEW customers;\n\
                     ALTER TABLE clients RENAME TO customers;",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "renaming-table",
        strong_migrations: "rename_table",
        atlas: "BC101",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Rename { object, .. } = &at.operation.kind else {
        return;
    };
    // Another table takes its place: `RENAME TABLE a TO b, c TO a` of MySQL leaves nobody without `a`.
    let same = |other: &ObjectName| at.schema().same_name(other, object);
    let replaced = at.later().any(|later| match &later.kind {
        OperationKind::Rename { to, .. } => same(to),
        OperationKind::CreateTable(create) => create.table.as_ref().is_some_and(same),
        _ => false,
    });
    if !replaced {
        renamed_report(at, report, &[ObjectKind::Table], "table", instead);
    }
}

fn instead(at: &At<'_>, table: &ObjectName, to: &ObjectName) -> Vec<String> {
    let dialect = at.dialect();
    let old = remedy::object(dialect, table);
    let bare = remedy::name(dialect, &to.name);
    let renamed = ObjectName {
        schema: to.schema.clone().or_else(|| table.schema.clone()),
        ..to.clone()
    };
    let new = remedy::object(dialect, &renamed);
    match dialect {
        Dialect::Postgres => vec![
            format!(
                "ALTER TABLE {old} RENAME TO {bare};\nCREATE VIEW {old} AS SELECT * FROM {new};"
            ),
            remedy::contract(&format!("DROP VIEW {old};")),
        ],
        Dialect::Mysql => {
            let aside = ObjectName {
                name: format!("{}_view", to.name),
                ..renamed
            };
            let aside = remedy::object(dialect, &aside);
            vec![
                format!("CREATE VIEW {new} AS SELECT * FROM {old};"),
                remedy::contract(&format!(
                    "RENAME TABLE {new} TO {aside}, {old} TO {new};\nDROP VIEW {aside};"
                )),
            ]
        }
        Dialect::Sqlite => match at.schema().table(table).filter(|known| !known.incomplete) {
            Some(known) => {
                let triggers = write_through(known, &renamed, table);
                vec![
                    format!("CREATE VIEW {new} AS SELECT * FROM {old};\n{triggers}"),
                    remedy::contract(&format!(
                        "DROP VIEW {new};\nALTER TABLE {old} RENAME TO {bare};"
                    )),
                ]
            }
            None => Vec::new(),
        },
    }
}

/// The triggers that SQLite needs to write through a view. They may name no schema, and are in that of the view.
fn write_through(known: &Table, view: &ObjectName, table: &ObjectName) -> String {
    let dialect = Dialect::Sqlite;
    let table = remedy::name(dialect, &table.name);
    let columns: Vec<String> = known
        .columns
        .iter()
        .filter(|column| column.definition.generated.is_none())
        .map(|column| remedy::name(dialect, &column.definition.name))
        .collect();
    let keys: Vec<String> = match known.primary_key() {
        [] => columns.clone(),
        keys => keys.iter().map(|key| remedy::name(dialect, key)).collect(),
    };
    let each = |list: &[String], form: fn(&str) -> String, between: &str| {
        list.iter()
            .map(|column| form(column))
            .collect::<Vec<_>>()
            .join(between)
    };
    let trigger = |event: &str, action: String| {
        let name = ObjectName {
            name: format!("{}_{}", view.name, event.to_lowercase()),
            ..view.clone()
        };
        let name = remedy::object(dialect, &name);
        let on = remedy::name(dialect, &view.name);
        format!("CREATE TRIGGER {name} INSTEAD OF {event} ON {on} BEGIN\n  {action};\nEND;")
    };
    // A column that an insert leaves out is NULL here.
    let values: Vec<String> = known
        .columns
        .iter()
        .filter(|column| column.definition.generated.is_none())
        .map(|column| {
            let named = remedy::name(dialect, &column.definition.name);
            match &column.definition.default {
                Some(default) if !default.text.trim().eq_ignore_ascii_case("NULL") => {
                    format!("coalesce(NEW.{named}, {})", default.text.trim())
                }
                _ => format!("NEW.{named}"),
            }
        })
        .collect();
    let values = values.join(", ");
    let set = each(&columns, |column| format!("{column} = NEW.{column}"), ", ");
    let same = each(&keys, |key| format!("{key} IS OLD.{key}"), " AND ");
    [
        trigger(
            "INSERT",
            format!(
                "INSERT INTO {table} ({}) VALUES ({values})",
                columns.join(", ")
            ),
        ),
        trigger("UPDATE", format!("UPDATE {table} SET {set} WHERE {same}")),
        trigger("DELETE", format!("DELETE FROM {table} WHERE {same}")),
    ]
    .join("\n")
}
