//! What running a script has in common, in one transaction or statement by statement: the script is read as a
//! stream, each statement runs under watch and with limits that fit it, and a failure keeps its place in the file.

use std::io::BufRead;
use std::time::{Duration, Instant};

use forerun_sql::{Classification, LockClass, Piece, Position, Splitter, Statement};

use super::retry::lock_timeout;
use super::run::Run;
use super::watch::{Watched, watch};
use crate::database::{DatabaseError, ErrorKind, Session, StatementOutcome, Timeouts};
use crate::directory::DirectoryError;
use crate::event::Event;
use crate::masking::mask_text_about;
use crate::plan::Step;

/// Text of a failed statement that is kept for the error message.
const KEPT_SQL: usize = 16 * 1024;
/// Servers count limits in milliseconds with 31 bits (24.8 days).
const LONGEST_LIMIT: Duration = Duration::from_secs(20 * 86_400);
/// Statements of a script that are told one by one.
const TOLD_STATEMENTS: u64 = 1000;
/// Bytes of script between two progress events.
const PROGRESS_STEP: u64 = 1 << 20;

/// The statement that is being run.
#[derive(Debug, Clone)]
pub(super) struct Current {
    pub index: u64,
    pub position: Position,
    pub sql: String,
}

impl Current {
    pub fn of(statement: &Statement) -> Self {
        Self {
            index: statement.index,
            position: statement.position,
            sql: shortened(&statement.text),
        }
    }
}

/// Why an attempt ended.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// The database.
    Database {
        current: Option<Current>,
        error: DatabaseError,
    },
    /// The file cannot be read or split any more, or is not the file that was planned.
    Directory(DirectoryError),
    /// The commit was sent and never answered.
    CommitUnknown { error: DatabaseError },
    /// An assertion returned a row.
    Assertion {
        position: Position,
        message: String,
        row: String,
    },
    /// The lease is no longer ours.
    LeaseLost,
    /// The script ended the transaction.
    TransactionEnded,
    /// A person must say whether a statement took effect.
    InDoubt { current: Current },
    /// A value that an earlier attempt put into a user variable is gone.
    LostVariable { name: String, current: Current },
    /// What was run of the script before is different now.
    Unresumable {
        statements_done: i64,
        /// The statement after them, if it may have taken effect.
        in_doubt: Option<i64>,
    },
}

impl From<DirectoryError> for AttemptError {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}

impl From<DatabaseError> for AttemptError {
    fn from(error: DatabaseError) -> Self {
        Self::Database {
            current: None,
            error,
        }
    }
}

/// Limits for the statement with this number, from 1. What is expected to be short is not left to last long while others
/// wait for its lock; a file or a run that says how long it may take is believed.
pub(super) fn statement_timeouts(
    step: &Step,
    run: &Run<'_>,
    index: u64,
    class: LockClass,
    attempt: i64,
) -> Timeouts {
    let mut limits = timeouts(step, run, class, attempt);
    if let Some(limit) = step.metadata_limit(index, class, limits.statement.is_some()) {
        // Servers count the wait for the lock as well.
        limits.statement = limits.lock.map(|wait| wait + limit);
    }
    limits
}

/// Limits for one statement.
pub(super) fn timeouts(step: &Step, run: &Run<'_>, class: LockClass, attempt: i64) -> Timeouts {
    let limits = &run.runner.limits;
    let cap = step
        .summary
        .timeouts
        .lock
        .unwrap_or(limits.ddl_lock_timeout);
    let statement = step.summary.timeouts.statement.or(limits.statement_timeout);
    // A zero in the file means no limit.
    let limited = |limit: Option<Duration>| {
        limit
            .filter(|limit| !limit.is_zero())
            .map(|limit| limit.min(LONGEST_LIMIT))
    };
    match class {
        // A lock timeout would leave an invalid index behind, and nobody queues behind these.
        LockClass::OnlineBuild => Timeouts {
            lock: None,
            statement: limited(step.summary.timeouts.statement),
        },
        LockClass::BlockingDdl => Timeouts {
            lock: limited(Some(cap)).map(|cap| lock_timeout(attempt, cap)),
            statement: limited(statement),
        },
        LockClass::Dml | LockClass::Query | LockClass::Other => Timeouts {
            lock: limited(Some(cap)),
            statement: limited(statement),
        },
    }
}

