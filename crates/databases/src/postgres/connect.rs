//! Opening a connection: hosts in order, TLS by libpq's rules, then one query for the facts about the server.
//!
//! The startup message carries only what every pooler lets through (user, database, `application_name`,
//! `client_encoding`, and `options` when the URL has them).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use forerun_migrations::database::{DatabaseError, ErrorKind, Identity, ServerInfo};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection_url::{Host, PostgresOptions, TlsFiles, TlsMode};

use super::cancel::{Address, Endpoint};
use super::link::Link;
use super::row::Row;
use super::{error, literal};

/// `application_name` is cut by the server to this many bytes (NAMEDATALEN - 1).
const APPLICATION_NAME_BYTES: usize = 63;

/// Oldest supported server, as `server_version_num` has it.
const OLDEST_VERSION: i64 = 120_000;

/// What is known about the other end right after connecting.
pub(super) struct Facts {
    pub(super) info: ServerInfo,
    /// Schema of the bookkeeping tables.
    pub(super) schema: String,
    /// `server_version_num`.
    pub(super) version: i64,
    /// Process id of the server-side session that answered.
    pub(super) process_id: i32,
    /// That session as stored in the lease: `process id@start time`.
    pub(super) backend: String,
    /// Why the server takes no writes, if it does not.
    pub(super) read_only: Option<&'static str>,
    /// The session that answers is not the one that was announced: a pooler is in between.
    pub(super) pooler: bool,
}

/// Connects to the first host that will do, and asks it who it is.
pub(super) async fn open(
    options: &PostgresOptions,
    identity: &Identity,
) -> Result<(Link, Facts), DatabaseError> {
    let mut failures: Vec<DatabaseError> = Vec::new();
    for host in &options.hosts {
        let result = match open_host(options, host, identity).await {
            Ok(link) => facts(options, &link).await.map(|facts| (link, facts)),
            Err(error) => Err(error),
        };
        match result {
            Ok((_, facts)) if options.read_write && facts.read_only.is_some() => {
                failures.push(DatabaseError::new(
                    ErrorKind::Unreachable,
                    format!(
                        "{} takes no writes, and the URL asks for a server that does",
                        name(host)
                    ),
                ));
            }
            Ok(opened) => return Ok(opened),
            // Another host does not mend what is wrong with the user, the database or the URL.
            Err(error) if error.kind != ErrorKind::Unreachable => return Err(error),
            Err(error) => failures.push(error),
        }
    }
    Err(all_failed(failures))
}

/// A bare connection to the first host that answers, without asking for facts.
pub(super) async fn open_bare(
    options: &PostgresOptions,
    identity: &Identity,
) -> Result<Link, DatabaseError> {
    let mut failures = Vec::new();
    for host in &options.hosts {
        match open_host(options, host, identity).await {
            Ok(link) => return Ok(link),
            Err(error) => failures.push(error),
        }
    }
    Err(all_failed(failures))
}

/// Host and port, or socket folder, for people.
pub(super) fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name, port) if name.contains(':') => format!("[{name}]:{port}"),
        Host::Tcp(name, port) => format!("{name}:{port}"),
        Host::Unix(folder, port) => format!("{}/.s.PGSQL.{port}", folder.display()),
    }
}

async fn open_host(
    options: &PostgresOptions,
    host: &Host,
    identity: &Identity,
) -> Result<Link, DatabaseError> {
    let mut config = base_config(options, identity)?;
    match host {
        Host::Unix(folder, port) => {
            config.host_path(folder).port(*port);
            // TLS is for networks (libpq manual, `sslmode`: ignored for socket communication).
            let address = Address::Unix(folder.join(format!(".s.PGSQL.{port}")));
            attempt(options, &config, SslMode::Disable, &name(host), address)
                .await
                .map_err(Failure::into_error)
        }
        Host::Tcp(server, port) => {
            config.host(server).port(*port);
            let mut last = None;
            for address in addresses(options, server, *port).await? {
                let mut config = config.clone();
                config.hostaddr(address);
                let address = Address::Tcp(SocketAddr::new(address, *port), server.clone());
                match with_fallback(options, &config, &name(host), address).await {
                    Ok(link) => return Ok(link),
                    Err(error) if error.kind == ErrorKind::Unreachable => last = Some(error),
                    Err(error) => return Err(error),
                }
            }
            Err(last.unwrap_or_else(|| {
                DatabaseError::new(
                    ErrorKind::Unreachable,
                    format!("the host name `{server}` has no addresses"),
                )
            }))
        }
    }
}

