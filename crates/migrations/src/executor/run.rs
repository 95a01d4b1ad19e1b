//! One run that holds the lock: its steps one after the other, retries, failures, the audit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forerun_sql::Dialect;
use jiff::Timestamp;

use super::announcement::{Announced, Following, Unrecorded};
use super::attempt::{AttemptError, Current};
use super::batch::Statements;
use super::conditions::Verdict;
use super::lock::{Heartbeat, stopped};
use super::retry::{Budget, pause};
use super::stop::Stop;
use super::stopped::state_after;
use super::watch::Seen;
use super::{FinishedMigration, Runner};
use crate::database::{DatabaseError, ErrorKind, Lease, Session};
use crate::error::{MigrationFailure, RunError, StateAfterFailure, StoppedAt};
use crate::event::Event;
use crate::history::{AuditEntry, Checksums, Direction, HistoryRow, JournalRow, Origin};
use crate::plan::{Conflict, Mode, Plan, Step};

/// Time to find out, on a new connection, whether a commit had arrived.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the session to answer when the run ends.
pub(super) const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(3);

/// A run that holds the lock.
pub(super) struct Run<'a> {
    pub runner: &'a Runner,
    pub session: Box<dyn Session>,
    pub lease: Lease,
    pub heartbeat: Option<Heartbeat>,
    pub stop: Stop,
    /// The deployment that this run is part of.
    pub deployment: Option<i64>,
    pub dialect: Dialect,
    /// Entries that wait for the next write to the audit.
    pub audit: Vec<AuditEntry>,
    pub seen: Seen,
    pub started_at: Timestamp,
    /// The try of the migration that is being run, from 1.
    pub attempt: i64,
    /// First statements of migrations after this one that may be announced with the end of this one.
    pub following: Vec<Following>,
    /// Statements that are announced in the journal and were not sent yet, in order.
    pub announced: VecDeque<Announced>,
    /// Migrations that are done and not recorded yet, in order: the one after them was announced with them.
    pub unrecorded: Vec<Unrecorded>,
    /// The next migrations, as far as they can be in a batch, read while the database worked on the one before.
    pub read_ahead: Vec<Statements>,
    /// An invalid index that a failed build left behind and that could not be dropped.
    pub left_invalid: Option<String>,
    /// Migrations that are done and recorded.
    pub finished: Vec<FinishedMigration>,
}

