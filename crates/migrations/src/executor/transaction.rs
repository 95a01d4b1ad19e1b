//! A migration in one transaction: its statements, its history row and its audit entries commit together, or not
//! at all. Nothing can be half applied, so a failed try can simply be repeated.

use std::collections::VecDeque;
use std::time::Instant;

use forerun_sql::{LockClass, Piece, Position, Splitter, TransactionUse, classify};

use super::attempt::{
    AttemptError, Current, ProgressClock, statement_timeouts, takes_rows, timeouts,
};
use super::run::Run;
use crate::database::{Change, CommitOutcome, Fenced, Record, RecordOutcome, Timeouts};
use crate::history::{AuditEntry, Direction, JournalRow};
use crate::plan::{Step, is_blocking};

impl Run<'_> {
    /// One try. Returns the number of statements.
    pub(super) async fn try_transaction(
        &mut self,
        step: &Step,
        attempt: i64,
        started: Instant,
    ) -> Result<u64, AttemptError> {
        let dialect = self.dialect;
        let first_class = if step.summary.statements.iter().any(is_blocking) {
            LockClass::BlockingDdl
        } else {
            LockClass::Dml
        };
        let mut limits = timeouts(step, self, first_class, attempt);
        self.session.begin(limits).await?;
        self.assertions(step).await?;

        let mut splitter = Splitter::new(step.script.open_inspected(&step.summary)?, dialect);
        let mut progress = ProgressClock::new();
        let mut executed = 0;
        while let Some(piece) = splitter
            .next_piece()
            .map_err(|error| step.script.split_error(error, Position::START))?
        {
            let Piece::Statement(statement) = piece else {
                continue;
            };
            if self.stop.reason().is_some() {
                return Err(AttemptError::Database {
                    current: Some(Current::of(&statement)),
                    error: super::run::stop_error(),
                });
            }
            let classification = classify(dialect, &statement.text);
            let replaced = step.summary.wrapped
                && matches!(
                    classification.transaction,
                    TransactionUse::Begin | TransactionUse::Commit
                );
            if replaced || step.summary.assertion(statement.index).is_some() {
                continue;
            }
            let wanted =
                statement_timeouts(step, self, statement.index, classification.lock, attempt);
            if wanted != limits {
                self.session.set_timeouts(wanted).await?;
                limits = wanted;
            }
            if takes_rows(&classification, &statement) {
                self.copy(step, &statement, &classification, &mut splitter)
                    .await?;
            } else {
                self.execute(step, &statement, &classification, limits)
                    .await?;
            }
            executed += 1;
            if progress.due() {
                self.progress(step, splitter.bytes_read());
            }
        }
        self.record_and_commit(step, executed, started, None)
            .await?;
        Ok(executed)
    }

    /// Runs the assertions of a script, before anything else.
    pub(super) async fn assertions(&mut self, step: &Step) -> Result<(), AttemptError> {
        if step.summary.assertions.is_empty() {
            return Ok(());
        }
        let mut splitter = Splitter::new(step.script.open_inspected(&step.summary)?, self.dialect);
        while let Some(piece) = splitter
            .next_piece()
            .map_err(|error| step.script.split_error(error, Position::START))?
        {
            if let Piece::Statement(statement) = piece
                && let Some(message) = step.summary.assertion(statement.index)
            {
                self.check(step, &statement, message).await?;
            }
        }
        Ok(())
    }

    /// Writes the history row and what the audit has to say, and commits: in the open transaction, or in one with the
    /// limits `begin`, where it also announces what follows.
    pub(super) async fn record_and_commit(
        &mut self,
        step: &Step,
        executed: u64,
        started: Instant,
        begin: Option<Timeouts>,
    ) -> Result<(), AttemptError> {
        let announced = match begin {
            Some(_) => self.announce_following().await,
            None => VecDeque::new(),
        };
        let journal: Vec<JournalRow> = announced.iter().map(|next| next.journal.clone()).collect();
        let earlier = self.unrecorded.iter();
        let mut changes: Vec<Change> = earlier
            .clone()
            .flat_map(|done| done.changes.clone())
            .collect();
        let mut entries: Vec<AuditEntry> = earlier.flat_map(|done| done.audit.clone()).collect();
        changes.extend(self.changes(step, started));
        entries.extend_from_slice(&self.audit);
        entries.push(self.done_entry(step, executed, started));
        // The entries of this migration wait until the commit is known: if it is rolled back they are written with
        // the failure.
        let record = Record {
            begin,
            changes: &changes,
            announced: &journal,
            audit: &entries,
        };
        match self.session.record_and_commit(&self.lease, record).await? {
            RecordOutcome::Ended(outcome) => committed(outcome)?,
            RecordOutcome::Refused(fenced) => fence(fenced)?,
        }
        self.announced = announced;
        self.tell_recorded();
        Ok(())
    }

    /// What becomes of the version of a step that is done.
    pub(super) fn changes(&self, step: &Step, started: Instant) -> Vec<Change> {
        let reverted = || Change::Reverted(step.version.clone());
        let applied = || Change::Applied(Box::new(self.history_row(step, started)));
        match step.direction {
            Direction::Up if step.again => vec![reverted(), applied()],
            Direction::Up => vec![applied()],
            Direction::Down => vec![reverted()],
        }
    }

    /// Commits.
    pub(super) async fn commit(&mut self) -> Result<(), AttemptError> {
        committed(self.session.commit().await)
    }
}

/// A commit that did not succeed as an error.
fn committed(outcome: CommitOutcome) -> Result<(), AttemptError> {
    match outcome {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::RolledBack(error) => Err(AttemptError::Database {
            current: None,
            error,
        }),
        CommitOutcome::Unknown(error) => Err(AttemptError::CommitUnknown { error }),
    }
}

/// Fencing as an error.
pub(super) fn fence(fenced: Fenced) -> Result<(), AttemptError> {
    match fenced {
        Fenced::Written => Ok(()),
        Fenced::LeaseLost => Err(AttemptError::LeaseLost),
        Fenced::TransactionEnded => Err(AttemptError::TransactionEnded),
    }
}
