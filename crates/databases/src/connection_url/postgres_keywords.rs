//! Every keyword that libpq knows (PostgreSQL 18 manual, "Parameter Key Words" and "Environment
//! Variables"), what we do about it, and spellings that other drivers use for the same thing.

use super::UrlError;
use super::nearest::nearest;

/// What is done with a keyword.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Read by us.
    Read,
    /// Given to the driver as it is; the values that are allowed, or none for a number.
    Driver(&'static [&'static str]),
    /// Without effect here, and safe to leave out.
    Ignored,
    /// Accepted with these values, which ask for what happens anyway; any other is an error with this reason.
    Only(&'static [&'static str], &'static str),
}

use Use::{Driver, Ignored, Only, Read};

const NO_GSSAPI: &str = "forerun does not speak GSSAPI; use a password or a client certificate";
const CHECK_WE_LACK: &str = "forerun cannot make this check and does not connect without it";
const PLAIN_KEY: &str = "forerun reads only client keys without a password; decrypt the key file";

/// Keyword, its variable, its use.
const KEYWORDS: &[(&str, &str, Use)] = &[
    ("application_name", "PGAPPNAME", Read),
    (
        "channel_binding",
        "PGCHANNELBINDING",
        Driver(&["disable", "prefer", "require"]),
    ),
    // The driver speaks UTF-8 only, and migrations are UTF-8 files.
    ("client_encoding", "PGCLIENTENCODING", Ignored),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Read),
    ("dbname", "PGDATABASE", Read),
    ("fallback_application_name", "", Read),
    ("gssdelegation", "PGGSSDELEGATION", Only(&["0"], NO_GSSAPI)),
    (
        "gssencmode",
        "PGGSSENCMODE",
        Only(&["disable", "prefer"], NO_GSSAPI),
    ),
    ("gsslib", "PGGSSLIB", Ignored),
    ("history_schema", "", Read),
    ("host", "PGHOST", Read),
    ("hostaddr", "PGHOSTADDR", Read),
    ("keepalives", "", Driver(&["0", "1"])),
    ("keepalives_count", "", Driver(&[])),
    ("keepalives_idle", "", Driver(&[])),
    ("keepalives_interval", "", Driver(&[])),
    ("krbsrvname", "PGKRBSRVNAME", Ignored),
    (
        "load_balance_hosts",
        "PGLOADBALANCEHOSTS",
        Driver(&["disable", "random"]),
    ),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Ignored),
    (
        "min_protocol_version",
        "PGMINPROTOCOLVERSION",
        Only(&["3.0"], "forerun speaks protocol 3.0"),
    ),
    (
        "oauth_client_id",
        "",
        Only(&[], "forerun does not speak OAuth; use a password"),
    ),
    (
        "oauth_client_secret",
        "",
        Only(&[], "forerun does not speak OAuth; use a password"),
    ),
    (
        "oauth_issuer",
        "",
        Only(&[], "forerun does not speak OAuth; use a password"),
    ),
    (
        "oauth_scope",
        "",
        Only(&[], "forerun does not speak OAuth; use a password"),
    ),
    ("options", "PGOPTIONS", Read),
    ("passfile", "PGPASSFILE", Read),
    ("password", "PGPASSWORD", Read),
    ("port", "PGPORT", Read),
    (
        "replication",
        "",
        Only(
            &["0", "false", "off", "no"],
            "migrations need an ordinary connection",
        ),
    ),
    ("require_auth", "PGREQUIREAUTH", Only(&[], CHECK_WE_LACK)),
    ("requirepeer", "PGREQUIREPEER", Only(&[], CHECK_WE_LACK)),
    ("requiressl", "PGREQUIRESSL", Read),
    ("scram_client_key", "", Only(&[], "use the password")),
    ("scram_server_key", "", Only(&[], "use the password")),
    ("search_path", "", Read),
    ("service", "PGSERVICE", Read),
    ("servicefile", "PGSERVICEFILE", Read),
    (
        "ssl_max_protocol_version",
        "PGSSLMAXPROTOCOLVERSION",
        Only(&["TLSv1.3"], "forerun speaks TLS 1.2 and 1.3"),
    ),
    (
        "ssl_min_protocol_version",
        "PGSSLMINPROTOCOLVERSION",
        Only(
            &["TLSv1", "TLSv1.1", "TLSv1.2"],
            "forerun speaks TLS 1.2 and 1.3, and cannot refuse 1.2",
        ),
    ),
    ("sslcert", "PGSSLCERT", Read),
    ("sslcertmode", "PGSSLCERTMODE", Read),
    ("sslcompression", "PGSSLCOMPRESSION", Ignored),
    ("sslcrl", "PGSSLCRL", Only(&[], CHECK_WE_LACK)),
    ("sslcrldir", "PGSSLCRLDIR", Only(&[], CHECK_WE_LACK)),
    ("sslkey", "PGSSLKEY", Read),
    (
        "sslkeylogfile",
        "",
        Only(&[], "forerun does not write TLS secrets to files"),
    ),
    ("sslmode", "PGSSLMODE", Read),
    (
        "sslnegotiation",
        "PGSSLNEGOTIATION",
        Driver(&["postgres", "direct"]),
    ),
    ("sslpassword", "", Only(&[], PLAIN_KEY)),
    ("sslrootcert", "PGSSLROOTCERT", Read),
    ("sslsni", "PGSSLSNI", Ignored),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Read),
    ("tcp_user_timeout", "", Driver(&[])),
    ("user", "PGUSER", Read),
];

