//! The runner lock: an advisory lock of the session that executes, and a lease row with a fencing token.
//!
//! Nothing here waits in the server: a session that waits inside `pg_advisory_lock` holds a snapshot, and
//! `CREATE INDEX CONCURRENTLY` of the holder would wait for it (a deadlock). Behind a pooler that shares sessions
//! there is no session lock, it would stay on a server session of the pool; the lease row alone decides there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use forerun_migrations::database::{
    Acquire, DatabaseError, ErrorKind, Holder, Lease, LeaseRequest,
};
use forerun_migrations::history::TABLES_FORMAT;
use futures_util::future::join_all;
use tokio_postgres::SimpleQueryRow;

use super::bookkeeping::{qualified, read, with_privilege_hint};
use super::link::Link;
use super::literal::{self, limited, optional, text};
use super::row::Row;
use super::session::{Pooling, PostgresSession};
use super::{connect, pooler};

/// How long a terminated session gets to disappear: it has to notice and to roll back.
const TERMINATION_WAIT: Duration = Duration::from_secs(5);

const TABLES: [&str; 5] = [
    "forerun_lock",
    "forerun_history",
    "forerun_audit",
    "forerun_journal",
    "forerun_deployment",
];

/// The result of one try; `None`: the advisory lock is somebody else's.
type Attempt = Option<Acquire>;

/// Advisory lock key: FNV-1a (64 bit) of `forerun/<schema>/forerun_history`, without the sign bit. Advisory locks
/// are per database already.
pub(super) fn key(schema: &str) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("forerun/{schema}/forerun_history").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    i64::try_from(hash >> 1).unwrap_or_default()
}

/// Who holds the lease.
pub(super) async fn holder(link: &Link, schema: &str) -> Result<Option<Holder>, DatabaseError> {
    let rows = read(link, &qualified(include_str!("sql/holder.sql"), schema))
        .await?
        .unwrap_or_default();
    rows.first().map_or(Ok(None), lease_holder)
}

