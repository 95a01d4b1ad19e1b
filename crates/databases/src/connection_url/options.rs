//! What the drivers are given: plain data, complete and checked. Nothing here parses.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Time for one try to connect when the URL does not say.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What `connect_timeout=0` ("no limit") becomes, so that no driver needs a special case.
pub const UNLIMITED_CONNECT_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a SQLite statement waits for another writer when the URL does not say.
pub const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Text that must not be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the driver only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// How a connection is protected; libpq's six modes, used for MySQL as well.
///
/// `Allow` and `Prefer` only say what to try first: the fallback is the driver's. They protect against a
/// listener, never against somebody who can change what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS only if the server insists.
    Allow,
    /// TLS if the server can.
    #[default]
    Prefer,
    /// TLS, certificate not verified (verified when a root certificate is given, as libpq does).
    Require,
    /// TLS, certificate chain verified.
    VerifyCa,
    /// TLS, chain and host name verified.
    VerifyFull,
}

/// Certificates for TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file with trusted roots; `system`: those of the operating system; `None`: the roots built into
    /// forerun.
    pub root: Option<PathBuf>,
    /// PEM client certificate.
    pub certificate: Option<PathBuf>,
    /// PEM client key.
    pub key: Option<PathBuf>,
}

/// A server address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Name or address, and port. An IPv6 address is without brackets.
    Tcp(String, u16),
    /// Directory (PostgreSQL) or path (MySQL) of a socket, and the port in its name.
    Unix(PathBuf, u16),
}

/// What is needed to reach a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Tried in order; never empty.
    pub hosts: Vec<Host>,
    /// User.
    pub user: String,
    /// Password, when one is known.
    pub password: Option<Secret>,
    /// Database.
    pub database: String,
    /// Protection. Means nothing for a socket.
    pub tls: TlsMode,
    /// Certificates.
    pub tls_files: TlsFiles,
    /// `application_name`; `None`: ours.
    pub application_name: Option<String>,
    /// `options`: command-line options for the session, such as `-c search_path=app`.
    pub options: Option<String>,
    /// Time for one try to connect.
    pub connect_timeout: Duration,
    /// Schema for the bookkeeping tables; `None`: the first of the search path that exists.
    pub history_schema: Option<String>,
    /// `target_session_attrs` asks for a server that accepts writes.
    pub read_write: bool,
    /// Settings for the driver as they are, by libpq keyword, values checked: `channel_binding`
    /// (`disable`, `prefer`, `require`), `sslnegotiation` (`postgres`, `direct`), `load_balance_hosts`
    /// (`disable`, `random`), `keepalives` (`0`, `1`), `keepalives_idle` and `keepalives_interval` in
    /// seconds, `keepalives_count`, `tcp_user_timeout` in milliseconds.
    pub other: BTreeMap<String, String>,
    /// What the user should know: ignored parameters, a password file that others can read.
    pub warnings: Vec<String>,
}

/// What is needed to reach a MySQL or MariaDB database.
#[derive(Clone, PartialEq, Eq)]
pub struct MysqlOptions {
    /// Address.
    pub host: Host,
    /// User.
    pub user: String,
    /// Password.
    pub password: Option<Secret>,
    /// Database.
    pub database: String,
    /// Protection. Means nothing for a socket.
    pub tls: TlsMode,
    /// Certificates.
    pub tls_files: TlsFiles,
    /// Time for one try to connect.
    pub connect_timeout: Duration,
    /// What the user should know, such as ignored parameters.
    pub warnings: Vec<String>,
}

/// Where a SQLite database is.
#[derive(Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// File; created when missing.
    pub path: PathBuf,
    /// Whether a missing file is created.
    pub create: bool,
    /// How long a statement waits for another writer.
    pub busy_timeout: Duration,
    /// What the user should know, such as ignored parameters.
    pub warnings: Vec<String>,
}