/// Spellings of other drivers, in lower case: JDBC, Prisma, asyncpg, node-postgres, pgx.
const SYNONYMS: &[(&str, &str)] = &[
    ("applicationname", "application_name"),
    ("connecttimeout", "connect_timeout"),
    ("currentschema", "search_path"),
    ("database", "dbname"),
    ("schema", "search_path"),
    ("ssl", "sslmode"),
    ("ssl-mode", "sslmode"),
    ("ssl_mode", "sslmode"),
    ("username", "user"),
];

/// Parameters of application drivers and pools that mean nothing to one migration session, in lower case.
const FOREIGN: &[&str] = &[
    "binary_parameters",
    "binarytransfer",
    "connection_limit",
    "default_query_exec_mode",
    "description_cache_capacity",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "logintimeout",
    "max_conns",
    "pgbouncer",
    "pool_max_conn_idle_time",
    "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter",
    "pool_max_conns",
    "pool_min_conns",
    "pool_health_check_period",
    "pool_size",
    "pool_timeout",
    "prefer_simple_protocol",
    "prepared_statement_cache_size",
    "preparethreshold",
    "rewritebatchedinserts",
    "socket_timeout",
    "sockettimeout",
    "statement-cache-capacity",
    "statement_cache_capacity",
    "statement_cache_mode",
    "statement_cache_size",
    "statement_timeout",
    "stringtype",
    "tcpkeepalive",
];

/// A keyword as it is known to us.
pub(super) enum Known {
    /// Its name and use.
    Keyword(&'static str, Use),
    /// Belongs to another program: left out with a warning.
    Foreign,
}

/// Looks a keyword up.
pub(super) fn look_up(name: &str) -> Result<Known, UrlError> {
    let lower = name.to_ascii_lowercase();
    let canonical = SYNONYMS
        .iter()
        .find(|(synonym, _)| *synonym == lower)
        .map_or(lower.as_str(), |(_, keyword)| keyword);
    if let Some((keyword, _, usage)) = KEYWORDS
        .iter()
        .find(|(keyword, _, _)| *keyword == canonical)
    {
        return Ok(Known::Keyword(keyword, *usage));
    }
    // `x-…` are golang-migrate's own.
    if FOREIGN.contains(&lower.as_str()) || lower.starts_with("x-") {
        return Ok(Known::Foreign);
    }
    Err(UrlError::UnknownParameter {
        database: "PostgreSQL",
        name: name.to_owned(),
        nearest: nearest(&lower, KEYWORDS.iter().map(|(keyword, _, _)| *keyword)),
    })
}

/// Keyword and variable of each parameter that has a variable.
pub(super) fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYWORDS
        .iter()
        .map(|(keyword, variable, _)| (*keyword, *variable))
        .filter(|(_, variable)| !variable.is_empty())
}

/// Checks a value against the use of its keyword.
pub(super) fn check(keyword: &str, usage: Use, value: &str) -> Result<(), UrlError> {
    match usage {
        Only(allowed, reason) if !allowed.contains(&value) => Err(UrlError::Unsupported {
            name: keyword.to_owned(),
            reason: reason.to_owned(),
        }),
        Driver([]) if value.parse::<u32>().is_err() => Err(UrlError::BadValue {
            name: keyword.to_owned(),
            expected: "a whole number".to_owned(),
        }),
        Driver(allowed @ [_, ..]) if !allowed.contains(&value) => Err(UrlError::BadValue {
            name: keyword.to_owned(),
            expected: format!("one of {}", allowed.join(", ")),
        }),
        _ => Ok(()),
    }
}
