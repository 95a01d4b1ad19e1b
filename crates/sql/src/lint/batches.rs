//! Changes of many rows, a part of them at a time.

use super::remedy::{self, name, names, object};
use crate::schema::{Schema, Table};
use crate::{Dialect, ObjectName};

/// How the rows of a table are told apart, so that a statement can take some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Batches {
    /// By the range of one integer.
    Range(String),
    /// By where they are: SQLite's number of a row that no column shows.
    Rowid(&'static str),
    /// By a key whose values nobody can count: as many as are found.
    Key(Vec<String>),
    /// By their place in the table, as many as are found (PostgreSQL).
    Place,
    /// As many as are found (MySQL and MariaDB).
    Limit,
}

/// How the rows of a table can be told apart, by what is known of its key.
pub(super) fn batches(schema: &Schema, table: &ObjectName) -> Batches {
    let dialect = schema.dialect();
    let known = schema.table(table);
    let key = known.map(Table::primary_key).unwrap_or_default();
    if let [column] = key
        && schema.column(table, column).is_some_and(|column| {
            let data_type = column.definition.data_type.as_ref();
            data_type
                .is_some_and(|data_type| !data_type.array && is_integer(dialect, &data_type.name))
        })
    {
        return Batches::Range(column.clone());
    }
    match (dialect, key) {
        (Dialect::Mysql, _) => Batches::Limit,
        (Dialect::Postgres, []) => Batches::Place,
        (Dialect::Postgres, key) => Batches::Key(key.to_vec()),
        (Dialect::Sqlite, key) => match known.map_or(Some("rowid"), rowid) {
            Some(rowid) => Batches::Rowid(rowid),
            None => Batches::Key(key.to_vec()),
        },
    }
}

fn is_integer(dialect: Dialect, data_type: &str) -> bool {
    match dialect {
        Dialect::Sqlite => data_type.contains("int"),
        _ => matches!(
            data_type,
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint"
        ),
    }
}

/// The name by which SQLite knows the number of a row; `None` where rows have none.
pub(super) fn rowid(table: &Table) -> Option<&'static str> {
    let without = |(name, _): &(String, String)| name == "WITHOUT ROWID";
    if table.options.iter().any(without) {
        return None;
    }
    let mut free = ["rowid", "_rowid_", "oid"].into_iter();
    free.find(|name| table.column(Dialect::Sqlite, name).is_none())
}

impl Batches {
    /// `WHERE` and what follows it, for some of the rows that meet a condition. Where they are those that are found, the
    /// condition must cease to be true of a row that is changed.
    pub(super) fn some(
        &self,
        dialect: Dialect,
        table: &ObjectName,
        condition: Option<&str>,
    ) -> String {
        let on = object(dialect, table);
        let found = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
        let also = condition.map_or(String::new(), |condition| format!(" AND {condition}"));
        match self {
            Self::Range(key) => {
                format!("WHERE {} BETWEEN 1 AND 10000{also}", name(dialect, key))
            }
            Self::Rowid(key) => format!("WHERE {key} BETWEEN 1 AND 10000{also}"),
            // The condition stands there twice: another session may have changed a row since it was found.
            Self::Key(key) => {
                let columns = names(dialect, key);
                let row = match key.len() {
                    1 => columns.clone(),
                    _ => format!("({columns})"),
                };
                format!("WHERE {row} IN (SELECT {columns} FROM {on}{found} LIMIT 10000){also}")
            }
            Self::Place => {
                format!("WHERE ctid = ANY (ARRAY(SELECT ctid FROM {on}{found} LIMIT 10000)){also}")
            }
            Self::Limit => match condition {
                Some(condition) => format!("WHERE {condition} LIMIT 10000"),
                None => "LIMIT 10000".to_owned(),
            },
        }
    }

