//! MySQL 8 and MariaDB 10.5 or later.
//!
//! [`Mysql`] opens two kinds of connections: `session` executes and holds the runner lock, `monitor` looks
//! on. Below them: `connect` and `connection` (one statement at a time), `bookkeeping` (our tables), `lock`,
//! `disturbance` and `settings` (what a script changed is put back), `catalog` (did a statement take effect?), `error`.
//! Developed against MariaDB 10.11; what is special to MySQL 8 follows its manual.

mod blockers;
mod bookkeeping;
mod cancel;
mod catalog;
mod connect;
mod connection;
mod disturbance;
mod error;
mod error_position;
mod existing;
mod ledger;
mod literal;
mod lock;
mod monitor;
mod refusal;
mod row;
#[cfg(test)]
mod server_tests;
mod session;
mod settings;
mod trace;

use std::collections::BTreeMap;

use async_trait::async_trait;
use forerun_migrations::database::{
    Capabilities, Database, DatabaseError, Identity, Monitor, Session,
};
use forerun_migrations::trace::Observer;
use forerun_sql::Dialect;

use crate::connection_url::MysqlOptions;

/// A MySQL or MariaDB database.
#[derive(Debug, Clone)]
pub struct Mysql {
    options: MysqlOptions,
}

impl Mysql {
    /// The database that `options` name. Does not connect yet.
    pub fn new(options: MysqlOptions) -> Self {
        Self { options }
    }
}

#[async_trait]
impl Database for Mysql {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: false,
            heartbeat: true,
        }
    }

    fn target(&self) -> String {
        format!(
            "{}, database {}",
            connect::place(&self.options),
            self.options.database
        )
    }

    fn names(&self) -> BTreeMap<&'static str, String> {
        let database = &self.options.database;
        BTreeMap::from([
            ("database", database.clone()),
            ("schema", database.clone()),
            ("user", self.options.user.clone()),
        ])
    }

    async fn connect(&self, identity: &Identity) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(
            session::MysqlSession::open(&self.options, identity).await?,
        ))
    }

    async fn observer(&self, identity: &Identity) -> Result<Box<dyn Observer>, DatabaseError> {
        let session = session::MysqlSession::open(&self.options, identity).await?;
        let mariadb = session.is_mariadb();
        Ok(Box::new(trace::MysqlObserver::new(session, mariadb)))
    }

    async fn monitor(&self, identity: &Identity) -> Result<Box<dyn Monitor>, DatabaseError> {
        Ok(Box::new(
            monitor::MysqlMonitor::open(&self.options, identity).await?,
        ))
    }
}
