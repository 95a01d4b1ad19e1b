//! What exists in the database, for those who judge scripts before they run.
//!
//! `information_schema` tells it in two queries; `SHOW CREATE TABLE` would be one for each table. What is written here is
//! what `SHOW CREATE TABLE` would show, as far as rules look at it.

mod table;

use std::collections::BTreeMap;

use forerun_migrations::database::DatabaseError;
use forerun_sql::schema::{Catalog, CatalogObject};

use self::table::Table;
use super::connect::Facts;
use super::connection::Connection;
use super::row;

const TABLES: &str = include_str!("sql/existing_tables.sql");
const VISIBLE: &str = include_str!("sql/existing_visible.sql");
const PARTS: &str = include_str!("sql/existing_parts.sql");
const SLOW_PARTS: &str = include_str!("sql/existing_slow_parts.sql");

/// So many tables may be opened for foreign keys and estimates. More do not fit into MariaDB's cache of open tables
/// (`table_open_cache`), and each takes half a millisecond.
const MANY: usize = 2000;

/// Limits on a look that nobody should notice: MariaDB opens the tables for it.
const MARIADB_LIMITS: &str = "SET STATEMENT lock_wait_timeout = 1, max_statement_time = 30 FOR ";
const MYSQL_LIMITS: &str = "/*+ MAX_EXECUTION_TIME(30000) SET_VAR(lock_wait_timeout = 1) */";

/// Tables with their columns, keys, indexes and checks, and views, of the database that the session works in, as far as
/// its user may see them; that is all where he may read the whole database. Of more than [`MANY`] tables MariaDB is asked
/// for no foreign keys and no estimates.
///
/// # Errors
/// When the server refuses it, or takes longer than 30 seconds.
pub(super) async fn catalog(
    connection: &mut Connection,
    facts: &Facts,
) -> Result<Catalog, DatabaseError> {
    let mut catalog = Catalog {
        search_path: vec![facts.database.clone()],
        ..Catalog::default()
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let (mut views, mut sequences) = (Vec::new(), Vec::new());
    for found in connection.map_rows(&query(TABLES, facts), row::all).await? {
        let mut found = found.into_iter();
        let mut next = || found.next().flatten();
        let name = next().unwrap_or_default();
        match next().as_deref() {
            Some("BASE TABLE" | "SYSTEM VERSIONED") => {
                let table = tables.entry(name).or_default();
                table.engine = next();
                table.collation = next();
                let options = next().unwrap_or_default();
                table.compressed = options.contains("row_format=compressed");
                table.partitioned = options.contains("partitioned");
            }
            Some("VIEW") => views.push(name),
            Some("SEQUENCE") => sequences.push(name),
            Some("ALL") => catalog.complete = true,
            _ => {}
        }
    }
    if !tables.is_empty() {
        let many = facts.mariadb && tables.len() > MANY;
        let parts = match many {
            true => PARTS.to_owned(),
            false => format!("{PARTS}{SLOW_PARTS}"),
        };
        tables.values_mut().for_each(|table| table.sketch = many);
        for found in connection.map_rows(&query(&parts, facts), row::all).await? {
            let mut found = found.into_iter();
            let kind = found.next().flatten().unwrap_or_default();
            let of_table = found.next().flatten().unwrap_or_default();
            if let Some(table) = tables.get_mut(&of_table) {
                table.add(&kind, found.collect(), facts.mariadb);
            }
        }
    }
    for (name, table) in &tables {
        catalog.objects.extend(table.definition(name));
    }
    let views = views.iter().map(|name| (name, "VIEW", " AS SELECT 1"));
    let sequences = sequences.iter().map(|name| (name, "SEQUENCE", ""));
    let others = views.chain(sequences).map(|(name, noun, rest)| {
        let name = table::quoted(name);
        CatalogObject {
            sketch: true,
            ..CatalogObject::new(format!("CREATE {noun} {name}{rest}"))
        }
    });
    catalog.objects.extend(others);
    Ok(catalog)
}

/// The query in the words of this server: where it keeps checks, and which indexes the optimizer ignores.
fn query(text: &str, facts: &Facts) -> String {
    let (before, hint) = match facts.mariadb {
        true => (MARIADB_LIMITS, ""),
        false => ("", MYSQL_LIMITS),
    };
    let hidden = match (facts.mariadb, version(&facts.product)) {
        (true, version) if version >= (10, 6) => "IGNORED",
        (false, version) if version >= (8, 0) => "IF(IS_VISIBLE = 'NO', 'YES', 'NO')",
        _ => "NULL",
    };
    let (enforced, checks) = match facts.mariadb {
        true => (
            "'YES'",
            "information_schema.CHECK_CONSTRAINTS c JOIN (SELECT DATABASE() AS name) own ON c.CONSTRAINT_SCHEMA = own.name",
        ),
        false => (
            "k.ENFORCED",
            "information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS k \
             USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME) \
             WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND k.CONSTRAINT_TYPE = 'CHECK'",
        ),
    };
    let text = match facts.mariadb {
        true => text.replace("k.TABLE_NAME", "c.TABLE_NAME"),
        false => text.to_owned(),
    };
    // On MySQL what is granted on everything may be taken back for one database: there nobody can be sure.
    let visible = if facts.mariadb { VISIBLE } else { "" };
    let text = text
        .replace("{visible}", visible)
        .replace("{hint}", hint)
        .replace("{hidden}", hidden)
        .replace("{enforced}", enforced)
        .replace("{checks}", checks);
    format!("{before}{text}")
}

/// Major and minor version of `MariaDB 10.11.6`.
fn version(product: &str) -> (u32, u32) {
    let numbers = product.split(' ').next_back().unwrap_or_default();
    let mut numbers = numbers
        .split('.')
        .map(|number| number.parse().unwrap_or_default());
    let major = numbers.next().unwrap_or_default();
    (major, numbers.next().unwrap_or_default())
}
