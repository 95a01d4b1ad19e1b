//! PostgreSQL 12 and later, directly or through a pooler.
//!
//! Everything special about PostgreSQL is here: connecting, the runner lock, transactions, the bookkeeping tables,
//! blockers and the catalog. Nothing here plans, retries or decides.
//!
//! Behind a pooler in transaction mode no session state survives a transaction: there is no session lock (the lease
//! row alone guarantees a single runner), limits outside a transaction are those of the role or database, and what a
//! script changes in the session is undone inside its transaction.

mod bookkeeping;
mod cancel;
mod catalog;
mod connect;
mod error;
mod existing;
mod indexes;
mod ledger;
mod link;
mod literal;
mod lock;
mod monitor;
mod pooler;
mod recording;
mod row;
mod session;
mod statements;
mod together;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use async_trait::async_trait;
use forerun_migrations::database::{
    Capabilities, Database, DatabaseError, Identity, Monitor, Session,
};
use forerun_migrations::trace::Observer;
use forerun_sql::Dialect;

use crate::connection_url::PostgresOptions;

use monitor::PostgresMonitor;
use session::PostgresSession;

/// A PostgreSQL database that can be connected to.
pub struct Postgres {
    options: PostgresOptions,
    /// Server process of the session opened last; the monitor needs it behind a pooler.
    process_id: Arc<AtomicI32>,
}

impl Postgres {
    /// Does not connect yet.
    pub fn new(options: PostgresOptions) -> Self {
        Self {
            options,
            process_id: Arc::default(),
        }
    }
}

#[async_trait]
impl Database for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: true,
            heartbeat: true,
        }
    }

    fn target(&self) -> String {
        let hosts: Vec<String> = self.options.hosts.iter().map(connect::name).collect();
        format!("PostgreSQL {}/{}", hosts.join(","), self.options.database)
    }

    fn names(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("database", self.options.database.clone()),
            ("user", self.options.user.clone()),
        ])
    }

    async fn connect(&self, identity: &Identity) -> Result<Box<dyn Session>, DatabaseError> {
        let (link, facts) = connect::open(&self.options, identity).await?;
        let process_id = Arc::clone(&self.process_id);
        Ok(Box::new(PostgresSession::new(
            link,
            self.options.clone(),
            identity.clone(),
            facts,
            process_id,
        )))
    }

    async fn observer(&self, identity: &Identity) -> Result<Box<dyn Observer>, DatabaseError> {
        let (link, facts) = connect::open(&self.options, identity).await?;
        let session = PostgresSession::new(
            link,
            self.options.clone(),
            identity.clone(),
            facts,
            Arc::clone(&self.process_id),
        );
        Ok(Box::new(trace::PostgresObserver::new(session)))
    }

    async fn monitor(&self, identity: &Identity) -> Result<Box<dyn Monitor>, DatabaseError> {
        let (link, facts) = connect::open(&self.options, identity).await?;
        Ok(Box::new(PostgresMonitor {
            link,
            schema: facts.schema,
            identity: identity.clone(),
            process_id: Arc::clone(&self.process_id),
        }))
    }
}
