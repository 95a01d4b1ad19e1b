//! A migration statement by statement, for what cannot be rolled back.
//!
//! The journal is a cursor: how many statements are done, a digest of their SQL, and the one statement that may be
//! in doubt. A statement that can run in a transaction commits together with the cursor, so it is done exactly
//! once. One that commits by itself is announced before it starts; if the end is never recorded, the catalog tells
//! whether it took effect, and where it cannot, a person is asked.

use std::time::Instant;

use forerun_sql::{
    Classification, LockClass, Piece, Position, Splitter, SqlHasher, Statement, TransactionUse,
    classify,
};

use super::attempt::{AttemptError, Current, ProgressClock, takes_rows, timeouts};
use super::run::{Run, stop_error};
use super::transaction::fence;
use crate::database::{CommitOutcome, DatabaseError, ErrorKind, Fingerprint};
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
        let resume_from = journal.statements_done;
        let in_doubt = journal.in_doubt.clone();
        let verify_at = in_doubt
            .as_ref()
            .map_or(resume_from, |in_doubt| in_doubt.statement);
        if verify_at == 0 {
            self.assertions(step).await?;
        }
        let groups =
            TransactionGroups::of(step, self.runner.database.capabilities().transactional_ddl);
        let last = i64::try_from(step.summary.statement_count).unwrap_or(i64::MAX);
        let recorded_prefix = journal.prefix_checksum.clone();
        let mut hasher = SqlHasher::new(self.dialect);
        let mut splitter = Splitter::new(step.script.open()?, self.dialect);
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
            if index == verify_at && hasher.prefix() != recorded_prefix {
                return Err(AttemptError::Unresumable {
                    statements_done: resume_from,
                });
            }
            if index <= resume_from {
                self.restore_setting(step, &statement).await?;
                continue;
            }
            if self.stop.reason().is_some() {
                return Err(AttemptError::Database {
                    current: Some(Current::of(&statement)),
                    error: stop_error(),
                });
            }
            let classification = classify(self.dialect, &statement.text);
            if let Some(in_doubt) = in_doubt
                .as_ref()
                .filter(|in_doubt| in_doubt.statement == index)
            {
                journal.in_doubt = None;
                if self
                    .settle(step, &statement, &classification, in_doubt)
                    .await?
                {
                    journal.statements_done = index;
                    continue;
                }
            }
            if step.summary.assertion(statement.index).is_some() {
                continue;
            }
            let cursor = |journal: &mut JournalRow, prefix: String| {
                journal.statements_done = index;
                journal.prefix_checksum = prefix;
                journal.in_doubt = None;
            };
            match groups.role(statement.index, classification.transaction) {
                Role::Ignored => {}
                Role::Begin => {
                    let limits = timeouts(step, self, LockClass::Dml, attempt);
                    self.session.begin(limits).await?;
                    in_group = true;
                }
                Role::Commit => {
                    in_group = false;
                    recorded = index == last;
                    let mut next = journal.clone();
                    cursor(&mut next, hasher.prefix());
                    self.commit_with_cursor(step, &next, recorded, executed, started)
                        .await?;
                    *journal = next;
                }
                Role::Alone if in_group => {
                    let limits = timeouts(step, self, classification.lock, attempt);
                    self.run_one(step, &statement, &classification, limits, &mut splitter)
                        .await?;
                    executed += 1;
                }
                Role::Alone if classification.transaction == TransactionUse::Outside => {
                    journal.in_doubt = Some(InDoubt {
                        statement: index,
                        fingerprint: stored(&self.session.fingerprint(&classification).await?),
                        answer: None,
                    });
                    // Covers the announced statement: it must still be the same when it is settled.
                    journal.prefix_checksum = hasher.prefix();
                    fence(self.session.write_journal(&self.lease, journal).await?)?;
                    let limits = timeouts(step, self, classification.lock, attempt);
                    self.session.set_timeouts(limits).await?;
                    if let Err(error) = self
                        .run_outside(step, &statement, &classification, limits)
                        .await
                    {
                        // The server refused it, so nothing is in doubt; after a lost connection it stays so.
                        if !lost(&error) {
                            journal.in_doubt = None;
                            journal.statements_done = index - 1;
                            journal.prefix_checksum = prefix_before;
                            fence(self.forget_statement(journal).await?)?;
                        }
                        return Err(error);
                    }
                    executed += 1;
                    cursor(journal, hasher.prefix());
                    if index < last {
                        fence(self.session.write_journal(&self.lease, journal).await?)?;
                    }
                }
                Role::Alone => {
                    let limits = timeouts(step, self, classification.lock, attempt);
                    self.session.begin(limits).await?;
                    self.run_one(step, &statement, &classification, limits, &mut splitter)
                        .await?;
                    executed += 1;
                    recorded = index == last;
                    let mut next = journal.clone();
                    cursor(&mut next, hasher.prefix());
                    self.commit_with_cursor(step, &next, recorded, executed, started)
                        .await?;
                    *journal = next;
                }
            }
            if progress.due() {
                self.progress(step, splitter.bytes_read());
            }
        }
        if verify_at > last {
            return Err(AttemptError::Unresumable {
                statements_done: resume_from,
            });
        }
        if !recorded {
            self.session
                .begin(timeouts(step, self, LockClass::Dml, attempt))
                .await?;
            self.commit_with_cursor(step, &journal.clone(), true, executed, started)
                .await?;
        }
        Ok(executed)
    }

    /// Settings of the session that an earlier attempt made are gone with its session, and what follows relies on
    /// them (`SET foreign_key_checks = 0`, `USE other`, `PRAGMA …`), so these are made again.
    async fn restore_setting(
        &mut self,
        step: &Step,
        statement: &Statement,
    ) -> Result<(), AttemptError> {
        let classification = classify(self.dialect, &statement.text);
        let setting = matches!(classification.verb.as_str(), "SET" | "USE" | "PRAGMA")
            && classification.lock == LockClass::Other
            && classification.objects.is_empty();
        if setting {
            let limits = timeouts(step, self, LockClass::Other, 1);
            self.execute(step, statement, &classification, limits)
                .await?;
        }
        Ok(())
    }

    /// Takes back the announcement of a statement that was refused. An attempt of which nothing is done leaves
    /// nothing behind: its script may be rewritten or removed.
    async fn forget_statement(&mut self, journal: &JournalRow) -> Result<Fenced, DatabaseError> {
        if journal.statements_done == 0 {
            self.session
                .clear_journal(&self.lease, journal.version)
                .await
        } else {
            self.session.write_journal(&self.lease, journal).await
        }
    }

    async fn run_one<R: std::io::BufRead>(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        limits: crate::database::Timeouts,
        splitter: &mut Splitter<R>,
    ) -> Result<(), AttemptError> {
        if takes_rows(classification, statement) {
            self.copy(step, statement, splitter).await
        } else {
            self.execute(step, statement, classification, limits).await
        }
    }

    /// Writes the cursor, or at the end the history row, and commits.
    async fn commit_with_cursor(
        &mut self,
        step: &Step,
        journal: &JournalRow,
        finished: bool,
        executed: u64,
        started: Instant,
    ) -> Result<(), AttemptError> {
        if finished {
            self.record(step, executed, started).await?;
        } else {
            fence(self.session.write_journal(&self.lease, journal).await?)?;
        }
        match self.session.commit().await {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::RolledBack(error) => Err(AttemptError::Database {
                current: None,
                error,
            }),
            CommitOutcome::Unknown(error) => Err(AttemptError::CommitUnknown { error }),
        }
    }

    /// Runs a statement that commits by itself; builds of indexes are cleaned up before and checked after.
    async fn run_outside(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        limits: crate::database::Timeouts,
    ) -> Result<(), AttemptError> {
        let online = classification.lock == LockClass::OnlineBuild;
        if online {
            for index in self
                .session
                .drop_invalid_indexes(classification, &statement.text)
                .await?
            {
                self.audit.push(AuditEntry {
                    event: "index.invalid_dropped",
                    version: Some(step.version),
                    statement: i64::try_from(statement.index).ok(),
                    attempt: None,
                    message: format!(
                        "dropped the invalid index {index} that an earlier build left behind"
                    ),
                    detail: serde_json::Value::Null,
                });
                self.runner.events.emit(&Event::InvalidIndexDropped {
                    version: step.version,
                    index,
                });
            }
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

    /// Whether the statement that an earlier run left in doubt took effect.
    async fn settle(
        &mut self,
        step: &Step,
        statement: &Statement,
        classification: &Classification,
        in_doubt: &InDoubt,
    ) -> Result<bool, AttemptError> {
        let (done, how) = if let Some(answer) = in_doubt.answer {
            (answer, "answered with `migrate repair`")
        } else if in_doubt.fingerprint == stored(&Fingerprint::Repeatable) {
            (false, "it may be repeated")
        } else if in_doubt.fingerprint == stored(&Fingerprint::Unknown) {
            return Err(AttemptError::InDoubt {
                current: Current::of(statement),
            });
        } else if classification.lock == LockClass::OnlineBuild
            && self
                .session
                .invalid_index(classification, &statement.text)
                .await?
                .is_some()
        {
            (false, "it left an invalid index")
        } else {
            match self.session.fingerprint(classification).await? {
                Fingerprint::Unknown => {
                    return Err(AttemptError::InDoubt {
                        current: Current::of(statement),
                    });
                }
                now => (stored(&now) != in_doubt.fingerprint, "the catalog"),
            }
        };
        self.runner.events.emit(&Event::Settled {
            version: step.version,
            statement: in_doubt.statement,
            done,
            how,
        });
        self.audit.push(AuditEntry {
            event: "statement.settled",
            version: Some(step.version),
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
enum Role {
    /// Opens a transaction: replaced by ours.
    Begin,
    /// Commits it: the cursor commits with it.
    Commit,
    /// Opens or commits a transaction that a statement in it would end anyway.
    Ignored,
    /// Everything else.
    Alone,
}

/// The transactions that a script opens by itself.
struct TransactionGroups(Vec<Group>);

struct Group {
    begin: u64,
    end: u64,
    /// Ended by ROLLBACK: nothing in it lasts, so nothing of it is run.
    rolled_back: bool,
    /// A statement in it commits by itself, so the group is none.
    broken: bool,
}

impl TransactionGroups {
    fn of(step: &Step, transactional_ddl: bool) -> Self {
        let mut groups = Vec::new();
        let mut open: Option<(u64, bool)> = None;
        for statement in &step.summary.statements {
            let sort = statement.classification.transaction;
            match (sort, &mut open) {
                (TransactionUse::Begin, None) => open = Some((statement.index, false)),
                (TransactionUse::Commit | TransactionUse::Rollback, Some((begin, broken))) => {
                    let rolled_back = sort == TransactionUse::Rollback && !*broken;
                    groups.push(Group {
                        begin: *begin,
                        end: statement.index,
                        rolled_back,
                        broken: *broken,
                    });
                    open = None;
                }
                (TransactionUse::Outside, Some((_, broken))) if !transactional_ddl => {
                    *broken = true;
                }
                _ => {}
            }
        }
        Self(groups)
    }

    fn role(&self, index: u64, sort: TransactionUse) -> Role {
        let group = self
            .0
            .iter()
            .find(|group| (group.begin..=group.end).contains(&index));
        match group {
            Some(group) if group.rolled_back => Role::Ignored,
            Some(group) if !group.broken && index == group.begin => Role::Begin,
            Some(group) if !group.broken && index == group.end => Role::Commit,
            _ if matches!(
                sort,
                TransactionUse::Begin | TransactionUse::Commit | TransactionUse::Rollback
            ) =>
            {
                Role::Ignored
            }
            _ => Role::Alone,
        }
    }
}

/// A fingerprint as the journal stores it.
fn stored(fingerprint: &Fingerprint) -> String {
    match fingerprint {
        Fingerprint::Definition(digest) => format!("definition:{digest}"),
        Fingerprint::Repeatable => "repeatable".to_owned(),
        Fingerprint::Unknown => "unknown".to_owned(),
    }
}

fn lost(error: &AttemptError) -> bool {
    matches!(
        error,
        AttemptError::Database { error, .. }
            if matches!(error.kind, ErrorKind::ConnectionLost | ErrorKind::Unreachable)
    )
}
