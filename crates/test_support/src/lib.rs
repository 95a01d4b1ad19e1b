//! What the tests of the other rooms need: private database servers, a proxy that breaks connections
//! on purpose, certificates, and scratch projects in which the built `forerun` runs.
//!
//! Only ever a dev-dependency. It depends on no other room, so that a server is asked through its own
//! client (`psql`, `mariadb`) and never through the code under test. It must not touch a server that it
//! did not start: everything listens on loopback, lives in a temporary directory named after this
//! process, and dies with it (see [`server_process`]).
//!
//! A server whose binaries are not installed yields `None` and one `SKIPPED` line on standard error;
//! where `CI` is set it fails the test instead. A test therefore starts with
//! `let Some(server) = PostgresServer::shared() else { return };`.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code: an assumption that fails should stop the test at that place"
)]

mod certificates;
mod client_program;
mod client_session;
mod fault_proxy;
mod helm;
mod installed;
mod loopback_port;
mod mariadb_server;
mod pgbouncer;
mod postgres_server;
mod project_command;
mod scratch_directory;
mod scratch_project;
mod server_process;
mod sqlite_file;
mod test_database;

pub use certificates::TestCertificates;
pub use client_session::ClientSession;
pub use fault_proxy::{Direction, FaultProxy, When};
pub use helm::{cache_directory, helm_programs};
pub use installed::report_missing;
pub use mariadb_server::{MARIADB_PASSWORD, MariadbServer, MariadbServerBuilder};
pub use pgbouncer::PgBouncer;
pub use postgres_server::{POSTGRES_PASSWORD, PostgresServer, PostgresServerBuilder};
pub use project_command::{CommandOutcome, ProjectCommand, RunningCommand};
pub use scratch_project::ScratchProject;
pub use sqlite_file::SqliteFile;
pub use test_database::TestDatabase;
