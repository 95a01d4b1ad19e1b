//! Where a database is and how to reach it: URLs, their parts, and files and variables that complete them.
//!
//! Text comes in with a function that looks variables up (this room never reads the environment itself);
//! complete options for one driver go out. Parsing never connects; it reads the files that libpq reads
//! (`.pgpass`, the service file). Secrets are held in [`Secret`], which no formatter prints, and no error
//! repeats a part of a URL that could belong to a password.
//!
//! A URL that is read from a variable (`env://NAME`) or a file (`file:///path`) is fetched by the caller.

mod display;
mod error;
mod mysql;
mod mysql_parameters;
mod nearest;
mod options;
mod parts;
mod pgpass;
mod postgres;
mod postgres_hosts;
mod postgres_keywords;
mod service_file;
mod sqlite;
mod url;
mod user;

#[cfg(test)]
mod properties;

use std::fmt;

pub use error::UrlError;
pub use options::{
    DEFAULT_BUSY_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, Host, MysqlOptions, PostgresOptions, Secret,
    SqliteOptions, TlsFiles, TlsMode, UNLIMITED_CONNECT_TIMEOUT,
};
pub use parts::Parts;

use url::UrlText;

/// Looks up a variable of the environment.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a database is and how to reach it.
///
/// `Display` and `Debug` give a URL in which the password is `***`.
#[derive(Clone, PartialEq, Eq)]
pub enum ConnectionUrl {
    /// `postgres://`, `postgresql://`, `host=… dbname=…`
    Postgres(PostgresOptions),
    /// `mysql://`, `mariadb://`
    Mysql(MysqlOptions),
    /// `sqlite:`
    Sqlite(SqliteOptions),
}

/// The databases we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Postgres,
    Mysql,
    Sqlite,
}

/// Schemes as they are suggested to the user.
const SCHEMES: [&str; 6] = [
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "sqlite",
    "sqlite3",
];

impl Engine {
    /// The engine that a URL scheme or an engine name of a framework means.
    fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        // `django.db.backends.postgresql`, `postgresql+psycopg2`
        let name = name.rsplit('.').next().unwrap_or(&name);
        let name = name.split('+').next().unwrap_or(name);
        match name {
            "postgres" | "postgresql" | "pg" | "pgx" | "pgx5" | "pgsql" | "psql" | "postgis" => {
                Some(Self::Postgres)
            }
            "mysql" | "mysql2" | "mariadb" => Some(Self::Mysql),
            "sqlite" | "sqlite3" | "spatialite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

impl ConnectionUrl {
    /// Reads a URL, or a PostgreSQL keyword/value string. Surrounding white space is dropped, since a
    /// secret that was written with a text editor ends in a newline.
    ///
    /// For PostgreSQL what the URL does not say comes from the service file, the `PG*` variables, the
    /// password file and the defaults, in that order, as in libpq (PostgreSQL manual, "Connection Strings",
    /// "Environment Variables", "The Connection Service File").
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong; its [`hint`](UrlError::hint) says what to do.
    pub fn parse(url: &str, variables: Variables<'_>) -> Result<Self, UrlError> {
        let url = url.trim();
        if url.is_empty() {
            return Err(UrlError::Empty);
        }
        if url.contains(['\0', '\n', '\r']) {
            return Err(UrlError::ControlCharacter);
        }
        // JDBC puts its own scheme in front of an ordinary URL.
        let url = url.strip_prefix("jdbc:").unwrap_or(url);
        if postgres::is_keyword_value(url) {
            return postgres::from_keyword_value(url, variables).map(Self::Postgres);
        }
        let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Err(UrlError::NoScheme);
        };
        if scheme.eq_ignore_ascii_case("file") {
            return sqlite::from_url(scheme, rest).map(Self::Sqlite);
        }
        let engine = Engine::from_name(scheme).filter(|_| !scheme.contains('.'));
        if engine == Some(Engine::Sqlite) {
            return sqlite::from_url(scheme, rest).map(Self::Sqlite);
        }
        let Some(authority) = rest.strip_prefix("//") else {
            // `localhost:5432/app` looks like a scheme, too; the text may hold a password, so it is not shown.
            return Err(match engine {
                Some(_) => UrlError::NoSlashes,
                None => UrlError::NoScheme,
            });
        };
        match engine {
            Some(Engine::Postgres) => {
                let text = UrlText::split(authority)?;
                let doubtful = text.at_sign_in_query;
                let options = postgres::from_url(text, variables)
                    .map_err(|error| error.unless_doubtful(doubtful))?;
                Ok(Self::Postgres(options))
            }
            Some(Engine::Mysql) => mysql::from_url(authority, variables).map(Self::Mysql),
            _ => Err(UrlError::UnknownScheme {
                scheme: scheme.to_owned(),
                nearest: nearest::nearest(&scheme.to_ascii_lowercase(), SCHEMES),
            }),
        }
    }

    /// Puts a URL together from what an application's environment holds: engine, host, port, name, user,
    /// password. Nothing is percent-decoded. See [`Parts`] for how the engine is chosen.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); also [`UrlError::ServiceLink`] for a value that Kubernetes injected.
    pub fn from_parts(parts: Parts, variables: Variables<'_>) -> Result<Self, UrlError> {
        parts::assemble(parts, variables)
    }

    /// What the user should know before we connect: parameters that were ignored, a password file that
    /// others can read. One sentence each, without secrets.
    pub fn warnings(&self) -> &[String] {
        match self {
            Self::Postgres(options) => &options.warnings,
            Self::Mysql(options) => &options.warnings,
            Self::Sqlite(options) => &options.warnings,
        }
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ConnectionUrl({self})")
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

/// A boolean as drivers spell it.
fn parse_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A port number; explains what Kubernetes puts into `<SERVICE>_PORT`.
fn parse_port(text: &str, part: &'static str) -> Result<u16, UrlError> {
    let text = text.trim();
    if text.starts_with("tcp://") || text.starts_with("udp://") {
        return Err(UrlError::ServiceLink { part });
    }
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(UrlError::BadValue {
            name: part.to_owned(),
            expected: "a number from 1 to 65535".to_owned(),
        }),
    }
}
