//! The runner lock: `GET_LOCK` held by the executing session, and the lease row beside it.
//!
//! `GET_LOCK` proves that its holder still lives in the server, even when its client is gone and a long
//! `ALTER` goes on. The lease row says who it is, and its token fences out a holder that was given up for
//! dead. In a Galera cluster `GET_LOCK` is refused or known to one node only; there the lease row is alone,
//! and a lease is taken over only once it has expired.

use std::time::{Duration, Instant};

use forerun_migrations::database::{
    Acquire, DatabaseError, ErrorKind, Holder, Identity, Lease, LeaseRequest,
};
use mysql_async::Row;

use super::bookkeeping::{Tables, check_format, if_table_exists};
use super::connect::{Facts, LockFacts, digest};
use super::connection::Connection;
use super::{error, literal, row};

/// How long an ended session may need to disappear: the server lets a running statement notice first.
const LONGEST_ENDING: Duration = Duration::from_secs(5);
/// Two looks at the server's start time may differ by this much.
const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// A session as the lease names it: connection id, server, and start of that server, because ids are
/// counted anew after a restart and on each server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    /// Connection id.
    pub(super) id: u64,
    server: String,
    server_started: i64,
}

impl Backend {
    /// As stored: `57@1a2b3c4d.1764000000`.
    pub(super) fn to_text(&self) -> String {
        format!("{}@{}.{}", self.id, self.server, self.server_started)
    }

    /// From what is stored; `None` when this driver did not write it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.split_once('@')?;
        let (server, started) = rest.split_once('.')?;
        Some(Self {
            id: id.parse().ok()?,
            server: server.to_owned(),
            server_started: started.parse().ok()?,
        })
    }

    /// The connection id in what a session calls itself, which is no more than that before it needs the lock.
    pub(super) fn id_in(text: &str) -> Option<u64> {
        text.split('@').next()?.parse().ok()
    }
}

/// The lock of one database, as one session sees it.
#[derive(Debug)]
pub(super) struct RunnerLock {
    tables: Tables,
    backend: Backend,
    /// Name for `GET_LOCK`; `None` where only the lease counts.
    session_lock: Option<String>,
}

/// The lease row.
struct LeaseRow {
    token: i64,
    holder: Option<Holder>,
    expired: bool,
    format: i64,
}

impl RunnerLock {
    /// The lock of the database of `facts`, for the session that they are about.
    pub(super) fn new(facts: &Facts, lock_facts: &LockFacts) -> Self {
        Self {
            tables: Tables::new(&facts.database),
            backend: Backend {
                id: facts.id,
                server: facts.server.clone(),
                server_started: lock_facts.server_started,
            },
            // Names are server-wide and at most 64 characters long.
            session_lock: (!lock_facts.cluster)
                .then(|| format!("forerun:{}", &digest(&facts.database)[..40])),
        }
    }

    /// This session as the lease names it.
    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// One try; see the trait.
    pub(super) async fn try_acquire(
        &mut self,
        connection: &mut Connection,
        identity: &Identity,
        request: &LeaseRequest,
    ) -> Result<Acquire, DatabaseError> {
        if !self.get_session_lock(connection).await? {
            let Some(holder) = self.expired_holder_ended(connection).await? else {
                return Ok(Acquire::Held(self.holder(connection).await?));
            };
            if !self.get_session_lock(connection).await? {
                return Ok(Acquire::Held(Some(holder)));
            }
        }
        match self.take_lease(connection, identity, request).await {
            Ok(Acquire::Acquired(lease)) => Ok(Acquire::Acquired(lease)),
            other => {
                self.release_session_lock(connection).await?;
                other
            }
        }
    }

