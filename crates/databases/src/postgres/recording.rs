//! The end of a migration in its own transaction: history row, audit and COMMIT in one message, so that a plain
//! migration takes two round trips, one for what it does and one for this.

use forerun_migrations::database::{
    Change, CommitOutcome, DatabaseError, Fenced, Lease, Record, RecordOutcome, record_then_commit,
};
use forerun_migrations::history::HistoryRow;
use tokio_postgres::error::{DbError, SqlState};

use super::bookkeeping::{
    HISTORY_COLUMNS, OWN_IDENTITY, Times, audit_sql, history_values, with_privilege_hint,
};
use super::literal::text;
use super::row::Row;
use super::session::{Pooling, PostgresSession};

impl PostgresSession {
    /// [`forerun_migrations::database::Session::record_and_commit`].
    pub(super) async fn record_and_end(
        &mut self,
        lease: &Lease,
        record: Record<'_>,
    ) -> Result<RecordOutcome, DatabaseError> {
        let (None, [Change::Applied(row)], [], Pooling::Direct) =
            (record.begin, record.changes, record.announced, self.pooling)
        else {
            return record_then_commit(self, lease, record).await;
        };
        if let Err(error) = self.before_commit().await {
            return Ok(RecordOutcome::Ended(CommitOutcome::RolledBack(error)));
        }
        let Some(transaction) = self.transaction else {
            return record_then_commit(self, lease, record).await;
        };

        let mut sql = format!(
            "WITH cleared AS (DELETE FROM {}.forerun_journal WHERE version = {}) ",
            self.schema(),
            text(row.version.as_str())
        );
        let condition = format!("txid_current() = {transaction}");
        sql.push_str(&self.fenced_insert(lease, &condition, row, Times::Given));
        sql.push_str(&std::mem::take(&mut self.audit_before_commit));
        if !record.audit.is_empty() {
            sql.push_str(&audit_sql(
                &self.facts.schema,
                &self.identity,
                record.audit,
                Times::Given,
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

    /// The history row, whose version is NULL, which the table refuses, unless the lease is ours and the condition holds:
    /// so what stands behind it in the message, the COMMIT, is not reached. The lock on the lease keeps others from taking
    /// it over before that.
    pub(super) fn fenced_insert(
        &self,
        lease: &Lease,
        condition: &str,
        row: &HistoryRow,
        times: Times,
    ) -> String {
        let schema = self.schema();
        format!(
            "INSERT INTO {schema}.forerun_history ({HISTORY_COLUMNS}) VALUES (\
             (SELECT {} FROM {schema}.forerun_lock WHERE name = 'runner' AND token = {} AND {condition} FOR SHARE), {}); ",
            text(row.version.as_str()),
            lease.token,
            history_values(row, times),
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