/// Our own look-up of the name, since the driver's cannot be told from a refused connection.
async fn addresses(
    options: &PostgresOptions,
    server: &str,
    port: u16,
) -> Result<Vec<IpAddr>, DatabaseError> {
    if let Ok(address) = server.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    match limited(options, tokio::net::lookup_host((server, port))).await {
        Some(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Some(Err(error)) => Err(error::unknown_host(&error, server)),
        None => Err(DatabaseError::new(
            ErrorKind::Unreachable,
            format!(
                "the host name `{server}` was not resolved within {}s",
                options.connect_timeout.as_secs()
            ),
        )
        .with_hint("the DNS servers of /etc/resolv.conf do not answer")),
    }
}

/// `allow` tries TLS second, `prefer` tries without TLS second (libpq manual, table "SSL Mode Descriptions").
async fn with_fallback(
    options: &PostgresOptions,
    config: &Config,
    host: &str,
    address: Address,
) -> Result<Link, DatabaseError> {
    let (first, second) = match options.tls {
        TlsMode::Disable => (SslMode::Disable, None),
        TlsMode::Allow => (SslMode::Disable, Some(SslMode::Require)),
        TlsMode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => (SslMode::Require, None),
    };
    match attempt(options, config, first, host, address.clone()).await {
        Ok(link) => Ok(link),
        Err(Failure {
            error,
            retry_other_way: true,
        }) => match second {
            Some(mode) => attempt(options, config, mode, host, address)
                .await
                .map_err(Failure::into_error),
            None => Err(error),
        },
        Err(failure) => Err(failure.error),
    }
}

struct Failure {
    error: DatabaseError,
    /// The other kind of connection (with or without TLS) may work.
    retry_other_way: bool,
}

impl Failure {
    fn into_error(self) -> DatabaseError {
        self.error
    }
}

async fn attempt(
    options: &PostgresOptions,
    config: &Config,
    mode: SslMode,
    host: &str,
    address: Address,
) -> Result<Link, Failure> {
    let fail = |error| Failure {
        error,
        retry_other_way: false,
    };
    let mut config = config.clone();
    config.ssl_mode(mode);
    let tls = tls(options, mode).map_err(fail)?;
    match limited(options, config.connect(tls.clone())).await {
        Some(Ok((client, connection))) => {
            let direct_tls =
                mode != SslMode::Disable && config.get_ssl_negotiation() == SslNegotiation::Direct;
            let endpoint = Endpoint {
                address,
                mode,
                direct_tls,
                tls,
            };
            Link::new(client, connection, endpoint).await.map_err(fail)
        }
        Some(Err(error)) => Err(Failure {
            // Never after a certificate that fails: whoever names a root certificate means it.
            retry_other_way: error::is_refused_by_rule(&error),
            error: error::from_connect(&error, host),
        }),
        None => Err(fail(error::connect_timeout(
            host,
            options.connect_timeout.as_secs(),
        ))),
    }
}

fn tls(options: &PostgresOptions, mode: SslMode) -> Result<MakeRustlsConnect, DatabaseError> {
    let config = match mode {
        // Certificate files are only read when they are used.
        SslMode::Disable => crate::tls::client_config(TlsMode::Disable, &TlsFiles::default()),
        _ => crate::tls::client_config(options.tls, &options.tls_files),
    };
    config.map(MakeRustlsConnect::new)
}

fn base_config(options: &PostgresOptions, identity: &Identity) -> Result<Config, DatabaseError> {
    let mut config = Config::new();
    config.user(&options.user).dbname(&options.database);
    if let Some(password) = &options.password {
        config.password(password.expose());
    }
    if let Some(options) = &options.options {
        config.options(options);
    }
    match &options.application_name {
        Some(name) => config.application_name(name),
        None => config.application_name(application_name(identity)),
    };
    // A peer that vanished (a node that lost power, a dropped NAT entry) is noticed within about a minute.
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(60));
    for (keyword, value) in &options.other {
        set_other(&mut config, keyword, value)?;
    }
    Ok(config)
}

