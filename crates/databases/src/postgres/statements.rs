//! The user's SQL: transactions, statements, COPY, and undoing what a script did to the session.
//!
//! One statement of the script per message: commands such as `CREATE INDEX CONCURRENTLY` refuse one with several. Only
//! what opens the transaction may stand before the first of them.

use std::borrow::Cow;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use forerun_migrations::database::{
    CommitOutcome, DatabaseError, ErrorKind, StatementOutcome, Timeouts,
};
use forerun_sql::{Classification, Dialect, LockClass};
use futures_util::{SinkExt, StreamExt};
use tokio_postgres::{CopyInSink, SimpleQueryMessage, SimpleQueryRow};

use super::error;
use super::row::Row;
use super::session::{Pooling, PostgresSession};

/// Copy data is sent in pieces of this size: large enough for the speed of `psql`, small enough to hold in memory.
const COPY_CHUNK: usize = 64 * 1024;

/// How long the server waits for us between two statements of a transaction. We never wait there, so a longer pause
/// means a stopped or cut-off process, whose locks must not stay.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// A `COPY … FROM STDIN` under way.
pub(super) struct Copy {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
    /// Text of the statement, for error positions.
    sql: String,
    /// We opened a transaction for it alone.
    own_transaction: bool,
}

impl PostgresSession {
    pub(super) async fn begin_transaction(
        &mut self,
        timeouts: Timeouts,
    ) -> Result<(), DatabaseError> {
        self.own_identity = false;
        self.to_begin = Some(timeouts);
        // Behind a pooler the monitor has to know at once which server session the statements will run in.
        if self.reset_pending || self.event_triggers || self.pooling != Pooling::Direct {
            self.begin_now().await?;
        }
        Ok(())
    }

    /// What opens the transaction that is due, ready to stand before a statement of the same message. Its only row is
    /// for [`Self::note_begun`].
    fn begin_message(&mut self) -> Option<String> {
        let timeouts = self.to_begin.take()?;
        self.clean = false;
        let mut sql = self.opening(timeouts);
        // The transaction's id is how its end is noticed: nothing in a script can bring it back.
        sql.push_str("SELECT pg_backend_pid(), txid_current(); ");
        Some(sql)
    }

    /// BEGIN and the limits of a transaction.
    pub(super) fn opening(&self, timeouts: Timeouts) -> String {
        // The isolation level is what the fencing relies on: it must see a takeover that was committed meanwhile.
        let mut sql = "BEGIN ISOLATION LEVEL READ COMMITTED; ".to_owned();
        if self.facts.version < 130_000 {
            // Else the limit that the role has counts for the whole message.
            sql.push_str("SET LOCAL statement_timeout = 0; ");
        }
        sql.push_str(&format!(
            "{}; SET LOCAL idle_in_transaction_session_timeout = {}; ",
            settings("SET LOCAL", timeouts),
            IDLE_LIMIT.as_millis(),
        ));
        if self.facts.version >= 170_000 {
            sql.push_str("SET LOCAL transaction_timeout = 0; ");
        }
        sql
    }

    fn note_begun(&mut self, row: &SimpleQueryRow) -> Result<(), DatabaseError> {
        self.note_process_id(row)?;
        self.transaction = Some(Row(row).number(1)?);
        Ok(())
    }

    /// Opens the transaction that is due.
    async fn begin_now(&mut self) -> Result<(), DatabaseError> {
        let Some(sql) = self.begin_message() else {
            return Ok(());
        };
        // Both messages are sent at once; an error of the first does not stop the second.
        let reset = self.reset_message();
        let (reset, begun) = tokio::join!(
            async {
                match &reset {
                    Some(sql) => self.link.rows(sql).await.map(Some),
                    None => Ok(None),
                }
            },
            self.link.rows(&sql)
        );
        let begun = begun?;
        if let Some(rows) = reset? {
            self.check_lock_after_reset(&rows)?;
        }
        self.note_begun(Row::only(&begun)?.0)
    }

