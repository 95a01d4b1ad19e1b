//! A migration statement by statement, for what cannot be rolled back.
//!
//! The journal is a cursor: how many statements are done, a digest of their SQL, and the one statement that may be
//! in doubt. A statement that can run in a transaction commits together with the cursor, so it is done exactly
//! once. One that commits by itself is announced before it starts; if the end is never recorded, the catalog tells
//! whether it took effect, and where it cannot, a person is asked.

use std::time::Instant;

use forerun_sql::{
    Classification, LockClass, Piece, Position, SessionEffect, Splitter, SqlHasher, Statement,
    TransactionUse, classify, session_effect,
};

use super::attempt::{
    AttemptError, Current, ProgressClock, statement_timeouts, takes_rows, timeouts,
};
use super::past::{
    Past, REPEATABLE, UNKNOWN, in_doubt, is_what_was_announced, state_before, state_of,
};
use super::run::{CLEAN_UP_TIMEOUT, Run, stop_error};
use super::transaction::fence;
use crate::database::{DatabaseError, ErrorKind, Fingerprint, Timeouts};
use crate::event::Event;
use crate::history::{AuditEntry, InDoubt, JournalRow};
use crate::plan::Step;

impl Run<'_> {
    /// One try, from where the journal stands. Returns the number of statements of this try.
    pub(super) async fn try_statements(
        &mut self,
        step: &Step,
        journal: &mut JournalRow,
        attempt: i64,
        started: Instant,
    ) -> Result<u64, AttemptError> {
        let transactional_ddl = self.runner.database.capabilities().transactional_ddl;
        let last = i64::try_from(step.summary.statement_count).unwrap_or(i64::MAX);
        let mut past = Past::of(journal);
        if past.in_doubt.is_none() && only_assertions(step, past.done) {
            let limits = timeouts(step, self, LockClass::Query, attempt);
            self.session.set_timeouts(limits).await?;
            self.assertions(step).await?;
        }
        let mut hasher = SqlHasher::new(self.dialect);
        let mut splitter = Splitter::new(step.script.open_inspected(&step.summary)?, self.dialect);
        let mut progress = ProgressClock::new();
        let mut executed = 0;
        let mut recorded = false;
        let mut in_group = false;
        while let Some(piece) = splitter
            .next_piece()
            .map_err(|error| step.script.split_error(error, Position::START))?
        {
            let Piece::Statement(statement) = piece else {
                continue;
            };
            let prefix_before = hasher.prefix();
            hasher.statement(&statement);
            let index = i64::try_from(statement.index).unwrap_or(i64::MAX);
            if index <= past.done {
                let changed = index == past.done && hasher.prefix() != past.prefix;
                past.remember(self.dialect, statement, changed)?;
                continue;
            }
            if self.stop.reason().is_some() {
                return Err(AttemptError::Database {
                    current: Some(Current::of(&statement)),
                    error: stop_error(),
                });
            }
            for setting in std::mem::take(&mut past.settings) {
                self.restore(step, &setting).await?;
            }
            past.refuse_lost_variables(self.dialect, &statement)?;
            let classification = classify(self.dialect, &statement.text);
            if let Some(in_doubt) = past
                .in_doubt
                .take_if(|in_doubt| in_doubt.statement == index)
            {
                let prefix = hasher.prefix();
                let done = self
                    .settle(step, &statement, &classification, &in_doubt, &prefix)
                    .await?;
                journal.in_doubt = None;
                if done {
                    advance(journal, index, prefix);
                    continue;
                }
            }
            if step.summary.assertion(statement.index).is_some() {
                continue;
            }
            let effect = session_effect(self.dialect, &statement.text, &classification);
            let limits =
                statement_timeouts(step, self, statement.index, classification.lock, attempt);
            match role(
                step,
                transactional_ddl,
                statement.index,
                classification.transaction,
            ) {
                Role::Ignored => {}
                Role::Begin => {
                    let limits = timeouts(step, self, LockClass::Dml, attempt);
                    self.session.begin(limits).await?;
                    in_group = true;
                }
                Role::Commit => {
                    in_group = false;
                    recorded = index == last;
                    self.commit_with_cursor(
                        step,
                        journal,
                        (index, hasher.prefix()),
                        recorded,
                        executed,
                        started,
                    )
                    .await?;
                }
                Role::Alone if in_group => {
                    self.run_one(step, &statement, &classification, limits, &mut splitter)
                        .await?;
                    executed += 1;
                }
                Role::Alone if effect == SessionEffect::Setting => {
                    // Made again whenever the script is resumed, so there is nothing to journal.
                    self.session.set_timeouts(limits).await?;
                    self.execute(step, &statement, &classification, limits)
                        .await?;
                    executed += 1;
                    advance(journal, index, hasher.prefix());
                }
                Role::Alone if classification.transaction == TransactionUse::Outside => {
                    advance(journal, index - 1, prefix_before);
                    self.run_outside(
                        step,
                        journal,
                        &statement,
                        &classification,
                        limits,
                        &hasher.prefix(),
                    )
                    .await?;
                    executed += 1;
                    advance(journal, index, hasher.prefix());
                    if index < last {
                        fence(self.session.write_journal(&self.lease, journal).await?)?;
                    }
                }
                Role::Alone => {
                    self.session.begin(limits).await?;
                    self.run_one(step, &statement, &classification, limits, &mut splitter)
                        .await?;
                    executed += 1;
                    recorded = index == last;
                    self.commit_with_cursor(
                        step,
                        journal,
                        (index, hasher.prefix()),
                        recorded,
                        executed,
                        started,
                    )
                    .await?;
                }
            }
            if progress.due() {
                self.progress(step, splitter.bytes_read());
            }
        }
        if past.done > last || past.still_in_doubt() {
            return Err(past.unresumable());
        }
        if !recorded && !self.announced.is_empty() {
            self.record_later(step, executed, started);
        } else if !recorded {
            let limits = timeouts(step, self, LockClass::Dml, attempt);
            self.record_and_commit(step, executed, started, Some(limits))
                .await?;
        }
        Ok(executed)
    }

    /// Makes a setting of the session again that an earlier attempt had made: it went with its session, and what
    /// follows relies on it (`SET foreign_key_checks = 0`, `USE other`, `ATTACH …`).
    async fn restore(&mut self, step: &Step, setting: &Statement) -> Result<(), AttemptError> {
        let classification = classify(self.dialect, &setting.text);
        let limits = timeouts(step, self, LockClass::Other, 1);
        self.execute(step, setting, &classification, limits).await
    }

    async fn run_one<R: std::io::BufRead>(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        limits: Timeouts,
        splitter: &mut Splitter<R>,
    ) -> Result<(), AttemptError> {
        if takes_rows(classification, statement) {
            self.copy(step, statement, classification, splitter).await
        } else {
            self.execute(step, statement, classification, limits).await
        }
    }

    /// Writes the cursor, or at the end the history row, and commits.
    async fn commit_with_cursor(
        &mut self,
        step: &Step,
        journal: &mut JournalRow,
        (index, prefix): (i64, String),
        finished: bool,
        executed: u64,
        started: Instant,
    ) -> Result<(), AttemptError> {
        if finished {
            return self.record_and_commit(step, executed, started, None).await;
        }
        let mut next = journal.clone();
        advance(&mut next, index, prefix);
        fence(self.session.write_journal(&self.lease, &next).await?)?;
        self.commit().await?;
        *journal = next;
        Ok(())
    }

    /// Announces a statement that commits by itself, runs it, and settles what it did if it failed.
    async fn run_outside(
        &mut self,
        step: &Step,
        journal: &mut JournalRow,
        statement: &Statement,
        classification: &Classification,
        limits: Timeouts,
        prefix: &str,
    ) -> Result<(), AttemptError> {
        let statement_number = journal.statements_done + 1;
        let before = match self.take_announced(journal, prefix) {
            Some(announced) => {
                *journal = announced.journal;
                announced.before
            }
            None => {
                let before = self.session.fingerprint(classification).await?;
                journal.in_doubt = Some(in_doubt(statement_number, prefix, &before));
                fence(self.session.write_journal(&self.lease, journal).await?)?;
                before
            }
        };
        self.session.set_timeouts(limits).await?;
        if self
            .heartbeat
            .as_ref()
            .is_some_and(|heartbeat| heartbeat.is_overdue(&self.lease))
        {
            // Behind a pooler there is no session that a successor could have ended.
            return Err(AttemptError::LeaseLost);
        }
        let Err(error) = self
            .build_or_execute(step, statement, classification, limits)
            .await
        else {
            return Ok(());
        };
        if classification.lock == LockClass::OnlineBuild && !lost(&error) {
            self.drop_at_once(step, statement, classification).await;
        }
        if self
            .did_nothing(statement, classification, &before, &error)
            .await
        {
            journal.in_doubt = None;
            let untouched = only_assertions(step, journal.statements_done);
            fence(if untouched {
                // Nothing of the script is done: it may be rewritten or removed.
                self.session
                    .clear_journal(&self.lease, &journal.version)
                    .await?
            } else {
                self.session.write_journal(&self.lease, journal).await?
            })?;
        }
        Err(error)
    }

    /// Whether a statement that commits by itself and failed has certainly left nothing behind.
    async fn did_nothing(
        &mut self,
        statement: &Statement,
        classification: &Classification,
        before: &Fingerprint,
        error: &AttemptError,
    ) -> bool {
        if lost(error) {
            return false;
        }
        match before {
            Fingerprint::Repeatable => true,
            // An invalid index is looked for, and dropped, before each build.
            Fingerprint::Definition(_) | Fingerprint::Absent(_)
                if classification.lock == LockClass::OnlineBuild =>
            {
                true
            }
            Fingerprint::Definition(_) | Fingerprint::Absent(_) => self
                .session
                .fingerprint(classification)
                .await
                .is_ok_and(|now| state_of(&now) == state_of(before)),
            // A procedure may have committed a part before it failed; where statements are atomic it has not.
            Fingerprint::Unknown if self.runner.database.capabilities().transactional_ddl => true,
            Fingerprint::Unknown => match error {
                AttemptError::Database { error, .. } => {
                    self.session
                        .refused_unrun(classification, &statement.text, error)
                        .await
                }
                _ => false,
            },
        }
    }

    /// Runs a statement; builds of indexes are cleaned up before and checked after.
    async fn build_or_execute(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        limits: Timeouts,
    ) -> Result<(), AttemptError> {
        let online = classification.lock == LockClass::OnlineBuild;
        if online {
            let dropped = self
                .watched(step, statement, None, async |session| {
                    session
                        .drop_invalid_indexes(classification, &statement.text, None)
                        .await
                })
                .await?;
            self.dropped(step, statement, dropped, "an earlier");
        }
        self.execute(step, statement, classification, limits)
            .await?;
        if online
            && let Some(index) = self
                .session
                .invalid_index(classification, &statement.text)
                .await?
        {
            let error = DatabaseError::new(
                ErrorKind::Statement,
                format!("the server reported success, but the index {index} is invalid"),
            )
            .with_hint("Run again: forerun drops the invalid index and builds it anew.");
            return Err(AttemptError::Database {
                current: Some(Current::of(statement)),
                error,
            });
        }
        Ok(())
    }

    /// After a concurrent build that failed: it may have left an invalid index, which writes have to keep up and which, if it
    /// is unique, goes on refusing rows. It is dropped now, if that needs no long wait, or remembered for the message.
    async fn drop_at_once(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
    ) {
        let mut limit = self.runner.limits.ddl_lock_timeout;
        if self.stop.reason().is_some() {
            limit = limit.min(CLEAN_UP_TIMEOUT);
        }
        let limits = Timeouts {
            lock: Some(limit),
            statement: Some(limit),
        };
        let sql = &statement.text;
        let session = &mut self.session;
        let dropping = session.drop_invalid_indexes(classification, sql, Some(limits));
        let dropped = dropping.await.unwrap_or_default();
        if dropped.is_empty() {
            // One that somebody else builds is not waited for.
            let asking = self.session.invalid_index(classification, sql);
            if let Ok(Ok(left)) = tokio::time::timeout(CLEAN_UP_TIMEOUT, asking).await {
                self.left_invalid = left;
            }
        }
        self.dropped(step, statement, dropped, "this");
    }

    /// Tells of invalid indexes that were dropped.
    fn dropped(&mut self, step: &Step, statement: &Statement, indexes: Vec<String>, build: &str) {
        for index in indexes {
            self.audit.push(AuditEntry {
                event: "index.invalid_dropped",
                version: Some(step.version.clone()),
                statement: i64::try_from(statement.index).ok(),
                attempt: None,
                message: format!(
                    "dropped the invalid index {index} that {build} build left behind"
                ),
                detail: serde_json::Value::Null,
            });
            self.runner.events.emit(&Event::InvalidIndexDropped {
                version: step.version.clone(),
                index,
            });
        }
    }

    /// Whether the statement that an earlier run left in doubt took effect. `prefix` is the digest of the script up
    /// to it.
    async fn settle(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        in_doubt: &InDoubt,
        prefix: &str,
    ) -> Result<bool, AttemptError> {
        if !is_what_was_announced(in_doubt, prefix) {
            return Err(AttemptError::Unresumable {
                statements_done: in_doubt.statement - 1,
                in_doubt: Some(in_doubt.statement),
            });
        }
        let before = state_before(in_doubt);
        let opaque = || AttemptError::InDoubt {
            current: Current::of(statement),
        };
        let (done, how) = match (in_doubt.answer, before) {
            (Some(answer), _) => (answer, "answered with `migrate repair`"),
            (None, REPEATABLE) => (false, "it may be repeated"),
            (None, UNKNOWN) => return Err(opaque()),
            (None, _)
                if classification.lock == LockClass::OnlineBuild
                    && self
                        .session
                        .invalid_index(classification, &statement.text)
                        .await?
                        .is_some() =>
            {
                (false, "it left an invalid index")
            }
            (None, before) => match self.session.fingerprint(classification).await? {
                Fingerprint::Unknown => return Err(opaque()),
                now => (state_of(&now) != before, "the catalog"),
            },
        };
        self.runner.events.emit(&Event::Settled {
            version: step.version.clone(),
            statement: in_doubt.statement,
            done,
            how,
        });
        self.audit.push(AuditEntry {
            event: "statement.settled",
            version: Some(step.version.clone()),
            statement: Some(in_doubt.statement),
            attempt: None,
            message: format!(
                "an earlier run ended in statement {}: it had {}taken effect ({how})",
                in_doubt.statement,
                if done { "" } else { "not " }
            ),
            detail: serde_json::Value::Null,
        });
        Ok(done)
    }
}