fn lease_holder(row: &SimpleQueryRow) -> Result<Option<Holder>, DatabaseError> {
    let row = Row(row);
    let Some(run_id) = row.optional(0)? else {
        return Ok(None);
    };
    let word = |column| {
        row.optional(column)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    Ok(Some(Holder {
        run_id: run_id.to_owned(),
        actor: word(1)?,
        host: word(2)?,
        release: row.optional(3)?.map(str::to_owned),
        purpose: word(4)?,
        backend: word(5)?,
        alive: row.optional(6)?.map(|alive| alive == "t"),
        token: row.number(7)?,
        held_seconds: row.optional_number(8)?.unwrap_or_default(),
        heartbeat_seconds: row.optional_number(9)?.unwrap_or_default(),
        // A holder without an end would hold for ever.
        expires_in_seconds: row.optional_number(10)?.unwrap_or(-1),
    }))
}

impl PostgresSession {
    pub(super) async fn try_lock(
        &mut self,
        request: &LeaseRequest,
    ) -> Result<Acquire, DatabaseError> {
        if let Some(reason) = self.facts.read_only {
            return Err(DatabaseError::new(ErrorKind::ReadOnly, format!("the server takes no writes: {reason}"))
                .with_hint("use the address of the primary (`target_session_attrs=read-write` picks it from a list)"));
        }
        self.settle_pooling().await;
        if let Some(result) = self.try_once(request).await? {
            return Ok(result);
        }
        let Some(holder) = holder(&self.link, &self.facts.schema).await? else {
            return Ok(Acquire::Held(None));
        };
        // Our own run on a connection that was lost need not be waited for.
        let ours = holder.run_id == self.identity.run_id;
        if holder.expires_in_seconds >= 0 && !ours {
            return Ok(Acquire::Held(Some(holder)));
        }
        if holder.alive != Some(true) {
            // The lock belongs to a newcomer that has not written its lease over the dead one yet.
            return Ok(Acquire::Held(None));
        }
        if !self.terminate(&holder).await? {
            return Ok(Acquire::Held(Some(holder)));
        }
        match self.try_once(request).await? {
            Some(Acquire::Acquired(mut lease)) => {
                if !ours {
                    lease.taken_over.get_or_insert(holder);
                }
                Ok(Acquire::Acquired(lease))
            }
            Some(held) => Ok(held),
            None => Ok(Acquire::Held(None)),
        }
    }

    pub(super) async fn unlock(&mut self, lease: &Lease) -> Result<(), DatabaseError> {
        let free = free_lease(&self.facts.schema, lease.token, 0);
        let freed = self.write(&free).await.map(|_| ());
        self.unlock_session().await?;
        freed
    }

    pub(super) async fn end_holder(&mut self, holder: &Holder) -> Result<(), DatabaseError> {
        if !self.terminate(holder).await? {
            return Err(DatabaseError::new(
                ErrorKind::Statement,
                format!("the session {} of the lock holder could not be ended", holder.backend),
            )
            .with_hint("run as the same database user, or as one with the role pg_signal_backend, or as superuser"));
        }
        // The token grows, so that a holder without a session to end (behind a pooler) can record no more.
        let free = free_lease(&self.facts.schema, holder.token, 1);
        self.write(&free).await.map(|_| ())
    }

    /// After a reset: the answer to taking the advisory lock once more. That repairs the lock when a script let it
    /// go (`pg_advisory_unlock_all`).
    pub(super) fn check_lock_after_reset(
        &mut self,
        rows: &[SimpleQueryRow],
    ) -> Result<(), DatabaseError> {
        if self.lock_taken == 0 {
            return Ok(());
        }
        if Row::only(rows)?.flag(0)? {
            self.lock_taken += 1;
            return Ok(());
        }
        self.lock_taken = 0;
        Err(DatabaseError::new(
            ErrorKind::Unexpected,
            "the script released the runner lock (pg_advisory_unlock_all?) and another run has taken it",
        )
        .with_hint("remove pg_advisory_unlock_all() from the script; what was applied so far is recorded"))
    }

    async fn settle_pooling(&mut self) {
        if self.pooling != Pooling::Suspected {
            return;
        }
        let second = connect::open_bare(&self.options, &self.identity);
        let shared = pooler::shares_sessions(&self.link, self.facts.process_id, second).await;
        self.pooling = if shared {
            Pooling::Shared
        } else {
            Pooling::Direct
        };
        self.facts.info.pooled = shared;
    }

    async fn try_once(&mut self, request: &LeaseRequest) -> Result<Attempt, DatabaseError> {
        if self.pooling == Pooling::Direct && self.lock_taken == 0 {
            let rows = self
                .link
                .rows(&format!("SELECT pg_try_advisory_lock({})", self.lock_key))
                .await?;
            if !Row::only(&rows)?.flag(0)? {
                return Ok(None);
            }
            self.lock_taken = 1;
        }
        let attempt = self.take_lease(request).await;
        if matches!(attempt, Ok(Some(Acquire::Acquired(_)))) {
            self.prepare_session().await;
            return attempt;
        }
        // Nothing taken: leave nothing behind. A lost connection has done so by itself.
        let cleaned = self.link.batch("ROLLBACK").await;
        let unlocked = self.unlock_session().await;
        let attempt = attempt.map_err(with_privilege_hint)?;
        cleaned.and(unlocked).map(|()| attempt)
    }

    /// Tables and lease in one transaction. Leaves it open when the lease is not taken.
    async fn take_lease(&mut self, request: &LeaseRequest) -> Result<Attempt, DatabaseError> {
        let schema = self.facts.schema.clone();
        let complete = TABLES.map(|table| {
            let name = format!("{}.{table}", literal::identifier(&schema));
            format!("to_regclass({}) IS NOT NULL", text(&name))
        });
        let rows = self
            .link
            .rows(&format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '2s'; \
                 SET LOCAL statement_timeout = '30s'; SELECT pg_try_advisory_xact_lock({}), {}",
                self.lock_key,
                complete.join(" AND "),
            ))
            .await?;
        let row = Row::only(&rows)?;
        if !row.flag(0)? {
            return Ok(None);
        }
        if !row.flag(1)? {
            self.create_tables().await?;
        }
        let mut rows = self.lease_for_update().await?;
        if rows.is_empty() {
            // Locked by a heartbeat or a recording of the holder, or (somebody deleted it) not there.
            if let Some(holder) = holder(&self.link, &schema).await? {
                return Ok(Some(Acquire::Held(Some(holder))));
            }
            self.create_tables().await?;
            rows = self.lease_for_update().await?;
        }
        let Some(row) = rows.first() else {
            return Ok(Some(Acquire::Held(None)));
        };
        let format = Row(row).number(11)?;
        if format > i64::from(TABLES_FORMAT) {
            return Err(DatabaseError::newer_format(format));
        }
        let holder = lease_holder(row)?;
        if let Some(holder) = &holder
            && holder.run_id != self.identity.run_id
            && holder.alive != Some(false)
        {
            if holder.expires_in_seconds >= 0 {
                return Ok(Some(Acquire::Held(Some(holder.clone()))));
            }
            if holder.alive == Some(true) && !self.terminate(holder).await? {
                return Ok(Some(Acquire::Held(Some(holder.clone()))));
            }
        }
        let rows = self
            .link
            .rows(&format!("{}; COMMIT", self.take_lease_sql(request)))
            .await?;
        let row = Row::only(&rows)?;
        self.clock_ahead = microseconds_now() - row.number(1)?;
        self.event_triggers = row.flag(2)?;
        Ok(Some(Acquire::Acquired(Lease {
            token: row.number(0)?,
            duration: request.duration,
            taken_over: holder.filter(|holder| holder.run_id != self.identity.run_id),
        })))
    }

    async fn create_tables(&mut self) -> Result<(), DatabaseError> {
        let sql = qualified(include_str!("sql/create.sql"), &self.facts.schema)
            .replace("{format}", &TABLES_FORMAT.to_string());
        self.link.batch(&sql).await
    }

    async fn lease_for_update(&mut self) -> Result<Vec<SimpleQueryRow>, DatabaseError> {
        let read = qualified(include_str!("sql/holder.sql"), &self.facts.schema);
        self.link
            .rows(&format!("{read} FOR UPDATE SKIP LOCKED"))
            .await
    }

    fn take_lease_sql(&self, request: &LeaseRequest) -> String {
        use forerun_migrations::database::Session as _;
        format!(
            "UPDATE {}.forerun_lock SET token = token + 1, run_id = {}, actor = {}, host = {}, app_release = {}, \
             purpose = {}, backend = {}, acquired_at = clock_timestamp(), heartbeat_at = clock_timestamp(), \
             expires_at = clock_timestamp() + {} WHERE name = 'runner' \
             RETURNING token, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
             EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D')",
            literal::identifier(&self.facts.schema),
            limited(&self.identity.run_id, 64),
            limited(&self.identity.actor, 255),
            limited(&self.identity.host, 255),
            optional(self.identity.release.as_deref(), 255),
            limited(&request.purpose, 255),
            limited(&self.backend(), 255),
            literal::interval(request.duration),
        )
    }

    /// Ends the server session of a holder, if it still exists; `false` when it does not go or we may not.
    async fn terminate(&mut self, holder: &Holder) -> Result<bool, DatabaseError> {
        let Some((process_id, started)) = server_session(&holder.backend) else {
            return Ok(true);
        };
        let sql = include_str!("sql/terminate.sql")
            .replace("{process_id}", &process_id.to_string())
            .replace("{started}", &text(started));
        let deadline = tokio::time::Instant::now() + TERMINATION_WAIT;
        loop {
            match self.link.rows(&sql).await {
                Ok(rows) if rows.is_empty() => return Ok(true),
                Ok(_) => {}
                // Insufficient privilege: its user is another one.
                Err(error) if error.code.as_deref() == Some("42501") => return Ok(false),
                Err(error) => return Err(error),
            }
            if tokio::time::Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn unlock_session(&mut self) -> Result<(), DatabaseError> {
        let taken = std::mem::take(&mut self.lock_taken);
        if taken == 0 {
            return Ok(());
        }
        let key = self.lock_key;
        self.link
            .batch(&format!(
                "SELECT pg_advisory_unlock({key}) FROM generate_series(1, {taken})"
            ))
            .await
    }

    /// Settings for the session that keeps the lock for long. What the server does not know is left out.
    async fn prepare_session(&mut self) {
        if self.pooling != Pooling::Direct || !self.settings.is_empty() {
            return;
        }
        let mut wanted = vec![
            "SET tcp_keepalives_idle = 30",
            "SET tcp_keepalives_interval = 10",
            "SET tcp_keepalives_count = 3",
            "SET tcp_user_timeout = 60000",
        ];
        if self.facts.version >= 140_000 {
            wanted.push("SET client_connection_check_interval = 10000");
            wanted.push("SET idle_session_timeout = 0");
        }
        let results = join_all(wanted.iter().map(|setting| self.link.batch(setting))).await;
        let accepted = wanted
            .iter()
            .zip(results)
            .filter(|(_, result)| result.is_ok());
        self.settings = accepted.map(|(setting, _)| (*setting).to_owned()).collect();
    }
}

/// Process id and start time of a server session as the lease has them.
pub(super) fn server_session(backend: &str) -> Option<(i32, &str)> {
    let (process_id, started) = backend.split_once('@')?;
    Some((process_id.parse().ok()?, started))
}

fn free_lease(schema: &str, token: i64, step: i64) -> String {
    qualified(include_str!("sql/free_lease.sql"), schema)
        .replace("{step}", &step.to_string())
        .replace("{token}", &token.to_string())
}

/// Our clock, in microseconds since 1970.
fn microseconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_depends_on_the_schema_and_is_stable() {
        assert_eq!(key("public"), 5_662_241_277_659_252_259);
        assert_ne!(key("public"), key("app"));
        assert!(key("app") >= 0);
    }

    #[test]
    fn a_pooled_holder_has_no_session() {
        assert_eq!(
            server_session("41@2026-01-01T00:00:00Z"),
            Some((41, "2026-01-01T00:00:00Z"))
        );
        assert_eq!(server_session("pooled"), None);
    }
}
