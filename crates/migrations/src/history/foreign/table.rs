//! Tables of a database that may be histories: which there are, with their columns, in one query.

use std::fmt;

use forerun_sql::Dialect;

use super::sql::{identifier, literal};
use super::{PeerHistory, all};

/// A table that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema (MySQL: database; SQLite: `main`).
    pub schema: String,
    /// Its name, as it is written in the catalog.
    pub name: String,
    /// Its columns in order: name in lower case, and type.
    pub columns: Vec<(String, String)>,
}

/// The name of a table as somebody types it: `migrations`, `app.migrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// Schema (MySQL: database), if one is given.
    pub schema: Option<String>,
    /// Name.
    pub name: String,
}

impl TableName {
    /// From what was typed; `None` when a part is empty.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name),
            None => (None, text),
        };
        let complete = !name.is_empty() && schema.as_ref().is_none_or(|schema| !schema.is_empty());
        complete.then(|| Self {
            schema,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

impl Table {
    /// As it stands in SQL.
    pub fn qualified(&self, dialect: Dialect) -> String {
        let schema = identifier(dialect, &self.schema);
        format!("{schema}.{}", identifier(dialect, &self.name))
    }

    /// Whether all of these are among its columns.
    pub(super) fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|name| self.type_of(name).is_some())
    }

    /// Whether these are its columns, in any order, and no others.
    pub(super) fn is_exactly(&self, columns: &[&str]) -> bool {
        self.columns.len() == columns.len() && self.has(columns)
    }

    /// The type of a column.
    pub(super) fn type_of(&self, column: &str) -> Option<&str> {
        let found = self.columns.iter().find(|(name, _)| name == column);
        found.map(|(_, data_type)| data_type.as_str())
    }

    /// Whether it has one of these names, which are in lower case.
    pub fn is_called(&self, names: &[&str]) -> bool {
        names.contains(&self.name.to_lowercase().as_str())
    }

    /// Its name for people; the schema is said where it is not one in which everything is.
    pub fn shown(&self, usual_schema: Option<&str>) -> String {
        if usual_schema.is_none_or(|usual| usual == self.schema) {
            self.name.clone()
        } else {
            format!("{}.{}", self.schema, self.name)
        }
    }
}

/// The query for tables that may be a history of `peers`: those of their names, or of `wanted`, with their companions.
pub fn tables_query(
    dialect: Dialect,
    peers: &[&'static dyn PeerHistory],
    wanted: Option<&TableName>,
) -> String {
    let mut names: Vec<String> = match wanted {
        Some(wanted) => vec![wanted.name.to_lowercase()],
        None => texts(peers, PeerHistory::tables),
    };
    names.extend(texts(peers, PeerHistory::companions));
    let mut schemas = texts(peers, PeerHistory::schemas);
    schemas.extend(wanted.and_then(|wanted| wanted.schema.clone()));
    let list = |texts: &[String]| {
        let literals: Vec<String> = texts.iter().map(|text| literal(dialect, text)).collect();
        literals.join(", ")
    };
    let names = list(&names);
    let elsewhere = |column: &str| match &schemas[..] {
        [] => String::new(),
        schemas => format!(" OR {column} IN ({})", list(schemas)),
    };
    match dialect {
        Dialect::Postgres => format!(
            "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relkind IN ('r', 'p') AND lower(c.relname) IN ({names}) \
             AND (n.nspname = ANY (pg_catalog.current_schemas(false)){}) \
             ORDER BY n.nspname, c.relname, a.attnum",
            elsewhere("n.nspname")
        ),
        Dialect::Mysql => format!(
            "SELECT table_schema, table_name, column_name, column_type FROM information_schema.columns \
             WHERE lower(table_name) IN ({names}) AND (table_schema = DATABASE(){}) \
             ORDER BY table_schema, table_name, ordinal_position",
            elsewhere("table_schema")
        ),
        Dialect::Sqlite => format!(
            "SELECT 'main', m.name, p.name, p.type FROM main.sqlite_schema m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND lower(m.name) IN ({names}) ORDER BY m.name, p.cid"
        ),
    }
}

fn texts(
    peers: &[&'static dyn PeerHistory],
    of: impl Fn(&'static dyn PeerHistory) -> &'static [&'static str],
) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for text in peers.iter().flat_map(|peer| of(*peer)) {
        if texts.iter().all(|known| known != text) {
            texts.push((*text).to_owned());
        }
    }
    texts
}

/// Tables from the rows of [`tables_query`].
pub fn read_tables(rows: Vec<Vec<Option<String>>>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let mut columns = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || columns.next().unwrap_or_default();
        let (schema, name, column, data_type) = (next(), next(), next(), next());
        let column = (column.to_lowercase(), data_type.to_lowercase());
        match tables.last_mut() {
            Some(table) if table.schema == schema && table.name == name => {
                table.columns.push(column);
            }
            _ => tables.push(Table {
                schema,
                name,
                columns: vec![column],
            }),
        }
    }
    tables
}

impl Table {
    /// Whose history it is, if it is called as one of its tool; with `any_name` by its columns alone.
    pub fn owner(&self, any_name: bool) -> Option<&'static dyn PeerHistory> {
        all().find(|peer| (any_name || self.is_called(peer.tables())) && peer.recognises(self))
    }
}
