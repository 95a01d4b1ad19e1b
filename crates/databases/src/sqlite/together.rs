//! Several migrations in one transaction, each behind a savepoint of its own.
//!
//! A commit waits for the disk four times (the journal, its directory, its header, the file), which is longer than a
//! table takes. So migrations that only create tables share one. Each still is all or nothing, with its history row: what
//! fails is rolled back to its savepoint, and those before it are committed.

use std::time::Instant;

use forerun_migrations::database::{
    CommitOutcome, DatabaseError, Fenced, Lease, Timeouts, Together, TogetherOutcome,
};
use forerun_migrations::history::{AuditEntry, HistoryRow};
use jiff::Timestamp;

use super::error;
use super::file::DatabaseFile;

/// So many share a transaction. Others who want to write wait for it, but not for long.
pub(super) const MOST_TOGETHER: usize = 16;

/// A migration on its way to the thread of the connection.
pub(super) struct Script {
    statements: Vec<String>,
    row: HistoryRow,
    audit: AuditEntry,
}

impl From<&Together<'_>> for Script {
    fn from(migration: &Together<'_>) -> Self {
        Self {
            statements: migration.statements.to_vec(),
            row: migration.row.clone(),
            audit: migration.audit.clone(),
        }
    }
}

impl DatabaseFile {
    /// [`forerun_migrations::database::Session::apply_together`]. Of errors only that of a commit is told: the caller
    /// runs what is not applied alone, and meets the others again.
    pub fn apply_together(
        &mut self,
        lease: &Lease,
        limits: Timeouts,
        scripts: Vec<Script>,
    ) -> TogetherOutcome {
        let none = |lost| TogetherOutcome {
            lost,
            ..TogetherOutcome::default()
        };
        let applied = self
            .begin(limits)
            .and_then(|()| self.apply_in_order(lease, scripts));
        let Some(applied) = applied.ok().filter(|applied| *applied > 0) else {
            return none(self.roll_back().err());
        };
        match self.commit() {
            CommitOutcome::Committed => TogetherOutcome {
                applied,
                ..TogetherOutcome::default()
            },
            CommitOutcome::RolledBack(_) => none(None),
            CommitOutcome::Unknown(error) => none(Some(error)),
        }
    }

    /// Runs them in the open transaction until one fails, and records the others. Returns how many are to be committed.
    fn apply_in_order(
        &mut self,
        lease: &Lease,
        scripts: Vec<Script>,
    ) -> Result<usize, DatabaseError> {
        let (mut rows, mut entries) = (Vec::new(), Vec::new());
        for mut script in scripts {
            self.bookkeeping("SAVEPOINT forerun_migration")?;
            let done = self.run_script(&mut script).is_ok();
            if !done {
                // An error where SQLite itself has ended the transaction, as it does when the disk is full.
                self.bookkeeping("ROLLBACK TO forerun_migration")?;
            }
            self.bookkeeping("RELEASE forerun_migration")?;
            if !done {
                break;
            }
            rows.push(script.row);
            entries.push(script.audit);
        }
        // All at the end: SQLite compiles a statement again after each change of the schema.
        if self.record_all_applied(lease, &rows)? != Fenced::Written {
            return Ok(0);
        }
        self.audit(&entries)?;
        Ok(rows.len())
    }

    fn run_script(&mut self, script: &mut Script) -> Result<(), DatabaseError> {
        let started = Instant::now();
        let row = &mut script.row;
        row.started_at = Timestamp::now().to_string();
        for sql in &script.statements {
            self.run(sql)?;
        }
        row.finished_at = Timestamp::now().to_string();
        row.duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        if let Some(detail) = script.audit.detail.as_object_mut() {
            detail.insert("duration_ms".to_owned(), row.duration_ms.into());
        }
        Ok(())
    }

    fn bookkeeping(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let done = self
            .writing()?
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]));
        done.map(|_| ()).map_err(error::of_bookkeeping)
    }
}