/// Keywords of libpq that the driver knows too.
fn set_other(config: &mut Config, keyword: &str, value: &str) -> Result<(), DatabaseError> {
    let wrong = || {
        DatabaseError::new(
            ErrorKind::Configuration,
            format!("`{keyword}={value}` in the URL is not a value of libpq"),
        )
    };
    let number = || value.parse::<u32>().map_err(|_| wrong());
    let seconds = || number().map(|number| Duration::from_secs(u64::from(number)));
    match (keyword, value) {
        ("channel_binding", "disable") => config.channel_binding(ChannelBinding::Disable),
        ("channel_binding", "prefer") => config.channel_binding(ChannelBinding::Prefer),
        ("channel_binding", "require") => config.channel_binding(ChannelBinding::Require),
        ("sslnegotiation", "postgres") => config.ssl_negotiation(SslNegotiation::Postgres),
        ("sslnegotiation", "direct") => config.ssl_negotiation(SslNegotiation::Direct),
        ("channel_binding" | "sslnegotiation", _) => return Err(wrong()),
        ("keepalives", _) => config.keepalives(number()? != 0),
        ("keepalives_idle", _) => config.keepalives_idle(seconds()?),
        ("keepalives_interval", _) => config.keepalives_interval(seconds()?),
        ("keepalives_count", _) => config.keepalives_retries(number()?),
        ("tcp_user_timeout", _) => {
            config.tcp_user_timeout(Duration::from_millis(u64::from(number()?)))
        }
        _ => config,
    };
    Ok(())
}

fn application_name(identity: &Identity) -> String {
    let mut name = format!("forerun {} {}", identity.tool_version, identity.host);
    let mut end = name.len().min(APPLICATION_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Bounded by the connect timeout of the URL, where zero means without limit as in libpq; `None` when it ran out.
async fn limited<T>(options: &PostgresOptions, work: impl Future<Output = T>) -> Option<T> {
    if options.connect_timeout.is_zero() {
        return Some(work.await);
    }
    tokio::time::timeout(options.connect_timeout, work)
        .await
        .ok()
}

fn all_failed(mut failures: Vec<DatabaseError>) -> DatabaseError {
    if failures.len() <= 1 {
        return failures.pop().unwrap_or_else(|| {
            DatabaseError::new(ErrorKind::Configuration, "the URL names no host")
        });
    }
    let messages: Vec<&str> = failures
        .iter()
        .map(|failure| failure.message.as_str())
        .collect();
    let mut error = DatabaseError::new(ErrorKind::Unreachable, messages.join("; "));
    error.hint = failures.pop().and_then(|last| last.hint);
    error
}

async fn facts(options: &PostgresOptions, link: &Link) -> Result<Facts, DatabaseError> {
    // An existing history wins over the first schema of the search path: a schema named like the user that is
    // created later must not hide the history.
    let schema = match &options.history_schema {
        Some(schema) => format!("(SELECT nspname FROM pg_namespace WHERE nspname = {})", literal::text(schema)),
        None => "coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = to_regclass('forerun_history') AND n.oid <> pg_my_temp_schema()), current_schema())"
            .to_owned(),
    };
    let rows = link
        .rows(&include_str!("sql/facts.sql").replace("{schema}", &schema))
        .await?;
    let row = Row::only(&rows)?;
    let version = row.number(0)?;
    let release = row.text(1)?;
    if version < OLDEST_VERSION {
        return Err(DatabaseError::new(
            ErrorKind::Configuration,
            format!("the server is PostgreSQL {release}; PostgreSQL 12 or newer is needed"),
        ));
    }
    let process_id = i32::try_from(row.number(4)?).unwrap_or_default();
    let read_only = if row.flag(6)? {
        Some("it is a standby (in recovery)")
    } else if row.flag(7)? {
        Some("`default_transaction_read_only` is on")
    } else {
        None
    };
    let database = row.text(2)?.to_owned();
    let Some(schema) = row.optional(3)?.map(str::to_owned) else {
        return Err(no_schema(options, &database));
    };
    let pooler = link.announced_process_id() != process_id;
    Ok(Facts {
        info: ServerInfo {
            product: format!(
                "PostgreSQL {}",
                release.split_whitespace().next().unwrap_or(release)
            ),
            database,
            schema: Some(schema.clone()),
            working_schema: row.optional(8)?.map(str::to_owned),
            pooled: pooler,
        },
        schema,
        version,
        process_id,
        backend: row.text(5)?.to_owned(),
        read_only,
        pooler,
    })
}

fn no_schema(options: &PostgresOptions, database: &str) -> DatabaseError {
    match &options.history_schema {
        Some(schema) => DatabaseError::new(
            ErrorKind::Configuration,
            format!("the schema `{schema}` for the history tables does not exist in the database `{database}`"),
        )
        .with_hint(format!("create it first: CREATE SCHEMA {};", literal::identifier(schema))),
        None => DatabaseError::new(
            ErrorKind::Configuration,
            format!("no schema of the user's search path exists in the database `{database}`"),
        )
        .with_hint(
            "create one (CREATE SCHEMA public;), set a search path (ALTER ROLE … SET search_path = …), \
             or name the schema for the history tables in the URL",
        ),
    }
}