    /// Whether one statement after the other takes the rows that are left, rather than those of a range.
    pub(super) fn finds(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Place | Self::Limit)
    }

    /// A migration with a statement that changes some of the rows, and how to go on with it.
    pub(super) fn file(&self, statement: &str) -> String {
        let note = match self {
            Self::Range(_) => "one such statement for each range of keys",
            Self::Rowid(_) => {
                "one such statement for each range of row numbers, up to the greatest one"
            }
            _ => {
                "the same statement again and again, once for each 10000 rows, until no row is left; one too many does nothing"
            }
        };
        remedy::data(&format!(
            "-- forerun:no-transaction\n-- {note}\n{}",
            remedy::ended(statement)
        ))
    }
}

/// An `UPDATE` of some of the rows; those that follow are written the same way. `undone` is true of a row that is not
/// changed yet, and of none that is.
pub(super) fn backfill(schema: &Schema, table: &ObjectName, set: &str, undone: &str) -> String {
    let dialect = schema.dialect();
    let batches = batches(schema, table);
    let some = batches.some(dialect, table, Some(undone));
    batches.file(&format!(
        "UPDATE {} SET {set} {some}",
        object(dialect, table)
    ))
}

/// As [`backfill`], of a column that takes NULL, from a value that may be NULL: rows for which it is are done as they are.
pub(super) fn copied(schema: &Schema, table: &ObjectName, column: &str, value: &str) -> String {
    let undone = match batches(schema, table).finds() {
        true => {
            let plain = |letter: char| letter.is_alphanumeric() || "_\"`:".contains(letter);
            match value.chars().all(plain) {
                true => format!("{column} IS NULL AND {value} IS NOT NULL"),
                false => format!("{column} IS NULL AND ({value}) IS NOT NULL"),
            }
        }
        false => format!("{column} IS NULL"),
    };
    backfill(schema, table, &format!("{column} = {value}"), &undone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectKind;
    use crate::operation::operations;

    fn of(dialect: Dialect, table: &str) -> Batches {
        let mut schema = Schema::new(dialect);
        for operation in operations(dialect, table).list {
            schema.apply(&operation, table);
        }
        let name = ObjectName {
            kind: ObjectKind::Table,
            schema: None,
            name: "t".to_owned(),
        };
        batches(&schema, &name)
    }

    #[test]
    fn rows_are_told_apart_by_what_their_key_is() {
        let key =
            |columns: &[&str]| Batches::Key(columns.iter().map(|&key| key.to_owned()).collect());
        let range = || Batches::Range("id".to_owned());
        let expected = [
            (
                Dialect::Postgres,
                "CREATE TABLE t (id bigserial PRIMARY KEY)",
                range(),
            ),
            (
                Dialect::Postgres,
                "CREATE TABLE t (id uuid PRIMARY KEY)",
                key(&["id"]),
            ),
            (
                Dialect::Postgres,
                "CREATE TABLE t (id int[] PRIMARY KEY)",
                key(&["id"]),
            ),
            (
                Dialect::Postgres,
                "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",
                key(&["a", "b"]),
            ),
            (Dialect::Postgres, "CREATE TABLE t (id int)", Batches::Place),
            (
                Dialect::Postgres,
                "CREATE TABLE other (id int PRIMARY KEY)",
                Batches::Place,
            ),
            (
                Dialect::Mysql,
                "CREATE TABLE t (id int unsigned PRIMARY KEY)",
                range(),
            ),
            (
                Dialect::Mysql,
                "CREATE TABLE t (id char(36) PRIMARY KEY)",
                Batches::Limit,
            ),
            (
                Dialect::Mysql,
                "CREATE TABLE other (id int PRIMARY KEY)",
                Batches::Limit,
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE t (id integer PRIMARY KEY)",
                range(),
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE t (id text PRIMARY KEY)",
                Batches::Rowid("rowid"),
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE t (id text, RowId int)",
                Batches::Rowid("_rowid_"),
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE t (id text PRIMARY KEY) WITHOUT ROWID",
                key(&["id"]),
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE t (id int PRIMARY KEY) WITHOUT ROWID",
                range(),
            ),
            (
                Dialect::Sqlite,
                "CREATE TABLE other (id integer PRIMARY KEY)",
                Batches::Rowid("rowid"),
            ),
        ];
        for (dialect, table, batches) in expected {
            assert_eq!(of(dialect, table), batches, "{table}");
        }
    }
}
