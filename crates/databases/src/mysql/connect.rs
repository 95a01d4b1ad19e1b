//! Opens connections: TLS by mode, time limits, and the facts that are read once.

use std::time::Duration;

use forerun_migrations::database::{DatabaseError, ErrorKind};
use mysql_async::{Conn, DriverError, Error, OptsBuilder, Row, SslOpts};
use sha2::{Digest, Sha256};

use super::connection::{Connection, RefusedFiles};
use super::{error, row};
use crate::connection_url::{Host, MysqlOptions, TlsMode};
use crate::tls;

/// A dead peer is noticed by probes after this much silence (and the probes of the operating system).
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Some servers end sessions after a minute of silence; ours may pause longer between tries.
const LONGEST_SILENCE_SECONDS: u32 = 28_800;
/// The most that the protocol can carry in one packet of the server's: the largest `max_allowed_packet`.
const LARGEST_PACKET: usize = 1 << 30;

/// What the server told about itself and the session.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Server-side connection id: what `KILL` takes.
    pub(super) id: u64,
    /// Current database, as the server writes it.
    pub(super) database: String,
    /// `MariaDB 10.11.6`, `MySQL 8.0.36`.
    pub(super) product: String,
    /// MariaDB, which has its own settings and catalog tables.
    pub(super) mariadb: bool,
    /// `performance_schema` is on.
    pub(super) performance_schema: bool,
    /// Tells servers apart: a digest of what identifies this one.
    pub(super) server: String,
    /// The limits that the session began with.
    pub(super) limits: ServerLimits,
}

/// What only the lock needs to know. Slow to find out (the server puts all of its status or variables together for
/// it), so a run that takes no lock does without.
#[derive(Debug, Clone)]
pub(super) struct LockFacts {
    /// When the server started, seconds since 1970, to a second or two.
    pub(super) server_started: i64,
    /// Galera: `GET_LOCK` does not work, or only on one node.
    pub(super) cluster: bool,
}

/// Limits that a session begins with, as the server writes them.
#[derive(Debug, Clone)]
pub(super) struct ServerLimits {
    /// `lock_wait_timeout`.
    pub(super) lock: String,
    /// `innodb_lock_wait_timeout`.
    pub(super) row_lock: String,
    /// MariaDB's `max_statement_time`, which an account can have its own of.
    pub(super) statement: Option<String>,
}

/// Where it is, for messages.
pub(super) fn place(options: &MysqlOptions) -> String {
    match &options.host {
        Host::Tcp(host, port) if host.contains(':') => format!("MySQL/MariaDB at [{host}]:{port}"),
        Host::Tcp(host, port) => format!("MySQL/MariaDB at {host}:{port}"),
        Host::Unix(path, _) => format!("MySQL/MariaDB at {}", path.display()),
    }
}

/// Opens a connection, within the connect timeout.
///
/// With `found_rows` an `UPDATE` counts the rows it found and not those it changed
/// (`CLIENT_FOUND_ROWS`): right for our own statements, while a script's statements keep the numbers
/// that the standard client shows.
pub(super) async fn open(
    options: &MysqlOptions,
    found_rows: bool,
) -> Result<(Connection, Facts), DatabaseError> {
    let attempt = async {
        let mut connection = open_with_tls_mode(options, found_rows).await?;
        let facts = prepare(&mut connection).await?;
        Ok((connection, facts))
    };
    match tokio::time::timeout(options.connect_timeout, attempt).await {
        Ok(result) => result,
        Err(_) => Err(DatabaseError::new(
            ErrorKind::Unreachable,
            format!(
                "cannot reach {}: no answer within {} s",
                place(options),
                options.connect_timeout.as_secs_f32()
            ),
        )
        .with_hint(
            "Packets are dropped on the way (check address, firewall and network policies), or it is another kind of server: \
             PostgreSQL waits for its client to begin, and is named by postgres://… or DATABASE_ENGINE=postgres.",
        )),
    }
}

