//! Reading and writing forerun's own tables.

use std::time::Duration;

use forerun_migrations::database::{DatabaseError, ErrorKind, Fenced, Lease};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, Checksums, Direction, HistoryRow, InDoubt, JournalRow,
    Kind, Origin, Phase, TABLES_FORMAT, Version,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error;
use super::file::DatabaseFile;
use super::lease::seconds;

impl DatabaseFile {
    /// Runs a query on our tables; `None` when there are none.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, DatabaseError> {
        let busy_timeout = self.busy_timeout;
        self.signals.set_lock_limit(Some(busy_timeout));
        match self.reading()? {
            Some(connection) if tables_exist(connection)? => {
                work(connection).map(Some).map_err(error::of_bookkeeping)
            }
            _ => Ok(None),
        }
    }

    pub fn applied(&mut self) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        self.read(|connection| {
            let sql = "SELECT version, script, origin, checksum, checksum_raw, checksum_sql \
                       FROM main.forerun_history";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(AppliedVersion {
                    version: Version::from_stored(row.get::<_, String>(0)?),
                    script: row.get(1)?,
                    origin: stored(row, 2, Origin::parse)?,
                    checksums: checksums(row, 3)?,
                })
            })?;
            rows.collect()
        })
    }

    pub fn history(&mut self) -> Result<Vec<HistoryRow>, DatabaseError> {
        let rows = self.read(|connection| {
            // Of format 1, which the next run upgrades.
            let ledger = match read_format(connection)? {
                1 => "NULL, NULL",
                _ => "unused_since, deployment",
            };
            let sql = format!(
                "SELECT version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, \
                 statements, started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version, \
                 {ledger} FROM main.forerun_history"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| {
                Ok(HistoryRow {
                    version: Version::from_stored(row.get::<_, String>(0)?),
                    description: row.get(1)?,
                    script: row.get(2)?,
                    kind: stored(row, 3, Kind::parse)?,
                    phase: stored(row, 4, Phase::parse)?,
                    origin: stored(row, 5, Origin::parse)?,
                    checksums: checksums(row, 6)?,
                    statements: row.get(9)?,
                    started_at: row.get(10)?,
                    finished_at: row.get(11)?,
                    duration_ms: row.get(12)?,
                    run_id: row.get(13)?,
                    release: row.get(14)?,
                    applied_by: row.get(15)?,
                    tool_version: row.get(16)?,
                    unused_since: row.get(17)?,
                    deployment: row.get(18)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }

    pub fn journal(&mut self) -> Result<Vec<JournalRow>, DatabaseError> {
        let rows = self.read(|connection| {
            let sql = "SELECT version, script, direction, statements_done, prefix_checksum, in_doubt_statement, \
                       in_doubt_fingerprint, in_doubt_answer, started_at, run_id \
                       FROM main.forerun_journal";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                let in_doubt = match row.get::<_, Option<i64>>(5)? {
                    None => None,
                    Some(statement) => Some(InDoubt {
                        statement,
                        fingerprint: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                        answer: row.get(7)?,
                    }),
                };
                Ok(JournalRow {
                    version: Version::from_stored(row.get::<_, String>(0)?),
                    script: row.get(1)?,
                    direction: stored(row, 2, Direction::parse)?,
                    statements_done: row.get(3)?,
                    prefix_checksum: row.get(4)?,
                    in_doubt,
                    started_at: row.get(8)?,
                    run_id: row.get(9)?,
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let rows = rows.unwrap_or_default();
        self.journal_is_empty = rows.is_empty();
        Ok(rows)
    }

    pub fn audit_trail(
        &mut self,
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        let rows = self.read(|connection| {
            let sql = "SELECT id, at, run_id, event, version, statement, attempt, message, detail, actor, host, \
                       app_release, tool_version \
                       FROM main.forerun_audit WHERE ?1 IS NULL OR version = ?1 ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([version.map(Version::as_str)], |row| {
                let detail: Option<String> = row.get(8)?;
                Ok(AuditRow {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    run_id: row.get(2)?,
                    event: row.get(3)?,
                    version: row.get::<_, Option<String>>(4)?.map(Version::from_stored),
                    statement: row.get(5)?,
                    attempt: row.get(6)?,
                    message: row.get(7)?,
                    detail: detail.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
                    actor: row.get(9)?,
                    host: row.get(10)?,
                    release: row.get(11)?,
                    tool_version: row.get(12)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }

    /// An error when the tables are of a newer forerun, as whatever reads them has it too.
    pub fn check_tables(&mut self) -> Result<(), DatabaseError> {
        self.read(|_| Ok(())).map(|_| ())
    }

    pub fn was_ever_complete(&mut self) -> Result<bool, DatabaseError> {
        let found = self.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM main.forerun_audit \
                       WHERE event GLOB 'baseline*' OR event GLOB 'adopt*' \
                       OR event = 'run.finished' AND json_valid(detail) AND json_type(detail, '$.ok') = 'true' \
                       AND (json_type(detail, '$.left_for_later') IS NULL \
                            OR json_extract(detail, '$.left_for_later') = 0))";
            connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Writes to our tables: in the transaction that is open, else in one of its own. `false` from `work` undoes the
    /// latter.
    pub fn write(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<bool, rusqlite::Error>,
    ) -> Result<bool, DatabaseError> {
        // Our transaction has the write lock. Only to move pages from a full cache to the file it could use one more,
        // for which it need not wait: the cache grows instead.
        let limit = if self.is_in_own_transaction() {
            Duration::ZERO
        } else {
            self.busy_timeout
        };
        self.writing()?;
        self.signals.set_lock_limit(Some(limit));
        let connection = &*self.writing()?;
        if !connection.is_autocommit() {
            return work(connection).map_err(error::of_bookkeeping);
        }
        let written = connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .and_then(|_| work(connection))
            .and_then(|keep| {
                let end = if keep { "COMMIT" } else { "ROLLBACK" };
                connection.prepare_cached(end)?.execute([])?;
                Ok(keep)
            });
        if written.is_err() && !connection.is_autocommit() {
            connection
                .execute_batch("ROLLBACK")
                .map_err(error::of_bookkeeping)?;
        }
        written.map_err(error::of_bookkeeping)
    }

    /// Runs `work` if the transaction that `begin` opened is still open, so that it waits for no lock and no disk.
    pub fn in_own_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.is_in_own_transaction().then(|| work(self))
    }

    /// Writes only while the lease is ours, and prolongs it once a third of it is over. The transaction holds the write lock, so nobody can take
    /// the lease over between the check and the commit.
    pub(super) fn fenced(
        &mut self,
        lease: &Lease,
        work: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
    ) -> Result<Fenced, DatabaseError> {
        let written = self.write(|connection| {
            let fresh = connection
                .prepare_cached(include_str!("sql/check_lease.sql"))?
                .query_row(
                    params![lease.token, seconds(lease.duration * 2 / 3)],
                    |row| row.get(0),
                )
                .optional()?;
            match fresh {
                None => return Ok(false),
                Some(true) => {}
                Some(false) => {
                    connection
                        .prepare_cached(include_str!("sql/refresh_lease.sql"))?
                        .execute(params![lease.token, seconds(lease.duration)])?;
                }
            }
            work(connection)?;
            Ok(true)
        })?;
        Ok(if written {
            Fenced::Written
        } else {
            Fenced::LeaseLost
        })
    }

    /// The same, within the transaction of the script only.
    fn fenced_in_transaction(
        &mut self,
        lease: &Lease,
        work: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
    ) -> Result<Fenced, DatabaseError> {
        if !self.is_in_own_transaction() {
            return Ok(Fenced::TransactionEnded);
        }
        self.fenced(lease, work)
    }

    pub fn record_applied(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        self.record_all_applied(lease, std::slice::from_ref(row))
    }

    pub fn record_all_applied(
        &mut self,
        lease: &Lease,
        rows: &[HistoryRow],
    ) -> Result<Fenced, DatabaseError> {
        let no_journal = self.journal_is_empty;
        self.fenced_in_transaction(lease, |connection| {
            let mut insert = connection.prepare_cached(include_str!("sql/insert_history.sql"))?;
            for row in rows {
                insert.execute(params![
                    row.version.as_str(),
                    row.description,
                    row.script,
                    row.kind.as_str(),
                    row.phase.as_str(),
                    row.origin.as_str(),
                    row.checksums.normalized,
                    row.checksums.raw,
                    row.checksums.sql,
                    row.statements,
                    row.started_at,
                    row.finished_at,
                    row.duration_ms,
                    row.run_id,
                    row.release,
                    row.applied_by,
                    row.tool_version,
                    row.unused_since,
                    row.deployment,
                ])?;
                if !no_journal {
                    remove_journal(connection, &row.version)?;
                }
            }
            Ok(())
        })
    }

    pub fn record_reverted(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        self.fenced_in_transaction(lease, |connection| {
            let sql = "DELETE FROM main.forerun_history WHERE version = ?1";
            connection
                .prepare_cached(sql)?
                .execute([version.as_str()])?;
            remove_journal(connection, version)
        })
    }

    pub fn record_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        self.fenced_in_transaction(lease, |connection| {
            let sql = "UPDATE main.forerun_history SET script = ?2, checksum = ?3, checksum_raw = ?4, checksum_sql = ?5 \
                       WHERE version = ?1";
            connection.prepare_cached(sql)?.execute(params![
                row.version.as_str(),
                row.script,
                row.checksums.normalized,
                row.checksums.raw,
                row.checksums.sql,
            ])?;
            Ok(())
        })
    }

    pub fn write_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        self.journal_is_empty = false;
        self.fenced(lease, |connection| {
            let in_doubt = row.in_doubt.as_ref();
            connection
                .prepare_cached(include_str!("sql/write_journal.sql"))?
                .execute(params![
                    row.version.as_str(),
                    row.script,
                    row.direction.as_str(),
                    row.statements_done,
                    row.prefix_checksum,
                    in_doubt.map(|in_doubt| in_doubt.statement),
                    in_doubt.map(|in_doubt| &in_doubt.fingerprint),
                    in_doubt.and_then(|in_doubt| in_doubt.answer),
                    row.started_at,
                    row.run_id,
                ])?;
            Ok(())
        })
    }

    pub fn clear_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        self.fenced(lease, |connection| remove_journal(connection, version))
    }

    pub fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        if self.reading()?.is_none() {
            return Err(DatabaseError::new(
                ErrorKind::Unexpected,
                "there is no audit before the first run",
            ));
        }
        let identity = self.identity.clone();
        self.write(|connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/insert_audit.sql"))?;
            for entry in entries {
                let detail = (!entry.detail.is_null()).then(|| entry.detail.to_string());
                statement.execute(params![
                    identity.run_id,
                    entry.event,
                    entry.version.as_ref().map(Version::as_str),
                    entry.statement,
                    entry.attempt,
                    entry.message,
                    detail,
                    identity.actor,
                    identity.host,
                    identity.release,
                    identity.tool_version,
                ])?;
            }
            Ok(true)
        })?;
        Ok(())
    }
}

/// Whether our tables are there, in a format that this build knows.
pub(super) fn tables_exist(connection: &Connection) -> Result<bool, DatabaseError> {
    let format = match read_format(connection) {
        Ok(format) => format,
        Err(error) => {
            let error = error::of_bookkeeping(error);
            if error.kind != ErrorKind::Unexpected {
                return Err(error);
            }
            // Most often they are there, so that is asked only now.
            let sql =
                "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'forerun_lock'";
            let found = connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.exists([]));
            return match found.map_err(error::of_bookkeeping)? {
                false => Ok(false),
                true => Err(error),
            };
        }
    };
    known(format)?;
    Ok(true)
}

/// An error when the tables were written by a newer forerun.
pub(super) fn check_format(connection: &Connection) -> Result<(), DatabaseError> {
    known(read_format(connection).map_err(error::of_bookkeeping)?)
}

/// The format of the tables; an error when there are none.
pub(super) fn read_format(connection: &Connection) -> Result<i32, rusqlite::Error> {
    let format = connection
        .prepare_cached("SELECT format FROM main.forerun_lock WHERE name = 'runner'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(format.unwrap_or(TABLES_FORMAT))
}

fn known(format: i32) -> Result<(), DatabaseError> {
    if format <= TABLES_FORMAT {
        return Ok(());
    }
    Err(DatabaseError::newer_format(format.into()))
}

fn remove_journal(connection: &Connection, version: &Version) -> Result<(), rusqlite::Error> {
    let sql = "DELETE FROM main.forerun_journal WHERE version = ?1";
    connection
        .prepare_cached(sql)?
        .execute([version.as_str()])?;
    Ok(())
}

fn checksums(row: &Row<'_>, first: usize) -> Result<Checksums, rusqlite::Error> {
    Ok(Checksums {
        normalized: row.get(first)?,
        raw: row.get(first + 1)?,
        sql: row.get(first + 2)?,
    })
}

/// A word that must be one of a few.
pub(super) fn stored<T>(
    row: &Row<'_>,
    index: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<T, rusqlite::Error> {
    let text: String = row.get(index)?;
    parse(&text).ok_or_else(|| {
        let message = format!("`{text}` is not a value that forerun writes");
        rusqlite::Error::FromSqlConversionFailure(
            index,
            rusqlite::types::Type::Text,
            message.into(),
        )
    })
}
