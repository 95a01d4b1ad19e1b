//! What exists in the file, for those who judge scripts before they run.

use std::collections::HashMap;

use forerun_migrations::database::DatabaseError;
use forerun_sql::schema::{Catalog, CatalogObject};

use super::file::DatabaseFile;

/// SQLite keeps the statements themselves, with later changes worked in.
const EXISTING: &str = "SELECT name, sql FROM main.sqlite_master \
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name NOT IN \
    ('forerun_lock', 'forerun_history', 'forerun_audit', 'forerun_journal', 'forerun_deployment') \
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid";
const ANALYZED: &str = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_stat1'";
/// The first number is how many rows the index has, or the table without one.
const ROWS: &str = "SELECT tbl, max(CAST(stat AS integer)) FROM main.sqlite_stat1 GROUP BY tbl";

impl DatabaseFile {
    /// Tables, indexes, views and triggers. A file that does not exist has none, and is not created.
    pub fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        let mut estimates: HashMap<String, u64> = HashMap::new();
        if !self.rows(ANALYZED)?.is_empty() {
            for row in self.rows(ROWS)? {
                if let [Some(table), Some(rows)] = row.as_slice()
                    && let Ok(rows) = rows.parse()
                {
                    estimates.insert(table.to_lowercase(), rows);
                }
            }
        }
        let mut catalog = Catalog {
            complete: true,
            ..Catalog::default()
        };
        for row in self.rows(EXISTING)? {
            if let [Some(name), Some(definition)] = row.as_slice() {
                let rows = estimates.get(&name.to_lowercase()).copied();
                let object = CatalogObject::new(definition.as_str()).with_rows(rows);
                catalog.objects.push(object);
            }
        }
        Ok(catalog)
    }
}
