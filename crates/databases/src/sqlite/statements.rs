//! Running the statements of scripts, and their transactions.

use std::time::Duration;

use forerun_migrations::database::{
    CommitOutcome, DatabaseError, ErrorKind, StatementOutcome, Timeouts,
};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Row};

use super::error;
use super::file::DatabaseFile;
use super::signals::Stopped;

/// Characters of a row that are worth showing.
const ROW_CHARACTERS: usize = 500;

impl DatabaseFile {
    pub fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        // SQLite would begin a transaction that only reads, and refuse the first change instead.
        if self
            .writing()?
            .is_readonly("main")
            .map_err(|error| error::from_driver(error, Stopped::No))?
        {
            let path = self.path.display();
            let error = DatabaseError::new(
                ErrorKind::ReadOnly,
                format!("{path} can be read but not written"),
            );
            return Err(error.with_hint(
                "check the permissions of the file and its folder, and how the volume is mounted",
            ));
        }
        self.set_transaction_timeouts(Some(timeouts));
        let begun =
            self.limited(|connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]));
        match begun {
            Ok(_) => {
                self.transaction = Some(self.signals.transactions_ended_so_far());
                Ok(())
            }
            Err(error) => {
                self.set_transaction_timeouts(None);
                Err(error)
            }
        }
    }

    /// The same without waiting for another writer; `None` when that is not possible.
    pub fn try_begin(&mut self, timeouts: Timeouts) -> Option<Result<(), DatabaseError>> {
        self.opened()?;
        let now = Timeouts {
            lock: Some(Duration::ZERO),
            ..timeouts
        };
        match self.begin(now) {
            Err(error) if error.kind == ErrorKind::LockTimeout => None,
            Err(error) => Some(Err(error)),
            Ok(()) => {
                self.set_transaction_timeouts(Some(timeouts));
                Some(Ok(()))
            }
        }
    }

    pub fn set_timeouts(&mut self, timeouts: Timeouts) {
        if self.is_autocommit() {
            self.set_session_timeouts(Some(timeouts));
        } else {
            self.set_transaction_timeouts(Some(timeouts));
        }
    }

    /// Runs one statement. Its rows are stepped through and thrown away.
    pub fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        let word = first_word(sql);
        let is = |words: &[&str]| {
            words
                .iter()
                .any(|candidate| word.eq_ignore_ascii_case(candidate))
        };
        let changes = is(&["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"]);
        let outcome = self.limited(|connection| {
            let before = connection.total_changes();
            step_through(connection, sql, None)?;
            let rows = if connection.total_changes() != before {
                Some(connection.changes())
            } else {
                changes.then_some(0)
            };
            Ok(StatementOutcome {
                rows,
                notices: Vec::new(),
            })
        });
        self.note_traces(sql)?;
        outcome
    }

    /// Runs one query and returns its first row.
    pub fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        let row = self.limited(|connection| {
            let mut first = None;
            step_through(connection, sql, Some(&mut first))?;
            Ok(first)
        });
        self.note_traces(sql)?;
        row
    }

    /// All rows of a query of our own, each column as text. A file that does not exist has none, and is not created.
    pub fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        if self.reading()?.is_none() {
            return Ok(Vec::new());
        }
        self.limited(|connection| {
            let mut statement = connection.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let texts: Result<_, rusqlite::Error> =
                    (0..columns).map(|column| text(row, column)).collect();
                all.push(texts?);
            }
            Ok(all)
        })
    }

    /// Remembers what a statement may have left in the connection. By its words anywhere: a connection too many that
    /// is opened again does no harm.
    fn note_traces(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let mentioned = mentioned(sql);
        self.temporary_mentioned |= mentioned.temporary;
        if mentioned.settings {
            self.settings_were_changed()?;
        }
        Ok(())
    }

    pub fn commit(&mut self) -> CommitOutcome {
        if self.is_autocommit() {
            let message = "there was no transaction to commit: the script had ended it";
            return CommitOutcome::RolledBack(DatabaseError::new(ErrorKind::Unexpected, message));
        }
        let committed = self.limited(|connection| connection.prepare_cached("COMMIT")?.execute([]));
        match committed {
            Ok(_) => {
                self.transaction = None;
                self.set_transaction_timeouts(None);
                CommitOutcome::Committed
            }
            Err(error) => {
                let rolled_back = self.roll_back();
                // After an I/O error only the file knows whether the journal was already gone.
                if error.kind == ErrorKind::ConnectionLost || rolled_back.is_err() {
                    self.close();
                    CommitOutcome::Unknown(error)
                } else {
                    CommitOutcome::RolledBack(error)
                }
            }
        }
    }

    /// Undoes what a script changed in the connection; `true` when a transaction was open.
    pub fn reset(&mut self) -> Result<bool, DatabaseError> {
        let was_open = self.roll_back()?;
        self.set_session_timeouts(None);
        let fresh = match self.opened() {
            None => true,
            Some(connection) => {
                let left_behind = self.settings_changed
                    || self.temporary_mentioned && has_temporary_objects(connection)?;
                !left_behind
            }
        };
        if fresh {
            self.temporary_mentioned = false;
        } else {
            self.close();
        }
        Ok(was_open)
    }

    /// The same where there is nothing to undo; `None` where there may be.
    pub fn try_reset(&mut self) -> Option<bool> {
        if !self.is_autocommit() || self.settings_changed || self.temporary_mentioned {
            return None;
        }
        self.transaction = None;
        self.set_transaction_timeouts(None);
        self.set_session_timeouts(None);
        Some(false)
    }
}

