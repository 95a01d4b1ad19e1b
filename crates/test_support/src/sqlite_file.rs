//! A SQLite database file, asked through the `sqlite3` client.

use std::path::{Path, PathBuf};

use crate::client_program::{ClientInput, run};
use crate::installed::{clean_command, find_program, report_missing};

/// A database file and the client that reads it. The file belongs to whoever made the directory.
#[derive(Clone, Debug)]
pub struct SqliteFile {
    path: PathBuf,
    client: PathBuf,
}

impl SqliteFile {
    /// `path` need not exist yet. `None` (reported, and a failure in CI) when `sqlite3` is not installed.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        let Some(client) = find_program("sqlite3") else {
            report_missing("the sqlite3 client");
            return None;
        };
        Some(Self {
            path: path.to_owned(),
            client,
        })
    }

    /// `sqlite://<absolute path>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs SQL through `sqlite3` and returns what it printed: columns apart by `|`, one row a line.
    ///
    /// # Errors
    /// The client's message when a statement failed.
    pub fn try_execute(&self, sql: &str) -> Result<String, String> {
        let mut command = clean_command(&self.client);
        command
            .args(["-batch", "-bail", "-init", "/dev/null"])
            .arg(&self.path);
        run(&mut command, ClientInput::Text(sql)).map(|printed| printed.trim_end().to_owned())
    }

    /// [`try_execute`](Self::try_execute) for SQL that must succeed.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn query(&self, sql: &str) -> String {
        self.try_execute(sql)
            .unwrap_or_else(|error| panic!("{error}\nSQL: {sql}"))
    }

    /// Runs SQL.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute(&self, sql: &str) {
        self.query(sql);
    }

    /// The SQL of everything in the schema, by name, without forerun's tables and SQLite's own.
    #[must_use]
    pub fn dump_schema(&self) -> String {
        self.query(
            "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL \
             AND tbl_name NOT LIKE 'forerun\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name;",
        )
    }

    /// Schema and rows, each table by itself, without the tables whose names begin with one of `without` and SQLite's
    /// own.
    #[must_use]
    pub fn dump(&self, without: &[&str]) -> String {
        let mut wanted = String::from("name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
        for start in without {
            let start = start.replace('_', "\\_");
            wanted += &format!(" AND tbl_name NOT LIKE '{start}%' ESCAPE '\\'");
        }
        let schema = self.query(&format!(
            "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND {wanted} ORDER BY type, name;
             PRAGMA user_version; PRAGMA application_id;"
        ));
        let tables = self.query(&format!(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND {wanted} ORDER BY name;"
        ));
        let rows: String = tables
            .lines()
            .map(|table| {
                let name = table.replace('"', "\"\"");
                self.query(&format!(".mode insert {table}\nSELECT * FROM \"{name}\";")) + "\n"
            })
            .collect();
        format!("{schema}\n{rows}")
    }
}