impl Run<'_> {
    /// Runs the steps of a plan in order.
    pub async fn steps(&mut self, plan: &Plan) -> Result<Vec<FinishedMigration>, RunError> {
        let result = self.in_order(plan).await;
        self.close_announcements().await;
        result?;
        Ok(std::mem::take(&mut self.finished))
    }

    async fn in_order(&mut self, plan: &Plan) -> Result<(), RunError> {
        let total = plan.steps.len();
        let mut next = 0;
        // The next one could not be applied together with others.
        let mut alone = false;
        while let Some(step) = plan.steps.get(next) {
            if !std::mem::take(&mut alone) {
                let rest = plan.steps.get(next..).unwrap_or_default();
                let batch = self.apply_batch(rest, next + 1, total).await?;
                if batch.sent > 0 {
                    next += batch.applied;
                    alone = batch.applied < batch.sent;
                    continue;
                }
            }
            next += 1;
            if let Some(reason) = self.stop.reason() {
                self.close_announcements().await;
                let at = StoppedAt::BetweenMigrations;
                return Err(stopped(reason, self.finished.len(), at));
            }
            self.tell_started(step, next, total);
            // Nothing is announced together with what comes after the last one that is.
            if self.announced.len() <= 1 {
                self.following = self.look_ahead(plan.steps.get(next..).unwrap_or_default());
            }
            let started = Instant::now();
            match self.verdict(step).await? {
                Verdict::Run => {}
                Verdict::Skip => continue,
                Verdict::Record => {
                    self.started_at = Timestamp::now();
                    self.record_unrun(step).await?;
                    self.tell(finished(step, 0, 0, started.elapsed()));
                    continue;
                }
            }
            let (statements, attempts) = self.step(step).await?;
            let waits = self.unrecorded.last().is_some_and(|last| last.is_of(step));
            if !waits {
                let done = finished(step, statements, attempts, started.elapsed());
                self.tell(done);
            }
            self.reset(step).await?;
        }
        Ok(())
    }

    /// Tells that a migration begins, the one with this number of `total`, from 1.
    pub(super) fn tell_started(&self, step: &Step, number: usize, total: usize) {
        self.runner.events.emit(&Event::MigrationStarted {
            version: step.version.clone(),
            script: step.script.file_name.clone(),
            number,
            total,
            mode: step.mode,
            statements: step.summary.statement_count,
            bytes: step.script.bytes,
            resumed_after: step.journal.as_ref().map(|journal| journal.statements_done),
        });
    }

    /// Tells that a migration is done and recorded.
    pub fn tell(&mut self, done: FinishedMigration) {
        self.runner.events.emit(&Event::MigrationFinished {
            version: done.version.clone(),
            script: done.script.clone(),
            duration: Duration::from_secs_f64(done.seconds),
            statements: done.statements,
            attempts: done.attempts,
        });
        self.finished.push(done);
    }

    /// Runs one step, with retries. Returns the statements it executed and the tries it took.
    async fn step(&mut self, step: &Step) -> Result<(u64, i64), RunError> {
        let started = Instant::now();
        self.started_at = Timestamp::now();
        let mut journal = self.journal_of(step);
        let mut budget = Budget::new(self.runner.limits.retry_budget);
        let mut attempts = 0;
        let mut tries_of_unit = 0;
        // Those of an earlier try, should the last one end before anybody has looked.
        let mut last_blockers = Vec::new();
        loop {
            attempts += 1;
            tries_of_unit += 1;
            let done_before = journal.statements_done;
            self.attempt = attempts;
            self.left_invalid = None;
            self.seen.take();
            let result = match step.mode {
                Mode::Transaction => self.try_transaction(step, tries_of_unit, started).await,
                Mode::Statements => {
                    self.try_statements(step, &mut journal, tries_of_unit, started)
                        .await
                }
            };
            let error = match result {
                Ok(statements) => {
                    self.audit.clear();
                    return Ok((statements, attempts));
                }
                Err(error) => error,
            };
            self.clean_up().await;
            // What follows may take long, and the catalog may change meanwhile.
            self.close_announcements().await;
            if let Some(reason) = self.stop.reason() {
                let state = match error {
                    AttemptError::CommitUnknown { .. } => self.resolve_commit(step).await,
                    _ => state_after(step, &journal),
                };
                return Err(self.stopped(step, reason, attempts, state).await);
            }
            if journal.statements_done > done_before {
                budget = Budget::new(self.runner.limits.retry_budget);
                tries_of_unit = 1;
                last_blockers.clear();
            }
            let blockers = self.seen.take();
            if !blockers.is_empty() {
                last_blockers.clone_from(&blockers);
            }
            match error {
                // A statement whose outcome is in doubt must not be run again before it is settled.
                AttemptError::Database { current, error }
                    if error.kind.is_lock_trouble() && journal.in_doubt.is_none() =>
                {
                    let Some(left) = budget.after_failure() else {
                        let mut failure = self.failure(step, current, error, attempts, &journal);
                        failure.retried_for = Some(budget.spent());
                        failure.blockers = last_blockers;
                        return Err(self.failed(step, failure).await);
                    };
                    let pause = pause(tries_of_unit).min(left);
                    let statement = current.as_ref().map_or(0, |current| current.index);
                    let detail = serde_json::json!({
                        "error": error, "blockers": blockers, "pause_seconds": pause.as_secs_f64(),
                    });
                    let message = format!("try {attempts} of {}: {error}", step.script.file_name);
                    self.runner.events.emit(&Event::Retrying {
                        version: step.version.clone(),
                        statement,
                        attempt: attempts,
                        error,
                        pause,
                        budget_left: left,
                    });
                    self.note(
                        "migration.retry",
                        step,
                        current.as_ref(),
                        attempts,
                        message,
                        detail,
                    )
                    .await;
                    if let Err(reason) = self.stop.sleep(pause).await {
                        let state = state_after(step, &journal);
                        return Err(self.stopped(step, reason, attempts, state).await);
                    }
                }
                other => return Err(self.give_up(step, other, attempts, &journal).await),
            }
        }
    }

    pub(super) fn journal_of(&self, step: &Step) -> JournalRow {
        let run_id = self.runner.identity.run_id.clone();
        match &step.journal {
            Some(journal) => JournalRow {
                run_id,
                script: step.script.file_name.clone(),
                ..journal.clone()
            },
            None => JournalRow {
                version: step.version.clone(),
                script: step.script.file_name.clone(),
                direction: step.direction,
                statements_done: 0,
                prefix_checksum: String::new(),
                in_doubt: None,
                started_at: self.started_at.to_string(),
                run_id,
            },
        }
    }

    /// Gives the session back the state it had, and warns of a transaction that the script left open.
    async fn reset(&mut self, step: &Step) -> Result<(), RunError> {
        let was_open = self
            .session
            .reset()
            .await
            .map_err(|error| RunError::Database {
                doing: "resetting the session",
                error,
            })?;
        if was_open {
            self.runner.events.emit(&Event::Warning {
                code: "transaction_left_open",
                message: format!(
                    "{} left a transaction open; what it did there was rolled back",
                    step.script.file_name
                ),
            });
        }
        Ok(())
    }

    /// After a failed try. Errors are not interesting here: a dead connection shows again at the next use, and one
    /// that does not answer is given up.
    pub(super) async fn clean_up(&mut self) {
        let clean = async {
            let _ = self.session.rollback().await;
            let _ = self.session.reset().await;
        };
        if tokio::time::timeout(CLEAN_UP_TIMEOUT, clean).await.is_err() {
            self.session.abandon();
        }
    }

    /// Turns the end of an attempt into the end of the run.
    pub(super) async fn give_up(
        &mut self,
        step: &Step,
        error: AttemptError,
        attempts: i64,
        journal: &JournalRow,
    ) -> RunError {
        let script = step.script.file_name.clone();
        let version = step.version.clone();
        let path = step.script.path.clone();
        let ended = match error {
            AttemptError::Database { current, error } => {
                let gone = error.kind == ErrorKind::ConnectionLost;
                let mut failure = self.failure(step, current, error, attempts, journal);
                // Another runner may have ended this session, and done its work.
                if gone && self.resolve_commit(step).await == StateAfterFailure::Committed {
                    failure.state = StateAfterFailure::Committed;
                }
                return self.failed(step, failure).await;
            }
            AttemptError::CommitUnknown { error } => {
                let mut failure = self.failure(step, None, error, attempts, journal);
                failure.state = self.resolve_commit(step).await;
                if failure.state == StateAfterFailure::Committed {
                    // What waited for the audit arrived with it.
                    self.audit.clear();
                }
                return self.failed(step, failure).await;
            }
            AttemptError::Directory(error) => RunError::Directory(error),
            AttemptError::Assertion {
                position,
                message,
                row,
            } => RunError::Assertion {
                version,
                script,
                path,
                position,
                message,
                row,
            },
            AttemptError::LeaseLost => RunError::LeaseLost {
                version: Some(version),
            },
            AttemptError::TransactionEnded => RunError::TransactionEnded { version, script },
            AttemptError::InDoubt { current } => RunError::InDoubt {
                version,
                script,
                path,
                statement: i64::try_from(current.index).unwrap_or(i64::MAX),
                position: current.position,
                sql: current.sql,
            },
            AttemptError::LostVariable { name, current } => RunError::LostVariable {
                version,
                script,
                path,
                position: current.position,
                name,
            },
            AttemptError::Unresumable {
                statements_done,
                in_doubt,
            } => RunError::Conflict(vec![Conflict::Unresumable {
                version,
                script,
                statements_done,
                in_doubt,
            }]),
        };
        let message = ended.to_string();
        self.note(
            "migration.failed",
            step,
            None,
            attempts,
            message,
            serde_json::Value::Null,
        )
        .await;
        ended
    }

    async fn failed(&mut self, step: &Step, failure: MigrationFailure) -> RunError {
        let message = format!("{} failed: {}", failure.script, failure.error);
        let current = failure
            .statement
            .zip(failure.position)
            .map(|(index, position)| Current {
                index,
                position,
                sql: String::new(),
            });
        let detail = serde_json::json!({
            "error": failure.error,
            "line": failure.position.map(|position| position.line),
            "state": failure.state,
            "blockers": failure.blockers,
        });
        self.note(
            "migration.failed",
            step,
            current.as_ref(),
            failure.attempts,
            message,
            detail,
        )
        .await;
        RunError::Migration(Box::new(failure))
    }

    fn failure(
        &self,
        step: &Step,
        current: Option<Current>,
        error: DatabaseError,
        attempts: i64,
        journal: &JournalRow,
    ) -> MigrationFailure {
        let state = state_after(step, journal);
        MigrationFailure {
            version: step.version.clone(),
            script: step.script.file_name.clone(),
            path: step.script.path.clone(),
            direction: step.direction,
            statement: current.as_ref().map(|current| current.index),
            position: current.as_ref().map(|current| current.position),
            sql: current.map(|current| current.sql).unwrap_or_default(),
            error,
            attempts,
            retried_for: None,
            blockers: Vec::new(),
            state,
            left_invalid: self.left_invalid.clone(),
        }
    }

    /// Whether a commit that was never answered had arrived, asked on a new connection.
    pub(super) async fn resolve_commit(&mut self, step: &Step) -> StateAfterFailure {
        let ask = async {
            let mut session = self
                .runner
                .database
                .connect(&self.runner.identity)
                .await
                .ok()?;
            let applied = session.applied().await.ok()??;
            let recorded = applied.iter().any(|row| row.version == step.version);
            // What runs again was recorded before.
            (!step.again).then_some(recorded == (step.direction == Direction::Up))
        };
        match tokio::time::timeout(RESOLVE_TIMEOUT, ask).await {
            Ok(Some(true)) => StateAfterFailure::Committed,
            // The server may not have seen the end of the old connection yet, and could still commit.
            Ok(Some(false) | None) | Err(_) => StateAfterFailure::Unknown,
        }
    }

    /// Writes one entry, and those that wait, to the audit: on this connection, else on a new one, else not.
    pub(super) async fn note(
        &mut self,
        event: &'static str,
        step: &Step,
        current: Option<&Current>,
        attempt: i64,
        message: String,
        detail: serde_json::Value,
    ) {
        self.audit.push(AuditEntry {
            event,
            version: Some(step.version.clone()),
            statement: current.and_then(|current| i64::try_from(current.index).ok()),
            attempt: Some(attempt),
            message,
            detail,
        });
        self.flush_audit().await;
    }

    pub async fn flush_audit(&mut self) {
        let entries = std::mem::take(&mut self.audit);
        if entries.is_empty() {
            return;
        }
        match tokio::time::timeout(CLEAN_UP_TIMEOUT, self.session.audit(&entries)).await {
            Ok(Ok(())) => return,
            Ok(Err(_)) => {}
            Err(_) => self.session.abandon(),
        }
        self.runner.audit_elsewhere(&entries).await;
    }

    pub fn history_row(&self, step: &Step, started: Instant) -> HistoryRow {
        let identity = &self.runner.identity;
        HistoryRow {
            version: step.version.clone(),
            description: step.description.clone(),
            script: step.script.file_name.clone(),
            kind: step.summary.kind,
            phase: step.summary.phase(),
            unused_since: step
                .summary
                .unused_since()
                .or_else(|| step.unused_since.clone()),
            deployment: self.deployment,
            origin: Origin::Applied,
            checksums: Checksums {
                normalized: step.script.normalized.clone(),
                raw: step.script.raw.clone(),
                sql: step.summary.sql_checksum.clone(),
            },
            statements: i64::try_from(step.summary.statement_count).unwrap_or(i64::MAX),
            started_at: step.journal.as_ref().map_or_else(
                || self.started_at.to_string(),
                |journal| journal.started_at.clone(),
            ),
            finished_at: Timestamp::now().to_string(),
            duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            run_id: identity.run_id.clone(),
            release: identity.release.clone(),
            applied_by: format!("{}@{}", identity.actor, identity.host),
            tool_version: identity.tool_version.clone(),
        }
    }

    pub fn done_entry(&self, step: &Step, executed: u64, started: Instant) -> AuditEntry {
        let (event, word) = match step.direction {
            Direction::Up => ("migration.applied", "applied"),
            Direction::Down => ("migration.reverted", "reverted"),
        };
        AuditEntry {
            event,
            version: Some(step.version.clone()),
            statement: None,
            attempt: Some(self.attempt),
            message: format!("{word} {}", step.script.file_name),
            detail: done_detail(step, executed, started),
        }
    }
}