/// What a statement is within the transactions that a script opens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Opens a transaction: replaced by ours.
    Begin,
    /// Commits it: the cursor commits with it.
    Commit,
    /// Opens or commits a transaction that a statement in it would end anyway.
    Ignored,
    /// Everything else.
    Alone,
}

/// What a statement is; `groups` of the summary are in order.
pub(super) fn role(step: &Step, transactional_ddl: bool, index: u64, sort: TransactionUse) -> Role {
    let groups = &step.summary.groups;
    let group = groups
        .get(groups.partition_point(|group| group.end < index))
        .filter(|group| group.begin <= index);
    let control = matches!(
        sort,
        TransactionUse::Begin | TransactionUse::Commit | TransactionUse::Rollback
    );
    match group {
        Some(group) if group.broken && !transactional_ddl => {
            if control {
                Role::Ignored
            } else {
                Role::Alone
            }
        }
        Some(group) if group.rolled_back => Role::Ignored,
        Some(group) if index == group.begin => Role::Begin,
        Some(group) if index == group.end => Role::Commit,
        _ if control => Role::Ignored,
        _ => Role::Alone,
    }
}

/// Whether the first `done` statements only ask (assertions), so that the script has changed nothing.
pub(super) fn only_assertions(step: &Step, done: i64) -> bool {
    (1..=done).all(|index| {
        u64::try_from(index).is_ok_and(|index| step.summary.assertion(index).is_some())
    })
}

fn advance(journal: &mut JournalRow, done: i64, prefix: String) {
    journal.statements_done = done;
    journal.prefix_checksum = prefix;
    journal.in_doubt = None;
}

fn lost(error: &AttemptError) -> bool {
    matches!(
        error,
        AttemptError::Database { error, .. }
            if matches!(error.kind, ErrorKind::ConnectionLost | ErrorKind::Unreachable)
    )
}