    /// Who holds the lock, and whether it lives.
    pub(super) async fn holder(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Holder>, DatabaseError> {
        let Some(lease) = self.read(connection, "").await? else {
            return Ok(None);
        };
        check_format(lease.format)?;
        let Some(mut holder) = lease.holder else {
            return Ok(None);
        };
        holder.alive = self.alive(connection, &holder).await?;
        Ok(Some(holder))
    }

    /// Gives lease and session lock back.
    pub(super) async fn release(
        &self,
        connection: &mut Connection,
        lease: &Lease,
    ) -> Result<(), DatabaseError> {
        self.clear(connection, lease.token, lease.token).await?;
        self.release_session_lock(connection).await
    }

    /// Ends another holder and fences it out.
    pub(super) async fn evict(
        &self,
        connection: &mut Connection,
        holder: &Holder,
    ) -> Result<(), DatabaseError> {
        if self.alive(connection, holder).await? != Some(false)
            && let Some(backend) = self.on_this_server(holder)
            && !self.end_session(connection, backend.id).await?
        {
            return Err(DatabaseError::new(
                ErrorKind::LockTimeout,
                format!(
                    "session {} was told to end but its statement is still being rolled back; the lock stays with it",
                    backend.id
                ),
            )
            .with_hint("Try again in a moment; SHOW PROCESSLIST shows what the session does."));
        }
        // A new token: what the old holder may still write with its own is refused.
        self.clear(connection, holder.token, holder.token + 1).await
    }

    async fn take_lease(
        &self,
        connection: &mut Connection,
        identity: &Identity,
        request: &LeaseRequest,
    ) -> Result<Acquire, DatabaseError> {
        self.tables.ensure(connection).await?;
        connection.execute("START TRANSACTION READ WRITE").await?;
        let result = self.take_lease_row(connection, identity, request).await;
        let end = if matches!(result, Ok(Acquire::Acquired(_))) {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        let ended = connection.execute(end).await;
        let acquired = result?;
        ended?;
        Ok(acquired)
    }

    async fn take_lease_row(
        &self,
        connection: &mut Connection,
        identity: &Identity,
        request: &LeaseRequest,
    ) -> Result<Acquire, DatabaseError> {
        let lease = match self.read(connection, " FOR UPDATE NOWAIT").await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                return Err(DatabaseError::new(
                    ErrorKind::Unexpected,
                    "forerun_lock has no row `runner`",
                ));
            }
            // The holder is writing at this very moment.
            Err(error) if error.kind == ErrorKind::LockTimeout => {
                return Ok(Acquire::Held(
                    self.read(connection, "")
                        .await?
                        .and_then(|lease| lease.holder),
                ));
            }
            Err(error) => return Err(error),
        };
        check_format(lease.format)?;
        let mut taken_over = None;
        let own = self.backend.to_text();
        if let Some(mut holder) = lease.holder.filter(|holder| holder.backend != own) {
            holder.alive = self.alive(connection, &holder).await?;
            if !lease.expired && holder.alive != Some(false) {
                return Ok(Acquire::Held(Some(holder)));
            }
            if holder.alive != Some(false)
                && let Some(backend) = self.on_this_server(&holder)
                && !self.end_session(connection, backend.id).await?
            {
                return Ok(Acquire::Held(Some(holder)));
            }
            taken_over = Some(holder);
        }
        let token = lease.token + 1;
        let values = [
            ("token", token.to_string()),
            ("run_id", literal::text(&identity.run_id)),
            ("actor", literal::text(&identity.actor)),
            ("host", literal::text(&identity.host)),
            (
                "app_release",
                literal::optional_text(identity.release.as_deref()),
            ),
            ("purpose", literal::text(&request.purpose)),
            ("backend", literal::text(&self.backend.to_text())),
            ("microseconds", request.duration.as_micros().to_string()),
        ];
        connection
            .execute(
                &self
                    .tables
                    .statement(include_str!("sql/take_lease.sql"), &values),
            )
            .await?;
        Ok(Acquire::Acquired(Lease {
            token,
            duration: request.duration,
            taken_over,
        }))
    }

