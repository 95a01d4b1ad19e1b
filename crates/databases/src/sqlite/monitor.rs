//! The second connection. It writes seldom: SQLite has one writer, and that is the session.

use std::time::Duration;

use async_trait::async_trait;
use forerun_migrations::database::{Blocker, DatabaseError, Identity, Lease, Monitor};
use forerun_migrations::history::AuditEntry;

use super::file::DatabaseFile;
use super::thread::ConnectionThread;
use crate::connection_url::SqliteOptions;

/// How long a heartbeat waits for another writer.
const HEARTBEAT_LIMIT: Duration = Duration::from_millis(50);

/// The second connection to a database file.
pub(super) struct SqliteMonitor {
    thread: ConnectionThread,
}

impl SqliteMonitor {
    pub async fn open(options: &SqliteOptions, identity: &Identity) -> Result<Self, DatabaseError> {
        let thread = ConnectionThread::start(DatabaseFile::new(options, identity)?)?;
        thread.call(|file| file.reading().map(|_| ())).await?;
        Ok(Self { thread })
    }
}

#[async_trait]
impl Monitor for SqliteMonitor {
    async fn heartbeat(&mut self, lease: &Lease) -> Result<bool, DatabaseError> {
        let lease = lease.clone();
        self.thread
            .call(move |file| file.heartbeat(&lease, HEARTBEAT_LIMIT))
            .await
    }

    /// Empty: SQLite does not tell who holds a lock.
    async fn blockers(&mut self, _backend: &str) -> Result<Vec<Blocker>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        let entries = entries.to_vec();
        self.thread.call(move |file| file.audit(&entries)).await
    }
}
