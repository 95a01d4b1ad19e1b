//! A scratch file. SQLite has one lock for the whole file and tells nobody what it reads, so statements are run, and what
//! the manual says of them is reported.

use std::path::PathBuf;

use async_trait::async_trait;
use forerun_migrations::database::{DatabaseError, ErrorKind, Session};
use forerun_migrations::trace::{Observation, Observer, Place};
use forerun_sql::operation::Operations;

use super::session::SqliteSession;

const CONTENTS: &str =
    "SELECT type, name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

pub(super) struct SqliteObserver {
    session: SqliteSession,
    path: PathBuf,
    /// There was no file.
    new: bool,
    /// It was seen to be empty.
    empty: bool,
}

impl SqliteObserver {
    pub(super) fn new(session: SqliteSession, path: PathBuf) -> Self {
        Self {
            session,
            new: !path.exists(),
            path,
            empty: false,
        }
    }
}

#[async_trait]
impl Observer for SqliteObserver {
    fn session(&mut self) -> &mut dyn Session {
        &mut self.session
    }

    async fn place(&mut self) -> Result<Place, DatabaseError> {
        // A link leads to the same file.
        let path = std::fs::canonicalize(&self.path).or_else(|_| std::path::absolute(&self.path));
        let path = path.unwrap_or_else(|_| self.path.clone());
        Ok(Place {
            server: "SQLite".to_owned(),
            database: path.display().to_string(),
        })
    }

    async fn contents(&mut self) -> Result<Vec<String>, DatabaseError> {
        let found = self.session.rows(CONTENTS).await?;
        let names = found.into_iter().map(|row| {
            let words: Vec<String> = row.into_iter().flatten().collect();
            words.join(" ")
        });
        let names: Vec<String> = names.collect();
        self.empty = names.is_empty();
        Ok(names)
    }

    async fn begin(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn observe(
        &mut self,
        sql: &str,
        _operations: &Operations,
        _in_transaction: bool,
    ) -> Result<Observation, DatabaseError> {
        self.session.run(sql).await?;
        Ok(Observation::default())
    }

    async fn clear(mut self: Box<Self>) -> Result<(), DatabaseError> {
        if !self.empty {
            return Ok(());
        }
        if self.new {
            let path = self.path.clone();
            drop(self);
            return remove(&path);
        }
        self.session.run("PRAGMA foreign_keys = OFF").await?;
        // Indexes and triggers go with their tables; what a virtual table keeps in others goes with it.
        for kind in ["view", "table"] {
            let of_kind =
                format!("{CONTENTS} AND type = '{kind}' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC");
            for row in self.session.rows(&of_kind).await? {
                let name = row.into_iter().nth(1).flatten().unwrap_or_default();
                let name = name.replace('"', "\"\"");
                let drop = format!("DROP {kind} IF EXISTS \"{name}\"");
                self.session.run(&drop).await?;
            }
        }
        Ok(())
    }
}

/// Removes a file with its journal.
fn remove(path: &std::path::Path) -> Result<(), DatabaseError> {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = format!("cannot remove {}: {error}", file.to_string_lossy());
                return Err(DatabaseError::new(ErrorKind::Unexpected, message));
            }
            _ => {}
        }
    }
    Ok(())
}
