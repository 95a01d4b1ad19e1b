//! One connection: sends one statement at a time and translates its errors.
//!
//! A statement is never sent together with another: the client library would report a failure of the second
//! with the *next* call. A call that was abandoned in the middle leaves the protocol in an unknown state,
//! after which every call fails instead of reading somebody else's answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use forerun_migrations::database::{DatabaseError, ErrorKind, Notice, StatementOutcome};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::{GlobalHandler, Queryable};
use mysql_async::{Conn, Error, InfileData, LocalInfileError, Row};

use super::{error, row};

/// An open connection. (Not `Debug`: the client library would print the password.)
pub(super) struct Connection {
    conn: Conn,
    in_call: bool,
    file_requests: RefusedFiles,
    largest_packet: usize,
}

/// Answers `LOAD DATA LOCAL` with an empty file: the file would be one of the runner's. The server loads
/// nothing and the connection stays usable; the flag makes the statement an error.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedFiles(Arc<AtomicBool>);

impl GlobalHandler for RefusedFiles {
    fn handle(&self, _name: &[u8]) -> BoxFuture<'static, Result<InfileData, LocalInfileError>> {
        self.0.store(true, Ordering::SeqCst);
        async { Ok(stream::empty::<std::io::Result<Bytes>>().boxed()) }.boxed()
    }
}

impl Connection {
    /// Takes over an open connection whose handler for files is `file_requests`.
    pub(super) fn new(conn: Conn, file_requests: RefusedFiles) -> Self {
        Self {
            conn,
            in_call: false,
            file_requests,
            largest_packet: usize::MAX,
        }
    }

    /// Refuses statements of more bytes than the server would accept (`max_allowed_packet`); the server
    /// would close the connection.
    pub(super) fn limit_packets(&mut self, bytes: usize) {
        self.largest_packet = bytes;
    }

    /// Runs a statement and drops the rows it may return, one by one.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.write(sql).await.map(|_| ())
    }

    /// Runs a statement of our own and returns how many rows it affected. Its warnings are not asked for.
    pub(super) async fn write(&mut self, sql: &str) -> Result<u64, DatabaseError> {
        self.enter(sql)?;
        let result = Self::run_and_drop_rows(&mut self.conn, sql).await;
        self.in_call = false;
        match result {
            Ok(_) => Ok(self.conn.affected_rows()),
            Err(error) => Err(self.failed(error, sql).await),
        }
    }

    /// Runs a statement of a script and says what it did.
    pub(super) async fn run(&mut self, sql: &str) -> Result<StatementOutcome, DatabaseError> {
        self.enter(sql)?;
        self.file_requests.0.store(false, Ordering::SeqCst);
        let result = Self::run_and_drop_rows(&mut self.conn, sql).await;
        self.in_call = false;
        let returns_rows = match result {
            Ok(returns_rows) => returns_rows,
            Err(error) => return Err(self.failed(error, sql).await),
        };
        if self.file_requests.0.load(Ordering::SeqCst) {
            return Err(DatabaseError::new(
                ErrorKind::Statement,
                "LOAD DATA LOCAL is not possible in a migration: the file would be read from the machine \
                 that runs the migration; nothing was loaded",
            )
            .with_hint("Use INSERT statements, or LOAD DATA without LOCAL for a file on the server."));
        }
        let rows = (!returns_rows).then(|| self.conn.affected_rows());
        let notices = if self.conn.get_warnings() > 0 {
            self.warnings().await?
        } else {
            Vec::new()
        };
        Ok(StatementOutcome { rows, notices })
    }

    /// All rows of a query.
    pub(super) async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, DatabaseError> {
        self.enter(sql)?;
        let result = self.conn.query::<Row, _>(sql).await;
        self.in_call = false;
        match result {
            Ok(rows) => Ok(rows),
            Err(error) => Err(self.failed(error, sql).await),
        }
    }

    /// All rows of a query, each turned into a value as it arrives.
    pub(super) async fn map_rows<T: Send + 'static>(
        &mut self,
        sql: &str,
        read: fn(&Row) -> T,
    ) -> Result<Vec<T>, DatabaseError> {
        self.enter(sql)?;
        let result = self.conn.query_map(sql, |found: Row| read(&found)).await;
        self.in_call = false;
        match result {
            Ok(values) => Ok(values),
            Err(error) => Err(self.failed(error, sql).await),
        }
    }

    /// The first row of a query; the others are dropped one by one.
    pub(super) async fn first(&mut self, sql: &str) -> Result<Option<Row>, DatabaseError> {
        self.enter(sql)?;
        let result = self.conn.query_first::<Row, _>(sql).await;
        self.in_call = false;
        match result {
            Ok(row) => Ok(row),
            Err(error) => Err(self.failed(error, sql).await),
        }
    }

    /// Whether a transaction is open on the server, by the status flags of the protocol.
    pub(super) async fn in_transaction(&mut self) -> Result<bool, DatabaseError> {
        self.execute("DO 0").await?;
        let status = self
            .conn
            .last_ok_packet()
            .map(mysql_async::OkPacket::status_flags);
        Ok(status.is_some_and(|flags| flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS)))
    }

    /// Says goodbye to the server.
    pub(super) async fn close(self) {
        // Nothing depends on it: the server ends the session as well when the connection breaks.
        let _ = self.conn.disconnect().await;
    }

    async fn run_and_drop_rows(conn: &mut Conn, sql: &str) -> Result<bool, Error> {
        let result = conn.query_iter(sql).await?;
        let returns_rows = !result.columns_ref().is_empty();
        result.drop_result().await?;
        Ok(returns_rows)
    }

    async fn warnings(&mut self) -> Result<Vec<Notice>, DatabaseError> {
        let rows = self.rows("SHOW WARNINGS").await?;
        let notice = |found: &Row| Notice {
            severity: row::text(found, 0),
            message: format!("{} ({})", row::text(found, 2), row::text(found, 1)),
        };
        Ok(rows.iter().map(notice).collect())
    }

    fn enter(&mut self, sql: &str) -> Result<(), DatabaseError> {
        if self.in_call {
            return Err(DatabaseError::new(
                ErrorKind::ConnectionLost,
                "the connection was abandoned in the middle of a statement",
            ));
        }
        // One byte of the packet is the command.
        if sql.len() >= self.largest_packet {
            return Err(DatabaseError::new(
                ErrorKind::Statement,
                format!(
                    "the statement has {} bytes; the server accepts less than {} (max_allowed_packet)",
                    sql.len(),
                    self.largest_packet
                ),
            )
            .with_hint("Split the statement, or raise max_allowed_packet on the server."));
        }
        self.in_call = true;
        Ok(())
    }

    async fn failed(&mut self, error: Error, sql: &str) -> DatabaseError {
        let error = error::statement_error(error, sql);
        // MySQL reports KILL QUERY and KILL CONNECTION alike; after the second there is no connection left.
        if error::number(&error) == Some(error::INTERRUPTED) && self.conn.ping().await.is_err() {
            return DatabaseError {
                kind: ErrorKind::ConnectionLost,
                ..error
            };
        }
        error
    }
}
