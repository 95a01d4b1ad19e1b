//! Drivers: what the engine asks of a database, for PostgreSQL, MySQL/MariaDB and SQLite.
//!
//! All that is special about a database is in its folder. Nothing here plans or decides.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod connection_url;
pub mod mysql;
pub mod postgres;
pub mod sqlite;
mod tls;

use std::sync::Arc;

use forerun_migrations::database::Database;

use connection_url::ConnectionUrl;

/// The database that a URL names. Does not connect yet.
pub fn open(url: &ConnectionUrl) -> Arc<dyn Database> {
    match url {
        ConnectionUrl::Postgres(options) => Arc::new(postgres::Postgres::new(options.clone())),
        ConnectionUrl::Mysql(options) => Arc::new(mysql::Mysql::new(options.clone())),
        ConnectionUrl::Sqlite(options) => Arc::new(sqlite::Sqlite::new(options.clone())),
    }
}