async fn open_with_tls_mode(
    options: &MysqlOptions,
    found_rows: bool,
) -> Result<Connection, DatabaseError> {
    let over_socket = matches!(options.host, Host::Unix(..));
    let translate = |error| error::connect_error(error, &place(options), over_socket);
    // A socket never leaves the machine; like libpq, no mode applies to it.
    if over_socket {
        return connect_once(options, None, found_rows)
            .await
            .map_err(translate);
    }
    let wanted = tls::mysql_ssl_options(options.tls, &options.tls_files)?;
    match options.tls {
        TlsMode::Disable => connect_once(options, None, found_rows).await.map_err(|error| {
            let error = translate(error);
            match error.kind {
                ErrorKind::Authentication => error.with_hint(
                    "Check user and password, and that the account may connect from this host. It may also demand \
                     TLS, which the URL switches off: set ssl-mode=REQUIRED.",
                ),
                _ => error,
            }
        }),
        TlsMode::Allow => match connect_once(options, None, found_rows).await.map_err(translate) {
            // The account may demand TLS, which looks like a wrong password.
            Err(refused)
                if refused.kind == ErrorKind::Authentication
                    || error::number(&refused) == Some(error::TLS_REQUIRED) =>
            {
                let encrypted = tls::mysql_ssl_options(TlsMode::Require, &options.tls_files)?;
                connect_once(options, encrypted, found_rows).await.map_err(|_| refused)
            }
            result => result,
        },
        TlsMode::Prefer => match connect_once(options, wanted, found_rows).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
                connect_once(options, None, found_rows).await.map_err(translate)
            }
            result => result.map_err(translate),
        },
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
            connect_once(options, wanted, found_rows).await.map_err(translate)
        }
    }
}

async fn connect_once(
    options: &MysqlOptions,
    encryption: Option<SslOpts>,
    found_rows: bool,
) -> Result<Connection, Error> {
    let file_requests = RefusedFiles::default();
    let mut builder = OptsBuilder::default()
        .user(Some(options.user.clone()))
        .pass(
            options
                .password
                .as_ref()
                .map(|password| password.expose().to_owned()),
        )
        .db_name(Some(options.database.clone()))
        .prefer_socket(false)
        .stmt_cache_size(Some(0))
        .tcp_keepalive(Some(KEEPALIVE))
        .client_found_rows(found_rows)
        // Known, so that the library does not ask: `limit_packets` holds what the server accepts, and nothing
        // pools connections.
        .max_allowed_packet(Some(LARGEST_PACKET))
        .wait_timeout(Some(LONGEST_SILENCE_SECONDS as usize))
        .local_infile_handler(Some(file_requests.clone()))
        .connect_attribute("program_name", "forerun")
        // Password plugins of clouds want the password itself; it goes only to a server that proved itself.
        .enable_cleartext_plugin(
            encryption.is_some() && matches!(options.tls, TlsMode::VerifyCa | TlsMode::VerifyFull),
        )
        .ssl_opts(encryption);
    builder = match &options.host {
        Host::Tcp(host, port) => builder.ip_or_hostname(host.clone()).tcp_port(*port),
        Host::Unix(path, _) => builder.socket(Some(path.to_string_lossy())),
    };
    let conn = Conn::new(builder).await?;
    Ok(Connection::new(conn, file_requests))
}

