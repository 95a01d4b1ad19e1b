//! The database file and the connection to it: opened when needed, created only to be written.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use forerun_migrations::database::{DatabaseError, ErrorKind, Identity, Timeouts};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error;
use super::process::Process;
use super::signals::{Signals, Stopped};
use crate::connection_url::SqliteOptions;

/// Bytecode instructions of SQLite between two looks at the signals: some ten microseconds.
const PROGRESS_INSTRUCTIONS: i32 = 2_000;
/// More than there are bookkeeping statements.
const CACHED_STATEMENTS: usize = 32;

/// A database file, used by one thread.
pub(super) struct DatabaseFile {
    pub path: PathBuf,
    pub identity: Identity,
    pub process: Process,
    pub signals: Arc<Signals>,
    create: bool,
    /// How long bookkeeping waits for another writer, and scripts whose limits are not set.
    pub busy_timeout: Duration,
    connection: Option<Connection>,
    /// Limits outside of a transaction, and inside of one.
    session_timeouts: Timeouts,
    transaction_timeouts: Option<Timeouts>,
    /// How many transactions had ended when ours began.
    pub transaction: Option<u64>,
    /// A script changed settings of the connection.
    pub settings_changed: bool,
    /// A script may have made temporary objects.
    pub temporary_mentioned: bool,
    /// No attempt is unfinished: read under the lease, and nothing written since.
    pub journal_is_empty: bool,
}

impl DatabaseFile {
    pub fn new(options: &SqliteOptions, identity: &Identity) -> Result<Self, DatabaseError> {
        // An absolute path: SQLite gives a meaning to names such as `:memory:` and `file:x`.
        let path = std::path::absolute(&options.path).map_err(|error| {
            DatabaseError::new(
                ErrorKind::Configuration,
                format!("cannot use the path {}: {error}", options.path.display()),
            )
        })?;
        let busy_timeout = options.busy_timeout;
        Ok(Self {
            path,
            identity: identity.clone(),
            process: Process::current(&identity.host),
            signals: Arc::new(Signals::new()),
            create: options.create,
            busy_timeout,
            connection: None,
            session_timeouts: Timeouts {
                lock: Some(busy_timeout),
                statement: None,
            },
            transaction_timeouts: None,
            transaction: None,
            settings_changed: false,
            temporary_mentioned: false,
            journal_is_empty: false,
        })
    }

    /// The connection, for reading; `None` when there is no file yet.
    pub fn reading(&mut self) -> Result<Option<&mut Connection>, DatabaseError> {
        if self.connection.is_none() && self.exists()? {
            self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        }
        Ok(self.connection.as_mut())
    }

