//! A migration in one transaction: its statements, its history row and its audit entries commit together, or not
//! at all. Nothing can be half applied, so a failed try can simply be repeated.

use std::time::Instant;

use forerun_sql::{LockClass, Piece, Position, Splitter, TransactionUse, classify};

use super::attempt::{AttemptError, Current, ProgressClock, takes_rows, timeouts};
use super::run::Run;
use crate::database::{CommitOutcome, Fenced};
use crate::history::Direction;
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
            let wanted = timeouts(step, self, classification.lock, attempt);
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
        self.record(step, executed, started).await?;
        match self.session.commit().await {
            CommitOutcome::Committed => Ok(executed),
            CommitOutcome::RolledBack(error) => Err(AttemptError::Database {
                current: None,
                error,
            }),
            CommitOutcome::Unknown(error) => Err(AttemptError::CommitUnknown { error }),
        }
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

    /// Writes the history row and what the audit has to say, in the open transaction.
    pub(super) async fn record(
        &mut self,
        step: &Step,
        executed: u64,
        started: Instant,
    ) -> Result<(), AttemptError> {
        let fenced = match step.direction {
            Direction::Up => {
                let row = self.history_row(step, started);
                self.session.record_applied(&self.lease, &row).await?
            }
            Direction::Down => {
                self.session
                    .record_reverted(&self.lease, step.version)
                    .await?
            }
        };
        fence(fenced)?;
        let mut entries = std::mem::take(&mut self.audit);
        entries.push(self.done_entry(step, executed, started));
        let written = self.session.audit(&entries).await;
        // Kept until the commit is known: if it is rolled back they are written with the failure.
        entries.pop();
        self.audit = entries;
        Ok(written?)
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
