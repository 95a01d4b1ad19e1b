//! The second connection of a run: short statements beside the one that executes.

use async_trait::async_trait;
use forerun_migrations::database::{Blocker, DatabaseError, Identity, Lease, Monitor};
use forerun_migrations::history::AuditEntry;

use super::blockers;
use super::bookkeeping::Tables;
use super::connect::{self, Facts};
use super::connection::Connection;
use super::lock::Backend;
use crate::connection_url::MysqlOptions;

/// The monitor.
pub(super) struct MysqlMonitor {
    connection: Connection,
    facts: Facts,
    identity: Identity,
    tables: Tables,
}

impl MysqlMonitor {
    /// Connects. Its statements wait a few seconds for a lock at most: the lease row is locked only while a
    /// transaction that has recorded something commits.
    pub(super) async fn open(
        options: &MysqlOptions,
        identity: &Identity,
    ) -> Result<Self, DatabaseError> {
        let (mut connection, facts) = connect::open(options, true).await?;
        connection
            .execute("SET SESSION lock_wait_timeout = 5, innodb_lock_wait_timeout = 5")
            .await?;
        Ok(Self {
            connection,
            tables: Tables::new(&facts.database),
            facts,
            identity: identity.clone(),
        })
    }
}

#[async_trait]
impl Monitor for MysqlMonitor {
    async fn heartbeat(&mut self, lease: &Lease) -> Result<bool, DatabaseError> {
        let values = [
            ("token", lease.token.to_string()),
            ("microseconds", lease.duration.as_micros().to_string()),
        ];
        let sql = self
            .tables
            .statement(include_str!("sql/heartbeat.sql"), &values);
        Ok(self.connection.write(&sql).await? == 1)
    }

    async fn blockers(&mut self, backend: &str) -> Result<Vec<Blocker>, DatabaseError> {
        match Backend::id_in(backend) {
            Some(id) => blockers::of(&mut self.connection, &self.facts, id).await,
            None => Ok(Vec::new()),
        }
    }

    async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        self.tables
            .insert_audit(&mut self.connection, &self.identity, entries)
            .await
    }
}
