//! SQLite, built in.
//!
//! What is special about it:
//! - **One writer.** A transaction begins with `BEGIN IMMEDIATE`, so that it waits for other writers at its start and
//!   never fails in the middle for want of the lock. The waiting time is the lock timeout.
//! - **No server.** The runner lock is the lease row alone. Its holder is a process; one that ran on this machine and
//!   is gone is found in `/proc`, and its lease taken over at once. A paused holder keeps its lease until it expires;
//!   what it does after that fails at the fencing token.
//! - **Calls block**, so each connection has a thread for what may take long; a running statement is interrupted. What
//!   waits for no lock and no disk, such as bookkeeping within a transaction, is done without the way to that thread.
//! - **A commit waits for the disk four times**, so short migrations that only create tables share one.
//! - **The file** is created by the first write. Reading the status of a file that does not exist creates nothing.
//! - **Settings** are SQLite's defaults: foreign keys are not enforced unless a script says `PRAGMA foreign_keys = ON`,
//!   and the journal mode is that of the file. A script that sets a pragma, attaches a database or leaves temporary
//!   objects behind (by its words) gets a fresh connection after it, so nothing of it reaches the next script.
//!
//! Bookkeeping times are UTC with milliseconds, by the clock of this machine, which is all the server there is.

mod bookkeeping;
mod error;
mod existing;
mod file;
mod fingerprint;
mod lease;
mod ledger;
mod monitor;
mod process;
mod session;
mod signals;
mod statements;
mod thread;
mod together;
mod trace;

use std::collections::BTreeMap;

use async_trait::async_trait;
use forerun_migrations::database::{
    Capabilities, Database, DatabaseError, Identity, Monitor, Session,
};
use forerun_migrations::trace::Observer;
use forerun_sql::Dialect;

use crate::connection_url::SqliteOptions;

/// A SQLite database file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    options: SqliteOptions,
}

impl Sqlite {
    /// The database of these options. Opens nothing yet.
    pub fn new(options: SqliteOptions) -> Self {
        Self { options }
    }
}

#[async_trait]
impl Database for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: true,
            heartbeat: false,
        }
    }

    fn target(&self) -> String {
        format!("SQLite {}", self.options.path.display())
    }

    fn names(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("schema", "main".to_owned())])
    }

    async fn connect(&self, identity: &Identity) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(
            session::SqliteSession::open(&self.options, identity).await?,
        ))
    }

    async fn observer(&self, identity: &Identity) -> Result<Box<dyn Observer>, DatabaseError> {
        let path = self.options.path.clone();
        let session = session::SqliteSession::open(&self.options, identity).await?;
        Ok(Box::new(trace::SqliteObserver::new(session, path)))
    }

    async fn monitor(&self, identity: &Identity) -> Result<Box<dyn Monitor>, DatabaseError> {
        Ok(Box::new(
            monitor::SqliteMonitor::open(&self.options, identity).await?,
        ))
    }
}
