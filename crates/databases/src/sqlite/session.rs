//! The connection that executes. Statements of scripts, commits and whatever may wait are work for its thread; the
//! bookkeeping within a transaction is not, since the file is locked already.

use std::sync::Arc;

use async_trait::async_trait;
use forerun_migrations::database::{
    Acquire, Canceller, CommitOutcome, DatabaseError, ErrorKind, Fenced, Fingerprint, Holder,
    Identity, Lease, LeaseRequest, ServerInfo, Session, StatementOutcome, Timeouts, Together,
    TogetherOutcome,
};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, HistoryRow, JournalRow, Version,
};
use forerun_migrations::ledger::{ClientSessions, Deployment, FloorMark};
use forerun_sql::Classification;
use forerun_sql::schema::Catalog;

use super::file::DatabaseFile;
use super::thread::ConnectionThread;
use super::together::{MOST_TOGETHER, Script};
use crate::connection_url::SqliteOptions;

/// A session on a database file.
pub(super) struct SqliteSession {
    thread: ConnectionThread,
    server: ServerInfo,
    backend: String,
}

impl SqliteSession {
    pub async fn open(options: &SqliteOptions, identity: &Identity) -> Result<Self, DatabaseError> {
        let file = DatabaseFile::new(options, identity)?;
        let backend = file.process.to_string();
        let thread = ConnectionThread::start(file)?;
        thread.call(|file| file.reading().map(|_| ())).await?;
        let server = ServerInfo {
            product: format!("SQLite {}", rusqlite::version()),
            database: options.path.display().to_string(),
            schema: None,
            working_schema: None,
            pooled: false,
        };
        Ok(Self {
            thread,
            server,
            backend,
        })
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn server(&self) -> &ServerInfo {
        &self.server
    }

    fn backend(&self) -> String {
        self.backend.clone()
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::<super::signals::Signals>::clone(&self.thread.signals)
    }

    async fn begin(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        if let Some(Some(begun)) = self.thread.at_once(|file| file.try_begin(timeouts)) {
            return begun;
        }
        self.thread.call(move |file| file.begin(timeouts)).await
    }

    async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        let set = move |file: &mut DatabaseFile| file.set_timeouts(timeouts);
        match self.thread.at_once(set) {
            Some(()) => Ok(()),
            None => {
                self.thread
                    .call(move |file| {
                        set(file);
                        Ok(())
                    })
                    .await
            }
        }
    }

