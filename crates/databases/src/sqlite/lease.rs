//! The runner lock: one row with a token that only grows.
//!
//! Whoever holds the write lock of the file may look at the row and change it, so taking the lease is one short
//! transaction. A waiting runner looks at the row first, without the write lock, and so does not disturb the holder.

use std::time::Duration;

use forerun_migrations::database::{
    Acquire, DatabaseError, ErrorKind, Holder, Lease, LeaseRequest,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::bookkeeping::{check_format, read_format, tables_exist};
use super::error;
use super::file::DatabaseFile;
use super::process::Process;

/// How long one try waits for another writer: enough for a transaction of bookkeeping, no more.
const TRY_LIMIT: Duration = Duration::from_millis(250);

/// The row, when somebody is in it.
struct Row {
    holder: Holder,
    expired: bool,
}

impl Row {
    /// Nobody will miss it.
    fn is_dead(&self) -> bool {
        self.expired || self.holder.alive == Some(false)
    }
}

impl DatabaseFile {
    /// One try to take the lease.
    pub fn try_acquire(&mut self, request: &LeaseRequest) -> Result<Acquire, DatabaseError> {
        self.writing()?;
        // What was read before others could write.
        self.journal_is_empty = false;
        self.signals.set_lock_limit(Some(TRY_LIMIT));
        let here = self.process.clone();
        let identity = self.identity.clone();
        let connection = &*self.writing()?;
        match read_if_there(connection, &here) {
            Ok(Some(row)) if !row.is_dead() => return Ok(Acquire::Held(Some(row.holder))),
            Ok(_) => {}
            // Somebody is committing.
            Err(error) if error.kind == ErrorKind::LockTimeout => return Ok(Acquire::Held(None)),
            Err(error) => return Err(error),
        }
        let begun = connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]));
        if let Err(error) = begun.map_err(error::of_bookkeeping) {
            return held_or(connection, &here, error);
        }
        let taken = create_and_take(connection, &here, |connection| {
            let release = identity.release.as_deref();
            let mut take = connection.prepare_cached(include_str!("sql/take_lease.sql"))?;
            take.query_row(
                params![
                    identity.run_id,
                    identity.actor,
                    identity.host,
                    release,
                    request.purpose,
                    here.to_string(),
                    seconds(request.duration),
                ],
                |row| row.get(0),
            )
        });
        let committed = match taken {
            Ok(Ok((token, taken_over))) => connection
                .prepare_cached("COMMIT")
                .and_then(|mut commit| commit.execute([]))
                .map(|_| {
                    Acquire::Acquired(Lease {
                        token,
                        duration: request.duration,
                        taken_over,
                    })
                })
                .map_err(error::of_bookkeeping),
            Ok(Err(holder)) => Ok(Acquire::Held(Some(holder))),
            Err(error) => Err(error),
        };
        if !connection.is_autocommit() {
            connection
                .execute_batch("ROLLBACK")
                .map_err(error::of_bookkeeping)?;
        }
        match committed {
            Err(error) => held_or(connection, &here, error),
            done => done,
        }
    }

    /// Who holds the lease.
    pub fn holder(&mut self) -> Result<Option<Holder>, DatabaseError> {
        let busy_timeout = self.busy_timeout;
        self.signals.set_lock_limit(Some(busy_timeout));
        let here = self.process.clone();
        match self.reading()? {
            Some(connection) => Ok(read_if_there(connection, &here)?.map(|row| row.holder)),
            None => Ok(None),
        }
    }

    /// Gives the lease back, if it is still ours.
    pub fn release(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        self.roll_back()?;
        self.clear(lease.token, 0)
    }

    /// Ends the lease of another holder. There is no session to terminate: the token grows, so whatever that holder
    /// still does is refused when it records.
    pub fn evict(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        self.clear(holder.token, 1)
    }

    fn clear(&mut self, token: i64, growth: i64) -> Result<(), DatabaseError> {
        match self.reading()? {
            Some(connection) if tables_exist(connection)? => {}
            _ => return Ok(()),
        }
        self.write(|connection| {
            connection
                .prepare_cached(include_str!("sql/clear_lease.sql"))?
                .execute([token, growth])?;
            Ok(true)
        })?;
        Ok(())
    }

    /// Prolongs the lease; `false` when it is no longer ours. While another connection writes, it still is: nobody can
    /// take it over then.
    pub fn heartbeat(&mut self, lease: &Lease, limit: Duration) -> Result<bool, DatabaseError> {
        let Some(_) = self.reading()? else {
            return Ok(false);
        };
        self.signals.set_lock_limit(Some(limit));
        let Some(connection) = self.opened() else {
            return Ok(false);
        };
        let refreshed = connection
            .prepare_cached(include_str!("sql/refresh_lease.sql"))
            .and_then(|mut refresh| refresh.execute(params![lease.token, seconds(lease.duration)]));
        match refreshed.map_err(error::of_bookkeeping) {
            Ok(rows) => Ok(rows == 1),
            Err(error) if error.kind == ErrorKind::LockTimeout => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// In the transaction: creates the tables, looks once more, and takes the lease unless somebody has it.
fn create_and_take(
    connection: &Connection,
    here: &Process,
    take: impl FnOnce(&Connection) -> Result<i64, rusqlite::Error>,
) -> Result<Result<(i64, Option<Holder>), Holder>, DatabaseError> {
    connection
        .execute_batch(include_str!("sql/create.sql"))
        .map_err(error::of_bookkeeping)?;
    check_format(connection)?;
    upgrade(connection).map_err(error::of_bookkeeping)?;
    let row = read(connection, here)?;
    let taken_over = match row {
        Some(row) if !row.is_dead() => return Ok(Err(row.holder)),
        Some(row) => Some(row.holder),
        None => None,
    };
    let token = take(connection).map_err(error::of_bookkeeping)?;
    Ok(Ok((token, taken_over)))
}

/// Brings tables of format 1 to the one of this build.
fn upgrade(connection: &Connection) -> Result<(), rusqlite::Error> {
    if read_format(connection)? != 1 {
        return Ok(());
    }
    let sql =
        "SELECT 1 FROM pragma_table_info('forerun_history', 'main') WHERE name = 'unused_since'";
    if connection.prepare_cached(sql)?.exists([])? {
        return Ok(());
    }
    connection.execute_batch(include_str!("sql/upgrade.sql"))
}

/// A try that failed for want of the write lock is a lock that somebody holds.
fn held_or(
    connection: &Connection,
    here: &Process,
    error: DatabaseError,
) -> Result<Acquire, DatabaseError> {
    if error.kind != ErrorKind::LockTimeout {
        return Err(error);
    }
    let holder = read_if_there(connection, here).ok().flatten();
    Ok(Acquire::Held(holder.map(|row| row.holder)))
}

fn read_if_there(connection: &Connection, here: &Process) -> Result<Option<Row>, DatabaseError> {
    if tables_exist(connection)? {
        read(connection, here)
    } else {
        Ok(None)
    }
}

fn read(connection: &Connection, here: &Process) -> Result<Option<Row>, DatabaseError> {
    let found = connection
        .prepare_cached(include_str!("sql/read_lease.sql"))
        .and_then(|mut statement| {
            statement
                .query_row([], |row| {
                    let Some(run_id) = row.get("run_id")? else {
                        return Ok(None);
                    };
                    let text = |name| {
                        Ok::<_, rusqlite::Error>(
                            row.get::<_, Option<String>>(name)?.unwrap_or_default(),
                        )
                    };
                    let number = |name| {
                        Ok::<_, rusqlite::Error>(
                            row.get::<_, Option<i64>>(name)?.unwrap_or_default(),
                        )
                    };
                    let backend = text("backend")?;
                    let alive = Process::parse(&backend).and_then(|process| process.exists(here));
                    let holder = Holder {
                        run_id,
                        actor: text("actor")?,
                        host: text("host")?,
                        release: row.get("app_release")?,
                        purpose: text("purpose")?,
                        backend,
                        alive,
                        token: row.get("token")?,
                        held_seconds: number("held_seconds")?,
                        heartbeat_seconds: number("heartbeat_seconds")?,
                        expires_in_seconds: number("expires_in_seconds")?,
                    };
                    Ok(Some(Row {
                        holder,
                        expired: row.get("expired")?,
                    }))
                })
                .optional()
        });
    Ok(found.map_err(error::of_bookkeeping)?.flatten())
}

/// A duration as a modifier of SQLite's date functions.
pub(super) fn seconds(duration: Duration) -> String {
    format!("+{:.3} seconds", duration.as_secs_f64())
}
