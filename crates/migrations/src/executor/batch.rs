//! Short migrations that only create tables, several on their way to the database at once: it begins the next one without
//! a wait for our answer to the one before. Each still is all or nothing together with its record, and is not applied
//! when the one before it is not.
//!
//! This is only the quick way. What goes wrong here is left to the usual way, one migration after the other, with its
//! retries and its words for the error.

use std::time::Instant;

use forerun_sql::operation::{OperationKind, operations};
use forerun_sql::{Dialect, LockClass, ObjectName, Piece, Splitter};
use jiff::Timestamp;

use super::attempt::{AttemptError, statement_timeouts};
use super::run::{Run, finished};
use super::watch::{Watched, watch};
use crate::database::{Timeouts, Together, TogetherOutcome};
use crate::directory::ScriptTimeouts;
use crate::error::RunError;
use crate::event::Event;
use crate::history::{AuditEntry, Direction, HistoryRow};
use crate::plan::{Mode, Step};

/// Longest script that is sent with others, in bytes.
const LONGEST: u64 = 16 * 1024;
/// Most statements of one.
const MOST_STATEMENTS: u64 = 8;

/// What became of a batch.
pub(super) struct Batch {
    /// How many migrations were in it; none when there was nothing to send together.
    pub sent: usize,
    /// How many of them, from the first, are applied and recorded. The one after these has to be run alone.
    pub applied: usize,
}

/// The statements of a migration that can be in a batch.
pub(super) type Statements = Vec<String>;

impl Run<'_> {
    /// Applies the first of `steps`, as many as can be sent together. The first one is the migration with this number
    /// of `total`, from 1.
    pub(super) async fn apply_batch(
        &mut self,
        steps: &[Step],
        number: usize,
        total: usize,
    ) -> Result<Batch, RunError> {
        const NONE: Batch = Batch {
            sent: 0,
            applied: 0,
        };
        let mut batch = std::mem::take(&mut self.read_ahead);
        let most = self.session.most_together();
        if most < 2 || !self.audit.is_empty() || self.stop.reason().is_some() {
            return Ok(NONE);
        }
        self.attempt = 1;
        self.started_at = Timestamp::now();
        let started = Instant::now();
        batch.truncate(most);
        if batch.len() < most {
            let others = steps.iter().take(most).skip(batch.len());
            batch.extend(others.map_while(|step| statements(step, self.dialect)));
        }
        let Some(first) = steps.first().filter(|_| batch.len() > 1) else {
            return Ok(NONE);
        };
        let records: Vec<(HistoryRow, AuditEntry)> = steps
            .iter()
            .take(batch.len())
            .map(|step| {
                let executed = step.summary.statement_count;
                let entry = self.done_entry(step, executed, started);
                (self.history_row(step, started), entry)
            })
            .collect();
        let limits = statement_timeouts(first, self, 1, LockClass::BlockingDdl, 1);
        let parts: Vec<Together<'_>> = batch
            .iter()
            .zip(&records)
            .map(|(statements, (row, audit))| Together {
                statements,
                row,
                audit,
            })
            .collect();
        let dialect = self.dialect;
        let rest = steps.iter().skip(batch.len()).take(most);
        // While the database works.
        let reading = async move {
            rest.map_while(|step| statements(step, dialect))
                .collect::<Vec<_>>()
        };
        let sending = self.send(first, limits, &parts);
        let (outcome, read_ahead) = tokio::join!(sending, reading);
        let TogetherOutcome {
            applied,
            notices,
            lost,
        } = outcome;
        if applied == batch.len() {
            self.read_ahead = read_ahead;
        }
        self.tell_applied(
            steps.get(..applied).unwrap_or_default(),
            number,
            total,
            started,
        );
        for notice in notices {
            let script = &first.script.file_name;
            self.runner.events.emit(&Event::Warning {
                code: "notice",
                message: format!(
                    "{} from the server while {script} and those after it were applied: {}",
                    notice.severity, notice.message
                ),
            });
        }
        let (Some(error), Some(step)) = (lost, steps.get(applied)) else {
            return Ok(Batch {
                sent: batch.len(),
                applied,
            });
        };
        self.clean_up().await;
        if let Some(reason) = self.stop.reason() {
            let state = self.resolve_commit(step).await;
            return Err(self.stopped(step, reason, 1, state).await);
        }
        self.tell_started(step, number + applied, total);
        let journal = self.journal_of(step);
        let error = AttemptError::CommitUnknown { error };
        Err(self.give_up(step, error, 1, &journal).await)
    }

    fn tell_applied(&mut self, steps: &[Step], number: usize, total: usize, started: Instant) {
        let share = started.elapsed() / u32::try_from(steps.len().max(1)).unwrap_or(1);
        for (index, step) in steps.iter().enumerate() {
            self.tell_started(step, number + index, total);
            for statement in &step.summary.statements {
                self.runner.events.emit(&Event::StatementStarted {
                    version: step.version.clone(),
                    statement: statement.index,
                    verb: statement.classification.verb.clone(),
                    line: statement.position.line,
                });
            }
            self.tell(finished(step, step.summary.statement_count, 1, share));
        }
    }

    async fn send(
        &mut self,
        first: &Step,
        limits: Timeouts,
        parts: &[Together<'_>],
    ) -> TogetherOutcome {
        let canceller = self.session.canceller();
        let session = &mut self.session;
        let lease = &self.lease;
        self.seen.take();
        let sent = watch(
            async { Ok(session.apply_together(lease, limits, parts).await) },
            &canceller,
            &mut self.stop,
            self.heartbeat.as_ref(),
            Watched {
                version: first.version.clone(),
                statement: 1,
                lock_timeout: limits.lock,
            },
            &self.seen,
            &self.runner.events,
        );
        sent.await.unwrap_or_else(|error| TogetherOutcome {
            lost: Some(error),
            ..TogetherOutcome::default()
        })
    }
}

/// The statements of a migration, if it is one of those that nothing can be wrong with but the SQL.
fn statements(step: &Step, dialect: Dialect) -> Option<Statements> {
    let summary = &step.summary;
    let plain = step.direction == Direction::Up
        && step.mode == Mode::Transaction
        && !step.again
        && step.journal.is_none()
        && step.conditions.is_empty()
        && summary.assertions.is_empty()
        && !summary.wrapped
        && summary.contract.is_none()
        && summary.allows.is_empty()
        && summary.timeouts == ScriptTimeouts::default()
        && step.script.bytes <= LONGEST
        && (1..=MOST_STATEMENTS).contains(&summary.statement_count);
    if !plain {
        return None;
    }
    // What is wrong with a script is found, and told, when its turn comes.
    let script = step.script.open_inspected(summary).ok()?;
    let mut splitter = Splitter::new(script, dialect);
    let mut statements = Vec::new();
    while let Some(piece) = splitter.next_piece().ok()? {
        if let Piece::Statement(statement) = piece {
            let creates = matches!(
                operations(dialect, &statement.text).list.as_slice(),
                [one] if matches!(
                    &one.kind,
                    OperationKind::CreateTable(create)
                        if !create.if_not_exists
                            && !create.temporary
                            && !create.incomplete
                            && create.from.is_empty()
                            && create.table.as_ref().is_some_and(stays)
                )
            );
            if !creates {
                return None;
            }
            statements.push(statement.text);
        }
    }
    Some(statements)
}

/// Whether a table of this name is there for others, and longer than our connection.
fn stays(table: &ObjectName) -> bool {
    table.schema.as_ref().is_none_or(|schema| {
        let schema = schema.to_ascii_lowercase();
        schema != "temp" && !schema.starts_with("pg_temp")
    })
}