    async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        let sql = sql.to_owned();
        self.thread.call(move |file| file.run(&sql)).await
    }

    async fn first_row(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        let sql = sql.to_owned();
        self.thread.call(move |file| file.first_row(&sql)).await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        let sql = sql.to_owned();
        self.thread.call(move |file| file.rows(&sql)).await
    }

    async fn copy_start(&mut self, _sql: &str) -> Result<(), DatabaseError> {
        Err(no_copy())
    }

    async fn copy_data(&mut self, _chunk: &[u8]) -> Result<(), DatabaseError> {
        Err(no_copy())
    }

    async fn copy_finish(&mut self) -> Result<StatementOutcome, DatabaseError> {
        Err(no_copy())
    }

    async fn commit(&mut self) -> CommitOutcome {
        match self.thread.call(|file| Ok(file.commit())).await {
            Ok(outcome) => outcome,
            Err(error) => CommitOutcome::Unknown(error),
        }
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.thread.call(|file| file.roll_back().map(|_| ())).await
    }

    async fn reset(&mut self) -> Result<bool, DatabaseError> {
        if let Some(Some(was_open)) = self.thread.at_once(DatabaseFile::try_reset) {
            return Ok(was_open);
        }
        self.thread.call(DatabaseFile::reset).await
    }

    async fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        self.thread.call(DatabaseFile::applied).await
    }

    async fn journal(&mut self) -> Result<Vec<JournalRow>, DatabaseError> {
        self.thread.call(DatabaseFile::journal).await
    }

    async fn history(&mut self) -> Result<Vec<HistoryRow>, DatabaseError> {
        self.thread.call(DatabaseFile::history).await
    }

    async fn audit_trail(
        &mut self,
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        let version = version.cloned();
        self.thread
            .call(move |file| file.audit_trail(version.as_ref()))
            .await
    }

    async fn check_format(&mut self) -> Result<(), DatabaseError> {
        self.thread.call(DatabaseFile::check_tables).await
    }

    async fn was_ever_complete(&mut self) -> Result<bool, DatabaseError> {
        self.thread.call(DatabaseFile::was_ever_complete).await
    }

    async fn deployments(&mut self) -> Result<Vec<Deployment>, DatabaseError> {
        self.thread.call(DatabaseFile::deployments).await
    }

    async fn floor_marks(&mut self) -> Result<Vec<FloorMark>, DatabaseError> {
        self.thread.call(DatabaseFile::floor_marks).await
    }

    /// A file has no server that knows who has it open.
    async fn client_sessions(&mut self) -> Result<ClientSessions, DatabaseError> {
        Ok(ClientSessions::Known(Vec::new()))
    }

    async fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError> {
        let request = request.clone();
        self.thread
            .call(move |file| file.try_acquire(&request))
            .await
    }

    async fn holder(&mut self) -> Result<Option<Holder>, DatabaseError> {
        self.thread.call(DatabaseFile::holder).await
    }

    async fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        let lease = lease.clone();
        self.thread.call(move |file| file.release(&lease)).await
    }

    async fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        let holder = holder.clone();
        self.thread.call(move |file| file.evict(&holder)).await
    }

    async fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.record_applied(lease, row)))
        {
            return written;
        }
        let (lease, row) = (lease.clone(), row.clone());
        self.thread
            .call(move |file| file.record_applied(&lease, &row))
            .await
    }

    fn most_together(&self) -> usize {
        MOST_TOGETHER
    }

    async fn apply_together(
        &mut self,
        lease: &Lease,
        limits: Timeouts,
        migrations: &[Together<'_>],
    ) -> TogetherOutcome {
        let lease = lease.clone();
        let scripts = migrations.iter().map(Script::from).collect();
        let applied = self
            .thread
            .call(move |file| Ok(file.apply_together(&lease, limits, scripts)));
        applied.await.unwrap_or_else(|error| TogetherOutcome {
            lost: Some(error),
            ..TogetherOutcome::default()
        })
    }

    async fn record_reverted(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.record_reverted(lease, version)))
        {
            return written;
        }
        let (lease, version) = (lease.clone(), version.clone());
        self.thread
            .call(move |file| file.record_reverted(&lease, &version))
            .await
    }

    async fn record_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.record_checksums(lease, row)))
        {
            return written;
        }
        let (lease, row) = (lease.clone(), row.clone());
        self.thread
            .call(move |file| file.record_checksums(&lease, &row))
            .await
    }

    async fn write_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.write_deployment(lease, row)))
        {
            return written;
        }
        let (lease, row) = (lease.clone(), row.clone());
        self.thread
            .call(move |file| file.write_deployment(&lease, &row))
            .await
    }

    async fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.write_journal(lease, row)))
        {
            return written;
        }
        let (lease, row) = (lease.clone(), row.clone());
        self.thread
            .call(move |file| file.write_journal(&lease, &row))
            .await
    }

    async fn clear_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.clear_journal(lease, version)))
        {
            return written;
        }
        let (lease, version) = (lease.clone(), version.clone());
        self.thread
            .call(move |file| file.clear_journal(&lease, &version))
            .await
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        if let Some(Some(written)) = self
            .thread
            .at_once(|file| file.in_own_transaction(|file| file.audit(entries)))
        {
            return written;
        }
        let entries = entries.to_vec();
        self.thread.call(move |file| file.audit(&entries)).await
    }

    async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        self.thread.call(DatabaseFile::catalog).await
    }

    async fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError> {
        let statement = statement.clone();
        self.thread
            .call(move |file| file.fingerprint(&statement))
            .await
    }

    async fn drop_invalid_indexes(
        &mut self,
        _statement: &Classification,
        _sql: &str,
        _limits: Option<Timeouts>,
    ) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn invalid_index(
        &mut self,
        _statement: &Classification,
        _sql: &str,
    ) -> Result<Option<String>, DatabaseError> {
        Ok(None)
    }
}

fn no_copy() -> DatabaseError {
    DatabaseError::new(ErrorKind::Statement, "SQLite has no COPY … FROM STDIN")
        .with_hint("write INSERT statements")
}