/// Puts a new session into the state that everything here assumes, and reads the facts.
async fn prepare(connection: &mut Connection) -> Result<Facts, DatabaseError> {
    // With `innodb_snapshot_isolation` (on since MariaDB 11.6) a locking read of the lease in a long transaction
    // fails with 1020 after every heartbeat.
    connection
        .execute(&format!(
            "SET NAMES utf8mb4, SESSION autocommit = 1, \
             SESSION wait_timeout = GREATEST(@@SESSION.wait_timeout, {LONGEST_SILENCE_SECONDS}) \
             /*M!110600 , SESSION innodb_snapshot_isolation = OFF */"
        ))
        .await?;
    // MariaDB alone reads what is in the comment. (Manual: "Comment Syntax", executable comments.)
    let found = connection
        .first(
            "SELECT CONNECTION_ID(), DATABASE(), VERSION(), @@version_comment, @@max_allowed_packet, \
             @@performance_schema, @@hostname, @@port, @@server_id, @@datadir, \
             @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout \
             /*M!100500 , @@SESSION.max_statement_time */",
        )
        .await?
        .ok_or_else(|| DatabaseError::new(ErrorKind::Unexpected, "the server told nothing about itself"))?;
    let (product, mariadb) = product(&row::text(&found, 2), &row::text(&found, 3))?;
    let database = row::optional_text(&found, 1).ok_or_else(|| {
        DatabaseError::new(ErrorKind::Configuration, "no database is named in the URL")
    })?;
    connection.limit_packets(usize::try_from(row::number(&found, 4)?).unwrap_or(usize::MAX));

    let identity: Vec<String> = (6..=9).map(|column| row::text(&found, column)).collect();
    Ok(Facts {
        id: u64::try_from(row::number(&found, 0)?).unwrap_or_default(),
        database,
        product,
        mariadb,
        performance_schema: row::number(&found, 5)? != 0,
        server: digest(&identity.join("\n"))[..8].to_owned(),
        limits: ServerLimits {
            lock: row::text(&found, 10),
            row_lock: row::text(&found, 11),
            statement: mariadb.then(|| row::optional_text(&found, 12)).flatten(),
        },
    })
}

/// Reads what the lock needs to know.
pub(super) async fn lock_facts(connection: &mut Connection) -> Result<LockFacts, DatabaseError> {
    let now = connection.first("SELECT UNIX_TIMESTAMP()").await?;
    let uptime = connection.first("SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
    // Servers without Galera do not know the variable; SHOW then has no row.
    let wsrep = connection
        .first("SHOW SESSION VARIABLES LIKE 'wsrep_on'")
        .await?;
    let number =
        |found: Option<Row>, column| found.map_or(Ok(0), |found| row::number(&found, column));
    Ok(LockFacts {
        server_started: number(now, 0)? - number(uptime, 1)?,
        cluster: wsrep.is_some_and(|found| row::text(&found, 1).eq_ignore_ascii_case("on")),
    })
}

/// Lower-case hex of SHA-256.
pub(super) fn digest(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Name of the product and whether it is MariaDB; an error when it is too old.
fn product(version: &str, comment: &str) -> Result<(String, bool), DatabaseError> {
    let mariadb = version.contains("MariaDB") || comment.contains("MariaDB");
    // Old MariaDB servers put this in front for the sake of replication.
    let shown = version
        .strip_prefix("5.5.5-")
        .filter(|_| mariadb)
        .unwrap_or(version);
    let number = shown.split('-').next().unwrap_or(shown);
    let mut parts = number
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or_default());
    let version = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let (name, oldest) = if mariadb {
        ("MariaDB", (10, 5))
    } else {
        ("MySQL", (8, 0))
    };
    let product = format!("{name} {number}");
    if version < oldest {
        return Err(DatabaseError::new(
            ErrorKind::Configuration,
            format!(
                "the server is {product}; {name} {}.{} or later is needed",
                oldest.0, oldest.1
            ),
        )
        .with_hint("Upgrade the database server."));
    }
    Ok((product, mariadb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_recognised() {
        let found = product("10.11.6-MariaDB-0+deb12u1", "Debian 12").unwrap();
        assert_eq!(found, ("MariaDB 10.11.6".to_owned(), true));
        assert_eq!(
            product("5.5.5-10.6.1-MariaDB", "").unwrap().0,
            "MariaDB 10.6.1"
        );
        assert_eq!(
            product("8.0.36", "MySQL Community Server - GPL").unwrap(),
            ("MySQL 8.0.36".to_owned(), false)
        );
        assert_eq!(product("9.1.0-commercial", "").unwrap().0, "MySQL 9.1.0");
    }

    #[test]
    fn old_servers_are_refused() {
        for (version, message) in [
            (
                "5.7.44-log",
                "the server is MySQL 5.7.44; MySQL 8.0 or later is needed",
            ),
            (
                "10.4.2-MariaDB",
                "the server is MariaDB 10.4.2; MariaDB 10.5 or later is needed",
            ),
        ] {
            let error = product(version, "").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Configuration);
            assert_eq!(error.message, message);
        }
    }
}