    /// When the session lock is somebody else's: ends that session if its lease has expired. `None` when it
    /// may go on, or could not be ended.
    async fn expired_holder_ended(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Holder>, DatabaseError> {
        let Some(lease) = self.read(connection, "").await? else {
            return Ok(None);
        };
        let Some(holder) = lease.holder.filter(|_| lease.expired) else {
            return Ok(None);
        };
        let Some(backend) = self.on_this_server(&holder) else {
            return Ok(None);
        };
        if self.session_lock_owner(connection).await? != Some(backend.id) {
            return Ok(None);
        }
        match self.end_session(connection, backend.id).await {
            Ok(true) => Ok(Some(holder)),
            Ok(false) => Ok(None),
            // Of another account: it stays, and the caller sees who it is.
            Err(error) if error::number(&error) == Some(error::NOT_OWNER_OF_SESSION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read(
        &self,
        connection: &mut Connection,
        locking: &str,
    ) -> Result<Option<LeaseRow>, DatabaseError> {
        let sql = self
            .tables
            .statement(include_str!("sql/select_lease.sql"), &[])
            + locking;
        match if_table_exists(connection.first(&sql).await)?.flatten() {
            Some(found) => lease_row(&found).map(Some),
            None => Ok(None),
        }
    }

    async fn clear(
        &self,
        connection: &mut Connection,
        token: i64,
        new_token: i64,
    ) -> Result<(), DatabaseError> {
        let values = [
            ("token", token.to_string()),
            ("new_token", new_token.to_string()),
        ];
        let sql = self
            .tables
            .statement(include_str!("sql/clear_lease.sql"), &values);
        // A script may have switched autocommit off.
        connection.execute("START TRANSACTION READ WRITE").await?;
        if_table_exists(connection.execute(&sql).await)?;
        connection.execute("COMMIT").await
    }

    /// Whether the holder's session exists; `None` when that cannot be told from here.
    async fn alive(
        &self,
        connection: &mut Connection,
        holder: &Holder,
    ) -> Result<Option<bool>, DatabaseError> {
        let Some(backend) =
            Backend::parse(&holder.backend).filter(|backend| backend.server == self.backend.server)
        else {
            return Ok(None);
        };
        if self.after_restart(&backend) {
            return Ok(Some(false));
        }
        if self.session_exists(connection, backend.id).await? {
            return Ok(Some(true));
        }
        // Sessions of other accounts are invisible without the PROCESS privilege; the session lock is not.
        match &self.session_lock {
            Some(_) => Ok(Some(
                self.session_lock_owner(connection).await? == Some(backend.id),
            )),
            None => Ok(None),
        }
    }

    /// The holder's session, if it is one of this server since its start.
    fn on_this_server(&self, holder: &Holder) -> Option<Backend> {
        Backend::parse(&holder.backend)
            .filter(|backend| backend.server == self.backend.server && !self.after_restart(backend))
    }

    fn after_restart(&self, backend: &Backend) -> bool {
        backend.server_started.abs_diff(self.backend.server_started)
            > CLOCK_TOLERANCE_SECONDS.unsigned_abs()
    }

    /// Ends a session; `false` when it is still there after [`LONGEST_ENDING`].
    async fn end_session(
        &self,
        connection: &mut Connection,
        id: u64,
    ) -> Result<bool, DatabaseError> {
        match connection.execute(&format!("KILL CONNECTION {id}")).await {
            Ok(()) => {}
            Err(error) if error::number(&error) == Some(error::NO_SUCH_SESSION) => return Ok(true),
            Err(error) if error::number(&error) == Some(error::NOT_OWNER_OF_SESSION) => {
                return Err(error.with_hint(
                    "The session belongs to another database user: end it with that user, or as administrator.",
                ));
            }
            Err(error) => return Err(error),
        }
        let deadline = Instant::now() + LONGEST_ENDING;
        loop {
            if !self.session_exists(connection, id).await?
                && self.session_lock_owner(connection).await? != Some(id)
            {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn session_exists(
        &self,
        connection: &mut Connection,
        id: u64,
    ) -> Result<bool, DatabaseError> {
        let sql = format!("SELECT 1 FROM information_schema.processlist WHERE id = {id}");
        Ok(connection.first(&sql).await?.is_some())
    }

    async fn session_lock_owner(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<u64>, DatabaseError> {
        let Some(name) = &self.session_lock else {
            return Ok(None);
        };
        let owner = connection
            .first(&format!("SELECT IS_USED_LOCK('{name}')"))
            .await?;
        let owner = owner
            .map(|found| row::optional_number(&found, 0))
            .transpose()?
            .flatten();
        Ok(owner.and_then(|owner| u64::try_from(owner).ok()))
    }

    /// `true` when it is ours, or when there is none here.
    async fn get_session_lock(
        &mut self,
        connection: &mut Connection,
    ) -> Result<bool, DatabaseError> {
        let Some(name) = self.session_lock.clone() else {
            return Ok(true);
        };
        // It counts how often it was obtained; once is enough.
        if self.session_lock_owner(connection).await? == Some(self.backend.id) {
            return Ok(true);
        }
        match connection
            .first(&format!("SELECT GET_LOCK('{name}', 0)"))
            .await
        {
            Ok(found) => Ok(found.map(|found| row::number(&found, 0)).transpose()? == Some(1)),
            // Not supported here, as on some clusters: the lease row has to do.
            Err(error) if error.kind == ErrorKind::Statement => {
                self.session_lock = None;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    async fn release_session_lock(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        match &self.session_lock {
            Some(name) => {
                connection
                    .execute(&format!("DO RELEASE_LOCK('{name}')"))
                    .await
            }
            None => Ok(()),
        }
    }
}

fn lease_row(found: &Row) -> Result<LeaseRow, DatabaseError> {
    let token = row::number(found, 0)?;
    let holder = match row::optional_text(found, 1) {
        None => None,
        Some(run_id) => Some(Holder {
            run_id,
            actor: row::text(found, 2),
            host: row::text(found, 3),
            release: row::optional_text(found, 4),
            purpose: row::text(found, 5),
            backend: row::text(found, 6),
            alive: None,
            token,
            held_seconds: row::number(found, 7)?,
            heartbeat_seconds: row::number(found, 8)?,
            expires_in_seconds: row::number(found, 9)?,
        }),
    };
    Ok(LeaseRow {
        token,
        holder,
        expired: row::number(found, 10)? != 0,
        format: row::number(found, 11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_read_back() {
        let backend = Backend {
            id: 57,
            server: "1a2b3c4d".to_owned(),
            server_started: 1_764_000_000,
        };
        let backend_text = backend.to_text();
        assert_eq!(backend_text, "57@1a2b3c4d.1764000000");
        assert_eq!(Backend::parse(&backend_text), Some(backend));
        assert_eq!(Backend::parse("1234"), None);
        assert_eq!(Backend::parse("12@x"), None);
        assert_eq!(Backend::id_in(&backend_text), Some(57));
        assert_eq!(Backend::id_in("1234"), Some(1234));
        assert_eq!(Backend::id_in("x"), None);
    }
}