/// Runs all statements of `sql`: one, unless SQLite sees more than our splitter does.
fn step_through(
    connection: &Connection,
    sql: &str,
    mut first: Option<&mut Option<String>>,
) -> Result<(), rusqlite::Error> {
    let mut batch = Batch::new(connection, sql);
    while let Some(mut statement) = batch.next()? {
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if let Some(first) = first.take() {
                *first = Some(readable(row)?);
            }
        }
    }
    Ok(())
}

fn has_temporary_objects(connection: &Connection) -> Result<bool, DatabaseError> {
    let found = connection
        .prepare_cached("SELECT 1 FROM sqlite_temp_schema LIMIT 1")
        .and_then(|mut statement| statement.exists([]));
    found.map_err(|error| error::from_driver(error, Stopped::No))
}

/// `name=value, …`
fn readable(row: &Row<'_>) -> Result<String, rusqlite::Error> {
    let mut text = String::new();
    for (index, name) in row.as_ref().column_names().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
        text.push('=');
        match row.get_ref(index)? {
            ValueRef::Null => text.push_str("NULL"),
            ValueRef::Integer(number) => text.push_str(&number.to_string()),
            ValueRef::Real(number) => text.push_str(&number.to_string()),
            ValueRef::Text(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            ValueRef::Blob(bytes) => {
                text.push_str("0x");
                text.extend(
                    bytes
                        .iter()
                        .take(ROW_CHARACTERS)
                        .map(|byte| format!("{byte:02x}")),
                );
            }
        }
    }
    if let Some((end, _)) = text.char_indices().nth(ROW_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
    Ok(text)
}

fn text(row: &Row<'_>, column: usize) -> Result<Option<String>, rusqlite::Error> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    })
}

/// What a statement has words of.
struct Mentioned {
    /// Settings of the connection, attached databases.
    settings: bool,
    /// Temporary objects: `TEMP`, `TEMPORARY`, the schema `temp`.
    temporary: bool,
}

fn mentioned(sql: &str) -> Mentioned {
    let bytes = sql.as_bytes();
    let mut mentioned = Mentioned {
        settings: false,
        temporary: false,
    };
    for (at, byte) in bytes.iter().enumerate() {
        let starts = |word: &[u8]| {
            bytes
                .get(at..at + word.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(word))
        };
        match byte | 0x20 {
            b't' => mentioned.temporary |= starts(b"temp"),
            b'p' => mentioned.settings |= starts(b"pragma"),
            b'a' => mentioned.settings |= starts(b"attach"),
            b'd' => mentioned.settings |= starts(b"detach"),
            _ => {}
        }
    }
    mentioned
}

fn first_word(sql: &str) -> &str {
    let sql = sql.trim_start();
    let end = sql
        .find(|char: char| !char.is_ascii_alphabetic())
        .unwrap_or(sql.len());
    sql.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_may_leave_behind_is_found_in_any_spelling() {
        let found = |sql| {
            let mentioned = mentioned(sql);
            (mentioned.settings, mentioned.temporary)
        };
        assert_eq!(found("CREATE TABLE t (a)"), (false, false));
        assert_eq!(found("/* first */ Pragma foreign_keys = ON"), (true, false));
        assert_eq!(found("ATTACH 'a.db' AS a"), (true, false));
        assert_eq!(found("detach a"), (true, false));
        assert_eq!(found("create Temporary table t (a)"), (false, true));
        assert_eq!(found("CREATE TABLE \"TEMP\".t (a)"), (false, true));
        assert_eq!(found("tem"), (false, false));
    }
}
