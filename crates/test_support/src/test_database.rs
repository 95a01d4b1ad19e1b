//! One empty database for one test, on either server.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::client_session::ClientSession;
use crate::fault_proxy::FaultProxy;
use crate::mariadb_server::MariadbServer;
use crate::postgres_server::PostgresServer;

#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerReference<'server> {
    Postgres(&'server PostgresServer),
    Mariadb(&'server MariadbServer),
}

/// An empty database with a name of its own.
#[derive(Debug)]
pub struct TestDatabase<'server> {
    /// The URL over TCP, with the password.
    pub url: String,
    /// The URL over the unix socket.
    pub socket_url: String,
    /// The name of the database.
    pub name: String,
    server: ServerReference<'server>,
}

impl<'server> TestDatabase<'server> {
    pub(crate) fn new(server: ServerReference<'server>, name: String) -> Self {
        let (url, socket_url) = match server {
            ServerReference::Postgres(server) => (server.url(&name), server.socket_url(&name)),
            ServerReference::Mariadb(server) => (server.url(&name), server.socket_url(&name)),
        };
        Self {
            url,
            socket_url,
            name,
            server,
        }
    }

    /// The URL over TCP with another host name or port.
    #[must_use]
    pub fn url_at(&self, host: &str, port: u16) -> String {
        match self.server {
            ServerReference::Postgres(server) => server.url_at(host, port, &self.name),
            ServerReference::Mariadb(server) => server.url_at(host, port, &self.name),
        }
    }

    /// The URL through a proxy.
    #[must_use]
    pub fn url_through(&self, proxy: &FaultProxy) -> String {
        self.url_at("127.0.0.1", proxy.port())
    }

    /// A fault proxy in front of this database's server.
    #[must_use]
    pub fn proxy(&self) -> FaultProxy {
        FaultProxy::start(match self.server {
            ServerReference::Postgres(server) => server.port(),
            ServerReference::Mariadb(server) => server.port(),
        })
    }

    /// Runs SQL through the database's own client and returns what it printed, or its message.
    ///
    /// # Errors
    /// The client's message when a statement failed; the ones before it stay done.
    pub fn try_execute(&self, sql: &str) -> Result<String, String> {
        match self.server {
            ServerReference::Postgres(server) => server.try_execute(&self.name, sql),
            ServerReference::Mariadb(server) => server.try_execute(&self.name, sql),
        }
    }

    /// Runs SQL through the database's own client.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute(&self, sql: &str) {
        self.query(sql);
    }

    /// Runs SQL and returns what the client printed: one row a line, columns apart by `|` (PostgreSQL) or
    /// tabs (MariaDB).
    ///
    /// # Panics
    /// When a statement fails.
    pub fn query(&self, sql: &str) -> String {
        self.try_execute(sql)
            .unwrap_or_else(|error| panic!("{error}\nSQL: {sql}"))
    }

    /// Runs a script file through the database's own client.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute_file(&self, script: &Path) {
        match self.server {
            ServerReference::Postgres(server) => server.execute_file(&self.name, script),
            ServerReference::Mariadb(server) => server.execute_file(&self.name, script),
        }
    }

    /// Asks `sql` again and again until the client prints `expected`.
    ///
    /// # Panics
    /// When it still prints something else after `patience`.
    pub fn wait_until(&self, sql: &str, expected: &str, patience: Duration) {
        let deadline = Instant::now() + patience;
        loop {
            let printed = self.try_execute(sql);
            if printed.as_deref() == Ok(expected) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "after {patience:?} still {printed:?} instead of {expected:?}\nSQL: {sql}"
            );
            sleep(Duration::from_millis(20));
        }
    }

    /// Opens a client session that stays open.
    #[must_use]
    pub fn session(&self) -> ClientSession {
        match self.server {
            ServerReference::Postgres(server) => server.session(&self.name),
            ServerReference::Mariadb(server) => server.session(&self.name),
        }
    }

    /// The schema as the server's own dump program writes it, without forerun's tables (`forerun_…`).
    #[must_use]
    pub fn dump_schema(&self) -> String {
        match self.server {
            ServerReference::Postgres(server) => server.dump_schema(&self.name, &["forerun_*"]),
            ServerReference::Mariadb(server) => server.dump_schema(&self.name, &["forerun\\_%"]),
        }
    }

    /// Schema and rows as the server's own dump program writes them, without the tables whose names begin with one of
    /// `without`.
    #[must_use]
    pub fn dump(&self, without: &[&str]) -> String {
        match self.server {
            ServerReference::Postgres(server) => {
                let patterns: Vec<String> =
                    without.iter().map(|start| format!("{start}*")).collect();
                let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
                server.dump(&self.name, &patterns)
            }
            ServerReference::Mariadb(server) => {
                let patterns: Vec<String> = without
                    .iter()
                    .map(|start| format!("{}%", start.replace('_', "\\_")))
                    .collect();
                let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
                server.dump(&self.name, &patterns)
            }
        }
    }
}

impl Drop for TestDatabase<'_> {
    fn drop(&mut self) {
        // An empty PostgreSQL database takes 7 MB. MariaDB's take next to nothing, and dropping one could
        // hang behind a session that the test left open: those go with the server.
        if let ServerReference::Postgres(server) = self.server {
            server.drop_database(&self.name);
        }
    }
}
