//! Several migrations on their way to the server at once.

use forerun_migrations::database::{ErrorKind, Lease, Timeouts, Together, TogetherOutcome};
use forerun_migrations::history::Version;
use futures_util::future::join_all;

use super::bookkeeping::{Times, audit_sql};
use super::literal::text;
use super::session::{Pooling, PostgresSession};

/// So many migrations are sent at once: enough for the wait between them not to count.
const MOST_TOGETHER: usize = 16;

impl PostgresSession {
    /// [`forerun_migrations::database::Session::most_together`].
    pub(super) fn room_for_others(&self) -> usize {
        let ready = self.clean
            && self.to_begin.is_none()
            && !self.disturbed
            && !self.reset_pending
            && !self.event_triggers
            && !self.link.is_closed();
        if ready && self.pooling == Pooling::Direct {
            MOST_TOGETHER
        } else {
            1
        }
    }

    /// [`forerun_migrations::database::Session::apply_together`]: each migration is one message, and all are sent at
    /// once. An error leaves the transaction of its message failed, in which the server refuses all others; where one
    /// ended without that (a syntax error, a cancel before its BEGIN), the next one does not find its row.
    pub(super) async fn send_together(
        &mut self,
        lease: &Lease,
        limits: Timeouts,
        migrations: &[Together<'_>],
    ) -> TogetherOutcome {
        let mut previous = None;
        let mut messages = Vec::new();
        for migration in migrations {
            messages.push(self.message(lease, limits, previous, *migration));
            previous = Some(&migration.row.version);
        }
        self.link.start_statement();
        self.clean = false;
        let answers = join_all(messages.iter().map(|sql| self.link.batch(sql))).await;
        let notices = self.link.take_notices();
        let applied = answers.iter().take_while(|answer| answer.is_ok()).count();
        let mut lost = answers.into_iter().flat_map(Result::err).find(|error| {
            matches!(
                error.kind,
                ErrorKind::ConnectionLost | ErrorKind::Unexpected
            )
        });
        if applied == migrations.len() {
            self.clean = true;
        } else if let Err(error) = self.roll_back().await {
            lost = lost.or(Some(error));
        }
        TogetherOutcome {
            applied,
            notices,
            lost,
        }
    }

    fn message(
        &self,
        lease: &Lease,
        limits: Timeouts,
        previous: Option<&Version>,
        migration: Together<'_>,
    ) -> String {
        let mut sql = self.opening(limits);
        for statement in migration.statements {
            sql.push_str(statement);
            // It may end with a comment.
            sql.push_str("\n; ");
        }
        let times = Times::OfTransaction {
            ahead: self.clock_ahead,
        };
        let condition = previous.map_or_else(
            || "true".to_owned(),
            |previous| {
                format!(
                    "EXISTS (SELECT FROM {}.forerun_history WHERE version = {})",
                    self.schema(),
                    text(previous.as_str())
                )
            },
        );
        sql.push_str(&self.fenced_insert(lease, &condition, migration.row, times));
        let entry = std::slice::from_ref(migration.audit);
        sql.push_str(&audit_sql(&self.facts.schema, &self.identity, entry, times));
        sql.push_str("; COMMIT");
        sql
    }
}
