//! First statements of migrations that follow, announced in the transaction that records the one before.
//!
//! Where each statement is announced before it is sent, this saves a durable commit for each migration; and a row of
//! migrations that each create one thing is announced and recorded together. Only what the catalog can tell afterwards
//! is announced so early: when the run dies, the next one finds out by the catalog which statements took effect, and
//! nobody is asked. A run that ends in any other way records what is done and takes back what was not sent.
//!
//! Of those that are announced together none may change what the catalog shows of another. So each has to create one
//! object that is not there, all of different names.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use forerun_sql::{
    Classification, Piece, SessionEffect, Splitter, SqlHasher, TransactionUse, classify,
    session_effect,
};
use jiff::Timestamp;

use super::FinishedMigration;
use super::past::in_doubt;
use super::run::{CLEAN_UP_TIMEOUT, Run, finished};
use super::statements::{Role, role};
use crate::database::{
    Change, CommitOutcome, DatabaseError, Fingerprint, Record, RecordOutcome, Timeouts,
};
use crate::history::{AuditEntry, JournalRow};
use crate::plan::{Mode, Step};

/// So many migrations are announced, and then recorded, together: enough for the cost of it not to count.
const MOST: usize = 16;

/// The first statement of a migration that follows.
pub(super) struct Following {
    /// Progress of that migration: nothing is done.
    journal: JournalRow,
    /// Digest of the script up to and with the statement.
    prefix: String,
    classification: Classification,
    /// There is no other statement.
    only: bool,
}

/// A statement that is announced in the journal and was not sent yet.
pub(super) struct Announced {
    /// As it stands in the database.
    pub journal: JournalRow,
    /// The catalog before the statement.
    pub before: Fingerprint,
}

/// A migration that is done and will be recorded together with the next ones.
pub(super) struct Unrecorded {
    pub changes: Vec<Change>,
    pub audit: Vec<AuditEntry>,
    finished: FinishedMigration,
}

impl Unrecorded {
    /// Whether it is this step.
    pub fn is_of(&self, step: &Step) -> bool {
        self.finished.version == step.version
    }
}