impl Run<'_> {
    /// Awaits a call to the session under watch: it can be cancelled, and what it waits for is named.
    pub(super) async fn watched<T>(
        &mut self,
        step: &Step,
        statement: &Statement,
        lock_timeout: Option<Duration>,
        call: impl AsyncFnOnce(&mut dyn Session) -> Result<T, DatabaseError>,
    ) -> Result<T, AttemptError> {
        let canceller = self.session.canceller();
        let result = watch(
            call(self.session.as_mut()),
            &canceller,
            &mut self.stop,
            self.heartbeat.as_ref(),
            Watched {
                version: step.version.clone(),
                statement: statement.index,
                lock_timeout,
            },
            &self.seen,
            &self.runner.events,
        )
        .await;
        result.map_err(|error| AttemptError::Database {
            current: Some(Current::of(statement)),
            error: error.masked(&statement.text),
        })
    }

    /// Runs one statement under watch.
    pub(super) async fn execute(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        limits: Timeouts,
    ) -> Result<(), AttemptError> {
        self.seen.take();
        self.started(step, statement, classification);
        let outcome = self
            .watched(step, statement, limits.lock, async |session| {
                session.run(&statement.text).await
            })
            .await?;
        self.notices(step, statement, outcome);
        Ok(())
    }

    /// Runs a query whose rows refute an assertion.
    pub(super) async fn check(
        &mut self,
        step: &Step,
        statement: &Statement,
        message: &str,
    ) -> Result<(), AttemptError> {
        let row = self
            .watched(step, statement, None, async |session| {
                session.first_row(&statement.text).await
            })
            .await?;
        match row {
            None => Ok(()),
            Some(row) => Err(AttemptError::Assertion {
                position: statement.position,
                message: message.to_owned(),
                row,
            }),
        }
    }

    /// Tells that a statement begins; of a very long script only those that may take long.
    fn started(&self, step: &Step, statement: &Statement, classification: &Classification) {
        let may_block = matches!(
            classification.lock,
            LockClass::BlockingDdl | LockClass::OnlineBuild
        );
        if statement.index <= TOLD_STATEMENTS || may_block {
            self.runner.events.emit(&Event::StatementStarted {
                version: step.version.clone(),
                statement: statement.index,
                verb: classification.verb.clone(),
                line: statement.position.line,
            });
        }
    }

    /// Streams the rows of a `COPY … FROM STDIN`.
    pub(super) async fn copy<R: BufRead>(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        splitter: &mut Splitter<R>,
    ) -> Result<(), AttemptError> {
        self.started(step, statement, classification);
        self.watched(step, statement, None, async |session| {
            session.copy_start(&statement.text).await
        })
        .await?;
        let mut reported = 0;
        let canceller = self.session.canceller();
        loop {
            if self.stop.reason().is_some() {
                // The caller sees the order to stop; the open copy is ended by the rollback.
                let error = DatabaseError::new(
                    ErrorKind::Cancelled,
                    "stopped while rows were being copied",
                );
                return Err(AttemptError::Database {
                    current: Some(Current::of(statement)),
                    error,
                });
            }
            match splitter
                .next_piece()
                .map_err(|error| step.script.split_error(error, Position::START))?
            {
                Some(Piece::CopyData(rows)) => {
                    // A server that takes no more rows must not keep the run from stopping.
                    let sent = tokio::select! {
                        biased;
                        sent = self.session.copy_data(rows) => sent,
                        _ = self.stop.wait() => {
                            let _ = canceller.cancel().await;
                            continue;
                        }
                    };
                    sent.map_err(|error| AttemptError::Database {
                        current: Some(Current::of(statement)),
                        error,
                    })?;
                    let done = splitter.bytes_read();
                    if done - reported >= PROGRESS_STEP {
                        reported = done;
                        self.progress(step, done);
                    }
                }
                Some(Piece::CopyEnd(_)) | None => break,
                Some(_) => {}
            }
        }
        let outcome = self
            .watched(step, statement, None, async |session| {
                session.copy_finish().await
            })
            .await?;
        self.notices(step, statement, outcome);
        Ok(())
    }

    /// Tells how far the script is.
    pub(super) fn progress(&self, step: &Step, bytes_done: u64) {
        self.runner.events.emit(&Event::Progress {
            version: step.version.clone(),
            // What was read includes the blanked lines of a shared file.
            bytes_done: bytes_done.min(step.script.bytes),
            bytes_total: step.script.bytes,
        });
    }

    fn notices(&self, step: &Step, statement: &Statement, outcome: StatementOutcome) {
        for mut notice in outcome.notices {
            notice.message = mask_text_about(&notice.message, &statement.text);
            self.runner.events.emit(&Event::Notice {
                version: step.version.clone(),
                statement: statement.index,
                notice,
            });
        }
    }
}

/// Rate limit for progress events between statements.
#[derive(Debug)]
pub(super) struct ProgressClock(Instant);

impl ProgressClock {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    pub fn due(&mut self) -> bool {
        let due = self.0.elapsed() >= Duration::from_millis(200);
        if due {
            self.0 = Instant::now();
        }
        due
    }
}

/// Whether rows for a COPY follow this statement in the script.
pub(super) fn takes_rows(classification: &Classification, statement: &Statement) -> bool {
    // The splitter ends the line of a COPY … FROM STDIN with the statement, since rows start on the next one.
    classification.verb.starts_with("COPY") && statement.terminator.contains('\n')
}

fn shortened(sql: &str) -> String {
    match sql.char_indices().nth(KEPT_SQL) {
        Some((end, _)) => sql[..end].to_owned(),
        None => sql.to_owned(),
    }
}