    /// The connection, for anything; creates the file when there is none.
    pub fn writing(&mut self) -> Result<&mut Connection, DatabaseError> {
        if self.connection.is_none() {
            let create = if self.exists()? {
                OpenFlags::empty()
            } else {
                OpenFlags::SQLITE_OPEN_CREATE
            };
            self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | create)?;
        }
        let missing =
            || DatabaseError::new(ErrorKind::Unexpected, "the SQLite connection is closed");
        self.connection.as_mut().ok_or_else(missing)
    }

    /// The connection if it is open.
    pub fn opened(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Closes the connection; the next use opens a fresh one.
    pub fn close(&mut self) {
        self.signals.set_interrupt(None);
        self.settings_changed = false;
        self.temporary_mentioned = false;
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        // The library frees the hooks before SQLite rolls back an open transaction and calls them: they must be gone
        // by then. Each can fail only when given a hook.
        let _ = connection.rollback_hook(None::<fn()>);
        let _ = connection.commit_hook(None::<fn() -> bool>);
        let _ = connection.progress_handler(0, None::<fn() -> bool>);
        let _ = connection.busy_handler(None::<fn(i32) -> bool>);
    }

    /// Whether the file is there; an error when it is not and cannot be created.
    pub fn exists(&self) -> Result<bool, DatabaseError> {
        let path = self.path.display();
        let refuse = |message: String, hint: &str| {
            Err(DatabaseError::new(ErrorKind::Configuration, message).with_hint(hint))
        };
        match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => refuse(
                format!("{path} is a directory"),
                "give the path of the database file in the URL",
            ),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = self.path.parent().unwrap_or(Path::new("/"));
                if !folder.is_dir() {
                    let message = format!(
                        "the folder {} of the database file does not exist",
                        folder.display()
                    );
                    return refuse(
                        message,
                        "create it, mount the volume, or correct the path in the URL",
                    );
                }
                if !self.create {
                    let hint =
                        "correct the path, or let the URL allow to create it (without mode=rw)";
                    return refuse(format!("the database file {path} does not exist"), hint);
                }
                Ok(false)
            }
            Err(error) => refuse(
                format!("cannot look at the database file {path}: {error}"),
                "check the path and the permissions of its folder",
            ),
        }
    }

    fn open(&mut self, flags: OpenFlags) -> Result<(), DatabaseError> {
        self.signals.set_lock_limit(Some(self.busy_timeout));
        let opened =
            Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let prepared = opened.and_then(|mut connection| {
            self.watch(&mut connection)?;
            // The library is built with enforcement on; SQLite's own default, and that of its shell, is off.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
            connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            Ok(connection)
        });
        let connection =
            prepared.map_err(|error| self.with_path(error::from_driver(error, Stopped::No)))?;
        // The first look into the file: is it a database at all?
        let looked = connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
        if let Err(error) = looked.map_err(|error| error::from_driver(error, Stopped::No))
            && error.kind != ErrorKind::LockTimeout
        {
            return Err(self.with_path(error));
        }
        self.signals
            .set_interrupt(Some(connection.get_interrupt_handle()));
        self.connection = Some(connection);
        Ok(())
    }

    fn with_path(&self, mut error: DatabaseError) -> DatabaseError {
        error.message = format!("{}: {}", self.path.display(), error.message);
        error
    }

    fn watch(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        let signals = Arc::clone(&self.signals);
        connection.progress_handler(PROGRESS_INSTRUCTIONS, Some(move || signals.must_stop()))?;
        let signals = Arc::clone(&self.signals);
        connection.commit_hook(Some(move || {
            signals.transaction_ended();
            false
        }))?;
        let signals = Arc::clone(&self.signals);
        connection.rollback_hook(Some(move || signals.transaction_ended()))?;
        self.watch_locks(connection)
    }

    /// Puts our busy handler in place, again after `PRAGMA busy_timeout` of a script, which removes it.
    fn watch_locks(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        let signals = Arc::clone(&self.signals);
        let mut since = Instant::now();
        connection.busy_handler(Some(move |tries| {
            if tries == 0 {
                since = Instant::now();
            }
            signals.wait_for_lock(since, tries)
        }))
    }

    /// A script changed settings: our busy handler may be gone, and the connection is not to be used for the next.
    pub fn settings_were_changed(&mut self) -> Result<(), DatabaseError> {
        self.settings_changed = true;
        if let Some(mut connection) = self.connection.take() {
            let watched = self.watch_locks(&mut connection);
            self.connection = Some(connection);
            watched.map_err(|error| error::from_driver(error, Stopped::No))?;
        }
        Ok(())
    }

    /// Limits for what follows in the session.
    pub fn set_session_timeouts(&mut self, timeouts: Option<Timeouts>) {
        let default = Timeouts {
            lock: Some(self.busy_timeout),
            statement: None,
        };
        self.session_timeouts = timeouts.unwrap_or(default);
    }

    /// Limits for what follows in the transaction; `None` when it has ended.
    pub fn set_transaction_timeouts(&mut self, timeouts: Option<Timeouts>) {
        self.transaction_timeouts = timeouts;
    }

    /// Runs something that may be cancelled, under the limits of the script.
    pub fn limited<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, DatabaseError> {
        let timeouts = self.transaction_timeouts.unwrap_or(self.session_timeouts);
        self.writing()?;
        self.signals.set_lock_limit(timeouts.lock);
        let signals = Arc::clone(&self.signals);
        let connection = self.writing()?;
        signals.start(timeouts.statement);
        let result = work(connection);
        let stopped = signals.end();
        result.map_err(|error| error::from_driver(error, stopped))
    }

    /// No transaction is open.
    pub fn is_autocommit(&self) -> bool {
        self.connection
            .as_ref()
            .is_none_or(Connection::is_autocommit)
    }

    /// The transaction that `begin` opened is still the one that is open.
    pub fn is_in_own_transaction(&self) -> bool {
        !self.is_autocommit() && self.transaction == Some(self.signals.transactions_ended_so_far())
    }

    /// Rolls back what is open; `true` when something was.
    pub fn roll_back(&mut self) -> Result<bool, DatabaseError> {
        self.transaction = None;
        self.transaction_timeouts = None;
        let Some(connection) = self
            .connection
            .as_ref()
            .filter(|connection| !connection.is_autocommit())
        else {
            return Ok(false);
        };
        connection
            .execute_batch("ROLLBACK")
            .map_err(|error| error::from_driver(error, Stopped::No))?;
        Ok(true)
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        self.close();
    }
}
