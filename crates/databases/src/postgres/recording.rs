//! The end of a migration in its own transaction: history row, audit and COMMIT in one message, so that a plain
//! migration takes two round trips, one for what it does and one for this.

use forerun_migrations::database::{
    Change, CommitOutcome, DatabaseError, ErrorKind, Fenced, Lease, Record, RecordOutcome,
    Timeouts, Together, record_then_commit,
};
use forerun_migrations::history::{HistoryRow, Version};
use futures_util::future::join_all;
use tokio_postgres::error::{DbError, SqlState};

use super::bookkeeping::{
    HISTORY_COLUMNS, OWN_IDENTITY, Times, audit_sql, history_values, with_privilege_hint,
};
use super::literal::text;
use super::row::Row;
use super::session::{Pooling, PostgresSession};

/// So many migrations are sent at once: enough for the wait between them not to count.
const MOST_TOGETHER: usize = 16;

impl PostgresSession {
    /// [`forerun_migrations::database::Session::record_and_commit`].
    pub(super) async fn record_and_end(
        &mut self,
        lease: &Lease,
        record: Record<'_>,
    ) -> Result<RecordOutcome, DatabaseError> {
        // Where nothing ran yet, this opens the transaction.
        if record.begin.is_none() {
            self.catch_up().await?;
        }
        let [Change::Applied(row)] = record.changes else {
            return record_then_commit(self, lease, record).await;
        };
        let (None, Some(transaction), true, Pooling::Direct) = (
            record.begin,
            self.transaction,
            record.announced.is_empty(),
            self.pooling,
        ) else {
            return record_then_commit(self, lease, record).await;
        };
        if let Err(error) = self.before_commit().await {
            return Ok(RecordOutcome::Ended(CommitOutcome::RolledBack(error)));
        }

        let mut sql = self.fenced_insert(lease, transaction, row);
        sql.push_str(&std::mem::take(&mut self.audit_before_commit));
        if !record.audit.is_empty() {
            sql.push_str(&audit_sql(
                &self.facts.schema,
                &self.identity,
                record.audit,
                Times::Ours,
            ));
            sql.push_str("; ");
        }
        sql.push_str("COMMIT");

        // Apart, but sent at once: the client encoding that the first one sets applies from the next message on. If
        // it fails, the transaction has failed and the second one fails too.
        let identity = async {
            if self.disturbed && !self.own_identity {
                self.link.batch(OWN_IDENTITY).await
            } else {
                Ok(())
            }
        };
        let (identity, answer) = tokio::join!(identity, self.link.client.batch_execute(&sql));
        if answer
            .as_ref()
            .err()
            .and_then(|error| error.as_db_error())
            .is_some_and(is_refusal)
        {
            return self.why_refused(lease).await.map(RecordOutcome::Refused);
        }
        let answer = match answer {
            Ok(()) => Ok(()),
            Err(error) => Err(self.link.error(&error, None).await),
        };
        let answer = identity.and(answer).map_err(with_privilege_hint);
        Ok(RecordOutcome::Ended(self.committed(answer).await))
    }

    /// The history row, whose version is NULL, which the table refuses, unless the lease is ours and the transaction is
    /// the one that we began: so the COMMIT behind it cannot be reached without it. The lock on the lease keeps others
    /// from taking it over before that.
    fn fenced_insert(&self, lease: &Lease, transaction: i64, row: &HistoryRow) -> String {
        let schema = self.schema();
        let version = text(row.version.as_str());
        format!(
            "WITH cleared AS (DELETE FROM {schema}.forerun_journal WHERE version = {version}) \
             INSERT INTO {schema}.forerun_history ({HISTORY_COLUMNS}) VALUES (\
             (SELECT {version} FROM {schema}.forerun_lock WHERE name = 'runner' AND token = {} \
             AND txid_current() = {transaction} FOR SHARE), {}); ",
            lease.token,
            history_values(row, Times::Ours),
        )
    }

    pub(super) fn most_together(&self) -> usize {
        let ready = self.clean && self.to_begin.is_none() && !self.disturbed && !self.reset_pending;
        if ready && self.pooling == Pooling::Direct {
            MOST_TOGETHER
        } else {
            1
        }
    }

    /// [`forerun_migrations::database::Session::apply_together`]: each migration is one message, and all are sent at
    /// once. An error leaves the transaction of its message failed, in which the server refuses all others; where one
    /// ended without that (cancelled before its BEGIN), the next one does not find its row.
    pub(super) async fn send_together(
        &mut self,
        lease: &Lease,
        limits: Timeouts,
        migrations: &[Together<'_>],
    ) -> (usize, Option<DatabaseError>) {
        let opening = self.opening(limits);
        let mut previous = None;
        let messages = migrations.iter().map(|migration| {
            let mut sql = opening.clone();
            for statement in migration.statements {
                sql.push_str(statement);
                // It may end with a comment.
                sql.push_str("\n; ");
            }
            sql.push_str(&self.insert_after(lease, previous, migration.row));
            sql.push_str(&audit_sql(
                &self.facts.schema,
                &self.identity,
                std::slice::from_ref(migration.audit),
                Times::Server,
            ));
            sql.push_str("; COMMIT");
            previous = Some(&migration.row.version);
            sql
        });
        let messages: Vec<String> = messages.collect();
        self.link.start_statement();
        self.clean = false;
        let answers = join_all(messages.iter().map(|sql| self.link.batch(sql))).await;
        let applied = answers.iter().take_while(|answer| answer.is_ok()).count();
        let lost = answers.into_iter().flat_map(Result::err).find(|error| {
            matches!(
                error.kind,
                ErrorKind::ConnectionLost | ErrorKind::Unexpected
            )
        });
        if applied == migrations.len() {
            self.clean = true;
            return (applied, None);
        }
        let rolled_back = self.roll_back().await;
        (applied, lost.or(rolled_back.err()))
    }

    /// The history row of one of several migrations, with the server's times; see [`Self::fenced_insert`].
    fn insert_after(&self, lease: &Lease, previous: Option<&Version>, row: &HistoryRow) -> String {
        let schema = self.schema();
        let after = previous.map_or_else(String::new, |previous| {
            format!(
                "AND EXISTS (SELECT FROM {schema}.forerun_history WHERE version = {}) ",
                text(previous.as_str())
            )
        });
        format!(
            "INSERT INTO {schema}.forerun_history ({HISTORY_COLUMNS}) VALUES (\
             (SELECT {} FROM {schema}.forerun_lock WHERE name = 'runner' AND token = {} {after}FOR SHARE), {}); ",
            text(row.version.as_str()),
            lease.token,
            history_values(row, Times::Server),
        )
    }

    /// Which of the two conditions of [`Self::fenced_insert`] did not hold.
    async fn why_refused(&mut self, lease: &Lease) -> Result<Fenced, DatabaseError> {
        self.roll_back().await?;
        let token = format!(
            "SELECT token FROM {}.forerun_lock WHERE name = 'runner'",
            self.schema()
        );
        let rows = self.write(&token).await?;
        let token = rows.first().map(|row| Row(row).number(0)).transpose()?;
        Ok(if token == Some(lease.token) {
            Fenced::TransactionEnded
        } else {
            Fenced::LeaseLost
        })
    }
}

fn is_refusal(error: &DbError) -> bool {
    *error.code() == SqlState::NOT_NULL_VIOLATION
        && error.table() == Some("forerun_history")
        && error.column() == Some("version")
}
