//! The second connection of a run: short statements beside the one that executes.
//!
//! It must never wait for long, least of all for locks of the session it watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_trait::async_trait;
use forerun_migrations::database::{Blocker, DatabaseError, Identity, Lease, Monitor};
use forerun_migrations::history::AuditEntry;

use super::bookkeeping::{Times, audit_sql, with_privilege_hint};
use super::link::Link;
use super::literal;
use super::lock::server_session;
use super::row::Row;

/// Limits in front of each statement; `SET LOCAL` holds for the message, which is one transaction.
const LIMITS: &str = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'";

pub(super) struct PostgresMonitor {
    pub(super) link: Link,
    pub(super) schema: String,
    pub(super) identity: Identity,
    /// Process id of the server session that the watched session uses now; behind a pooler it changes.
    pub(super) process_id: Arc<AtomicI32>,
}

#[async_trait]
impl Monitor for PostgresMonitor {
    async fn heartbeat(&mut self, lease: &Lease) -> Result<bool, DatabaseError> {
        let rows = self
            .link
            .rows(&format!(
                "{LIMITS}; UPDATE {}.forerun_lock SET heartbeat_at = clock_timestamp(), \
                 expires_at = clock_timestamp() + {} WHERE name = 'runner' AND token = {} AND run_id IS NOT NULL \
                 RETURNING 1",
                literal::identifier(&self.schema),
                literal::interval(lease.duration),
                lease.token,
            ))
            .await?;
        Ok(!rows.is_empty())
    }

    async fn blockers(&mut self, backend: &str) -> Result<Vec<Blocker>, DatabaseError> {
        let process_id = match server_session(backend) {
            Some((process_id, _)) => process_id,
            None => self.process_id.load(Ordering::Acquire),
        };
        let sql = include_str!("sql/blockers.sql").replace("{process_id}", &process_id.to_string());
        let rows = self.link.rows(&format!("{LIMITS}; {sql}")).await?;
        let blockers = rows.iter().map(Row).map(|row| {
            Ok(Blocker {
                backend: row.string(0)?,
                user: row.string(1)?,
                application: row.string(2)?,
                client: row.string(3)?,
                state: row.string(4)?,
                transaction_seconds: row.optional_number(5)?,
                query: row.string(6)?,
            })
        });
        blockers.collect()
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        if entries.is_empty() {
            return Ok(());
        }
        let sql = audit_sql(&self.schema, &self.identity, entries, Times::Given);
        self.link
            .batch(&format!("{LIMITS}; {sql}"))
            .await
            .map_err(with_privilege_hint)
    }
}