/// What the audit keeps of a migration that is done; what it was exempted from, and since when it is safe, where its
/// directives say so.
fn done_detail(step: &Step, executed: u64, started: Instant) -> serde_json::Value {
    let mut detail = serde_json::json!({
        "statements": executed,
        "duration_ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "checksum": step.script.normalized,
    });
    if let Some(contract) = &step.summary.contract {
        detail["contract"] = serde_json::json!({
            "after": contract.after, "unused_since": contract.unused_since,
        });
    }
    if !step.summary.allows.is_empty() {
        let allows = step.summary.allows.iter().map(|allow| {
            serde_json::json!({ "rule": allow.rule, "reason": allow.reason, "line": allow.position.line })
        });
        detail["allowed"] = allows.collect();
    }
    detail
}

/// A migration that was run.
pub(super) fn finished(
    step: &Step,
    statements: u64,
    attempts: i64,
    duration: Duration,
) -> FinishedMigration {
    FinishedMigration {
        version: step.version.clone(),
        script: step.script.file_name.clone(),
        kind: step.summary.kind,
        direction: step.direction,
        statements,
        attempts,
        seconds: duration.as_secs_f64(),
    }
}

/// The error of a unit of work that was not started because the run must stop.
pub(super) fn stop_error() -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Cancelled,
        "not started: the run was told to stop",
    )
}

impl Runner {
    /// Notes a run that ended before it had the lock, best effort.
    pub(super) async fn note_end(&self, command: &str, error: &RunError) {
        let message = format!("{command}: {error}");
        let entry = AuditEntry {
            event: "run.finished",
            version: None,
            statement: None,
            attempt: None,
            message,
            detail: serde_json::json!({ "ok": false }),
        };
        self.audit_elsewhere(&[entry]).await;
    }

    /// Writes to the audit on a connection of its own, best effort.
    pub(super) async fn audit_elsewhere(&self, entries: &[AuditEntry]) {
        let write = async {
            if let Ok(mut monitor) = Arc::clone(&self.database).monitor(&self.identity).await {
                let _ = monitor.audit(entries).await;
            }
        };
        let _ = tokio::time::timeout(RESOLVE_TIMEOUT, write).await;
    }
}