    pub(super) async fn apply_timeouts(&mut self, timeouts: Timeouts) -> Result<(), DatabaseError> {
        if self.to_begin.is_some() {
            self.to_begin = Some(timeouts);
            return Ok(());
        }
        if self.transaction.is_some() {
            return self.link.batch(&settings("SET LOCAL", timeouts)).await;
        }
        self.catch_up().await?;
        if self.pooling != Pooling::Direct {
            // A session setting would stay on a server session that others use. Outside a transaction the
            // limits of the role or the database apply.
            return Ok(());
        }
        self.session_timeouts = timeouts;
        self.link.batch(&settings("SET", timeouts)).await
    }

    pub(super) async fn run_statement(
        &mut self,
        sql: &str,
    ) -> Result<StatementOutcome, DatabaseError> {
        let (rows, _) = self.stream(sql, false).await?;
        Ok(StatementOutcome {
            rows,
            notices: self.link.take_notices(),
        })
    }

    pub(super) async fn query_first_row(
        &mut self,
        sql: &str,
    ) -> Result<Option<String>, DatabaseError> {
        let (_, first) = self.stream(sql, true).await?;
        Ok(first)
    }

    /// Runs one statement; rows are read and thrown away one by one, so that a large result needs no memory.
    async fn stream(
        &mut self,
        sql: &str,
        keep_first: bool,
    ) -> Result<(Option<u64>, Option<String>), DatabaseError> {
        let begin = self.begin_message();
        if begin.is_none() {
            self.catch_up().await?;
        }
        let skipped = begin.as_ref().map_or(0, String::len);
        let sent = match &begin {
            Some(begin) => Cow::Owned(format!("{begin}{sql}")),
            None => Cow::Borrowed(sql),
        };
        let classification = forerun_sql::classify(Dialect::Postgres, sql);
        self.disturbed = self.disturbed || may_disturb(&classification, sql);
        self.event_triggers = self.event_triggers || classification.verb.contains("EVENT TRIGGER");
        self.link.start_statement();
        self.clean = false;
        self.own_identity = false;
        let mut answers = match self.link.client.simple_query_raw(&sent).await {
            Ok(answers) => pin!(answers),
            Err(error) => return Err(self.statement_error(&error, &sent, skipped).await),
        };
        let mut begun = begin.is_none();
        let mut affected = None;
        let mut first = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(SimpleQueryMessage::Row(row)) if !begun => {
                    self.note_begun(&row)?;
                    begun = true;
                }
                Ok(SimpleQueryMessage::CommandComplete(rows)) => affected = Some(rows),
                Ok(SimpleQueryMessage::Row(row)) if keep_first && first.is_none() => {
                    first = Some(readable(&row)?);
                }
                Ok(_) => {}
                Err(error) => {
                    let error = self.statement_error(&error, &sent, skipped).await;
                    if error.kind != ErrorKind::Unexpected {
                        return Err(error);
                    }
                    // The server is in the middle of a COPY that nobody serves: the connection is of no more use.
                    let error = DatabaseError::new(
                        ErrorKind::Statement,
                        "the statement does not fit in a migration: it moves rows between server and client \
                         (COPY … TO STDOUT), or the server's answer is not understood",
                    );
                    self.link.abandon(DatabaseError::new(
                        ErrorKind::ConnectionLost,
                        error.message.clone(),
                    ));
                    return Err(error);
                }
            }
        }
        // The driver reports 0 for commands without a count.
        if affected == Some(0) && !matches!(classification.lock, LockClass::Dml | LockClass::Query)
        {
            affected = None;
        }
        Ok((affected, first))
    }

    /// The error of a message whose first `skipped` bytes are not the statement's.
    async fn statement_error(
        &self,
        error: &tokio_postgres::Error,
        sent: &str,
        skipped: usize,
    ) -> DatabaseError {
        let mut error = self.link.error(error, Some(sent)).await;
        error.position = error
            .position
            .and_then(|position| position.checked_sub(skipped));
        error
    }

    pub(super) async fn start_copy(&mut self, sql: &str) -> Result<(), DatabaseError> {
        // The driver prepares COPY under a name, which a pooler keeps only within a transaction.
        self.catch_up().await?;
        let own_transaction = self.pooling != Pooling::Direct && self.transaction.is_none();
        if own_transaction {
            self.link.batch("BEGIN").await?;
        }
        self.link.start_statement();
        self.clean = false;
        match self.link.client.copy_in(sql).await {
            Ok(sink) => {
                self.copy = Some(Copy {
                    sink: Box::pin(sink),
                    buffer: BytesMut::with_capacity(COPY_CHUNK),
                    sql: sql.to_owned(),
                    own_transaction,
                });
                Ok(())
            }
            Err(error) => Err(self.link.error(&error, Some(sql)).await),
        }
    }

    pub(super) async fn send_copy(&mut self, mut data: &[u8]) -> Result<(), DatabaseError> {
        let Some(copy) = &mut self.copy else {
            return Err(no_copy());
        };
        while !data.is_empty() {
            let room = COPY_CHUNK - copy.buffer.len();
            let (now, later) = data.split_at(room.min(data.len()));
            copy.buffer.extend_from_slice(now);
            data = later;
            if copy.buffer.len() == COPY_CHUNK {
                let chunk =
                    std::mem::replace(&mut copy.buffer, BytesMut::with_capacity(COPY_CHUNK))
                        .freeze();
                // Waits while the server is behind.
                if let Err(error) = copy.sink.feed(chunk).await {
                    return Err(self.link.error(&error, Some(&copy.sql)).await);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn finish_copy(&mut self) -> Result<StatementOutcome, DatabaseError> {
        let Some(mut copy) = self.copy.take() else {
            return Err(no_copy());
        };
        if !copy.buffer.is_empty()
            && let Err(error) = copy.sink.feed(copy.buffer.split().freeze()).await
        {
            return Err(self.link.error(&error, Some(&copy.sql)).await);
        }
        let finished = copy.sink.as_mut().finish().await;
        let Copy {
            sql,
            own_transaction,
            ..
        } = copy;
        match finished {
            Ok(rows) => {
                if own_transaction {
                    self.link.batch("COMMIT").await?;
                }
                Ok(StatementOutcome {
                    rows: Some(rows),
                    notices: self.link.take_notices(),
                })
            }
            Err(error) => {
                let error = self.link.error(&error, Some(&sql)).await;
                if own_transaction && error.kind != ErrorKind::ConnectionLost {
                    self.link.batch("ROLLBACK").await?;
                }
                Err(error)
            }
        }
    }

    pub(super) async fn commit_transaction(&mut self) -> CommitOutcome {
        if let Err(error) = self.before_commit().await {
            return CommitOutcome::RolledBack(error);
        }
        // COMMIT of a failed transaction succeeds by rolling back; the query in front fails there.
        let audit = std::mem::take(&mut self.audit_before_commit);
        let committed = self.link.batch(&format!("{audit}SELECT 1; COMMIT")).await;
        self.committed(committed).await
    }

    /// After an error nothing was sent, and the server rolls back what a lost connection leaves.
    pub(super) async fn before_commit(&mut self) -> Result<(), DatabaseError> {
        if self.link.is_closed() {
            self.link.batch("").await?;
        }
        self.catch_up().await
    }

    /// What the answer to a message that ends with COMMIT means.
    pub(super) async fn committed(&mut self, answer: Result<(), DatabaseError>) -> CommitOutcome {
        self.copy = None;
        self.transaction = None;
        match answer {
            Ok(()) => {
                self.clean = true;
                CommitOutcome::Committed
            }
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::ConnectionLost | ErrorKind::Unexpected
                ) =>
            {
                CommitOutcome::Unknown(error)
            }
            Err(error) => match self.link.batch("ROLLBACK").await {
                Ok(()) => {
                    self.clean = true;
                    CommitOutcome::RolledBack(error)
                }
                Err(_) => CommitOutcome::RolledBack(error),
            },
        }
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), DatabaseError> {
        self.copy = None;
        self.transaction = None;
        self.to_begin = None;
        self.audit_before_commit.clear();
        if !self.clean {
            self.link.batch("ROLLBACK").await?;
            self.clean = true;
        }
        Ok(())
    }

    pub(super) async fn reset_session(&mut self) -> Result<bool, DatabaseError> {
        self.to_begin = None;
        let open = !self.clean && (self.copy.is_some() || self.in_transaction().await?);
        if open {
            self.roll_back().await?;
        }
        self.transaction = None;
        self.clean = true;
        if self.pooling != Pooling::Direct {
            // Whose server session a reset would reach is not known: it is done when recording, in the transaction.
            return Ok(open);
        }
        // Settings of ours for what runs outside a transaction are a disturbance as well.
        self.reset_pending = self.disturbed || self.session_timeouts != Timeouts::default();
        Ok(open)
    }

    /// Sends what was left for later, before anything that could depend on it: the reset, or the start of a transaction.
    pub(super) async fn catch_up(&mut self) -> Result<(), DatabaseError> {
        if self.to_begin.is_some() {
            return self.begin_now().await;
        }
        let Some(sql) = self.reset_message() else {
            return Ok(());
        };
        let rows = self.link.rows(&sql).await?;
        self.check_lock_after_reset(&rows)
    }

    /// The message that puts the session back, if it is due.
    fn reset_message(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.reset_pending) {
            return None;
        }
        self.disturbed = false;
        let mut sql = RESET_SESSION.to_owned();
        for setting in &self.settings {
            sql.push_str("; ");
            sql.push_str(setting);
        }
        if self.lock_taken > 0 {
            sql.push_str(&format!("; SELECT pg_try_advisory_lock({})", self.lock_key));
        }
        self.session_timeouts = Timeouts::default();
        Some(sql)
    }

    /// Whether a transaction is open, also a failed one. A local setting outlives its own message only in one.
    async fn in_transaction(&mut self) -> Result<bool, DatabaseError> {
        let (set, seen) = tokio::join!(
            self.link
                .batch("SELECT set_config('forerun.probe', '1', true)"),
            self.link
                .rows("SELECT current_setting('forerun.probe', true)"),
        );
        for error in [set.as_ref().err(), seen.as_ref().err()]
            .into_iter()
            .flatten()
        {
            // 25P02: the transaction has failed and takes nothing but its end.
            if error.code.as_deref() == Some("25P02") {
                return Ok(true);
            }
        }
        set?;
        Ok(seen?
            .first()
            .is_some_and(|row| matches!(row.try_get(0), Ok(Some("1")))))
    }
}

/// Whether a statement may leave something behind in the session. Plain changes of the schema do not; anything that
/// can call a function might.
fn may_disturb(classification: &Classification, sql: &str) -> bool {
    let plain = matches!(
        classification.verb.as_str(),
        "CREATE TABLE"
            | "ALTER TABLE"
            | "DROP TABLE"
            | "CREATE INDEX"
            | "CREATE UNIQUE INDEX"
            | "DROP INDEX"
    );
    // `TEMP`, `pg_temp`, and defaults that call something.
    let text = sql.to_ascii_lowercase();
    !plain || text.contains("temp") || text.contains("set_config")
}

/// Undoes what a script did to the session. The role is not a part of `RESET ALL`.
pub(super) const RESET_SESSION: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DISCARD TEMP; CLOSE ALL; \
     UNLISTEN *; DEALLOCATE ALL";

/// The limits as statements; without a limit it is 0, which is off.
pub(super) fn settings(command: &str, timeouts: Timeouts) -> String {
    format!(
        "{command} lock_timeout = {}; {command} statement_timeout = {}",
        milliseconds(timeouts.lock),
        milliseconds(timeouts.statement)
    )
}

/// The server takes milliseconds up to 2^31 - 1; a limit below one must not become "off".
fn milliseconds(limit: Option<Duration>) -> i32 {
    limit.map_or(0, |limit| {
        i32::try_from(limit.as_millis()).unwrap_or(i32::MAX).max(1)
    })
}

fn no_copy() -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Unexpected,
        "no COPY is under way on this connection",
    )
}

/// A row as `a=1, b=x`, at most 500 characters.
fn readable(row: &SimpleQueryRow) -> Result<String, DatabaseError> {
    let mut text = String::new();
    for (index, column) in row.columns().iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(column.name());
        text.push('=');
        let value = row
            .try_get(index)
            .map_err(|error| error::from_driver(&error, None))?;
        text.push_str(value.unwrap_or("NULL"));
    }
    Ok(error::shortened(&text, 500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_off_and_a_tiny_one_is_not() {
        let timeouts = Timeouts {
            lock: Some(Duration::from_micros(5)),
            statement: None,
        };
        assert_eq!(
            settings("SET", timeouts),
            "SET lock_timeout = 1; SET statement_timeout = 0"
        );
    }
}