impl Run<'_> {
    /// First statements of the steps that follow, as far as they may be announced together. What is wrong with a
    /// script is found, and told, when its turn comes.
    pub(super) fn look_ahead(&self, steps: &[Step]) -> Vec<Following> {
        let mut following: Vec<Following> = Vec::new();
        for step in steps.iter().take(MOST) {
            match self.first_statement(step) {
                Some(next) if next.only => following.push(next),
                Some(next) if following.is_empty() => return vec![next],
                _ => break,
            }
        }
        following
    }

    fn first_statement(&self, step: &Step) -> Option<Following> {
        let transactional_ddl = self.runner.database.capabilities().transactional_ddl;
        if transactional_ddl
            || step.mode != Mode::Statements
            || step.journal.is_some()
            || step.again
            || !step.conditions.is_empty()
            || !step.summary.assertions.is_empty()
        {
            return None;
        }
        let script = step.script.open_inspected(&step.summary).ok()?;
        let Piece::Statement(statement) =
            Splitter::new(script, self.dialect).next_piece().ok()??
        else {
            return None;
        };
        let classification = classify(self.dialect, &statement.text);
        let sort = classification.transaction;
        let commits_by_itself = sort == TransactionUse::Outside
            && session_effect(self.dialect, &statement.text, &classification)
                == SessionEffect::None
            && role(step, transactional_ddl, statement.index, sort) == Role::Alone;
        if !commits_by_itself {
            return None;
        }
        let mut hasher = SqlHasher::new(self.dialect);
        let journal = JournalRow {
            prefix_checksum: hasher.prefix(),
            ..self.journal_of(step)
        };
        hasher.statement(&statement);
        Some(Following {
            journal,
            prefix: hasher.prefix(),
            classification,
            only: step.summary.statement_count == 1,
        })
    }

    /// Announcements of what follows, to be written with the end of this migration. No transaction may be open. What
    /// is not among them is announced in its turn.
    pub(super) async fn announce_following(&mut self) -> VecDeque<Announced> {
        let mut announced = VecDeque::new();
        // Names in the statements must mean what they will mean then.
        if !self.session.is_undisturbed() {
            return announced;
        }
        let mut names = HashSet::new();
        for next in std::mem::take(&mut self.following) {
            // A failure is not one of this migration; that of the connection shows at the next use.
            let Ok(before) = self.session.fingerprint(&next.classification).await else {
                break;
            };
            let creates = matches!(before, Fingerprint::Absent(_))
                && next
                    .classification
                    .objects
                    .iter()
                    .all(|object| names.insert(object.name.to_lowercase()));
            let alone = announced.is_empty() && matches!(before, Fingerprint::Definition(_));
            if !creates && !alone {
                break;
            }
            let journal = JournalRow {
                in_doubt: Some(in_doubt(1, &next.prefix, &before)),
                started_at: Timestamp::now().to_string(),
                ..next.journal
            };
            announced.push_back(Announced { journal, before });
            if alone {
                break;
            }
        }
        announced
    }

    /// The announcement of the statement that comes after what is done by `journal`, if there is one; `prefix` is the
    /// digest of the script up to and with it.
    pub(super) fn take_announced(
        &mut self,
        journal: &JournalRow,
        prefix: &str,
    ) -> Option<Announced> {
        let announced = self
            .announced
            .pop_front_if(|next| next.journal.version == journal.version)?;
        let expected = in_doubt(journal.statements_done + 1, prefix, &announced.before);
        (announced.journal.direction == journal.direction
            && announced.journal.in_doubt == Some(expected))
        .then_some(announced)
    }

    /// Keeps the record of a migration that is done until that of the last one that was announced with it.
    pub(super) fn record_later(&mut self, step: &Step, executed: u64, started: Instant) {
        let mut audit = std::mem::take(&mut self.audit);
        audit.push(self.done_entry(step, executed, started));
        self.unrecorded.push(Unrecorded {
            changes: self.changes(step, started),
            audit,
            finished: finished(step, executed, self.attempt, started.elapsed()),
        });
    }

    /// Tells of the migrations whose record has just been committed.
    pub(super) fn tell_recorded(&mut self) {
        for done in std::mem::take(&mut self.unrecorded) {
            self.tell(done.finished);
        }
    }

    /// Records what is done and takes back what is announced and was not sent. Where that fails (the connection is
    /// lost), the next run finds out by the catalog.
    pub(super) async fn close_announcements(&mut self) {
        if self.announced.is_empty() && self.unrecorded.is_empty() {
            return;
        }
        let announced = std::mem::take(&mut self.announced);
        let close = async {
            if !self.unrecorded.is_empty() {
                match self.record_unrecorded().await {
                    Ok(true) => self.tell_recorded(),
                    Ok(false) | Err(_) => return self.session.rollback().await,
                }
            }
            for next in announced {
                let version = next.journal.version;
                let _ = self.session.clear_journal(&self.lease, &version).await?;
            }
            Ok(())
        };
        let closed = tokio::time::timeout(CLEAN_UP_TIMEOUT, close).await;
        self.unrecorded.clear();
        if closed.is_err() {
            self.session.abandon();
        }
    }

    /// `true` when it is committed.
    async fn record_unrecorded(&mut self) -> Result<bool, DatabaseError> {
        let changes: Vec<Change> = self
            .unrecorded
            .iter()
            .flat_map(|done| done.changes.clone())
            .collect();
        let audit: Vec<AuditEntry> = self
            .unrecorded
            .iter()
            .flat_map(|done| done.audit.clone())
            .collect();
        let record = Record {
            begin: Some(Timeouts::default()),
            changes: &changes,
            announced: &[],
            audit: &audit,
        };
        Ok(matches!(
            self.session.record_and_commit(&self.lease, record).await?,
            RecordOutcome::Ended(CommitOutcome::Committed)
        ))
    }
}
