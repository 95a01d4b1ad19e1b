//! MySQL and MariaDB: URLs, and the data source names of Go's driver that golang-migrate takes.
//!
//! `mysql://user:password@host:3306/name?ssl-mode=REQUIRED&ssl-ca=/ca.pem`; a socket by
//! `?socket=/run/mysqld/mysqld.sock`; `mysql://user:password@tcp(host:3306)/name?multiStatements=true`. The
//! password may come from `MYSQL_PWD`. Without a host it is `localhost`, by TCP. Default protection is `PREFERRED`, as in MySQL's own clients, which is
//! raised to `VERIFY_CA` by a root certificate.

use std::path::PathBuf;
use std::time::Duration;

use super::mysql_parameters::{Parameter, look_up};
use super::options::{DEFAULT_CONNECT_TIMEOUT, UNLIMITED_CONNECT_TIMEOUT};
use super::url::split_query;
use super::url::{
    UrlText, ampersand_in_password, check_host, decode, is_secret, read_credentials, split_host,
};
use super::{
    Host, MysqlOptions, Secret, TlsFiles, TlsMode, UrlError, Variables, parse_bool, parse_port,
    user,
};

const DEFAULT_PORT: u16 = 3306;

/// What is given so far.
#[derive(Default)]
pub(super) struct Settings {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub socket: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub database: Option<String>,
    pub tls: Option<TlsMode>,
    /// `false`: do not verify; `true`: verify at least the chain.
    pub verify: Option<bool>,
    pub tls_files: TlsFiles,
    pub connect_timeout: Option<Duration>,
    pub warnings: Vec<String>,
}

/// Reads what follows `mysql://`.
pub(super) fn from_url(text: &str, variables: Variables<'_>) -> Result<MysqlOptions, UrlError> {
    if let Some(settings) = go_data_source_name(text)? {
        return resolve(settings, variables);
    }
    let text = UrlText::split(text)?;
    let doubtful = text.at_sign_in_query;
    from_text(text, variables).map_err(|error| error.unless_doubtful(doubtful))
}

fn from_text(text: UrlText, variables: Variables<'_>) -> Result<MysqlOptions, UrlError> {
    let (host, port) = split_host(&text.hosts)?;
    let mut settings = Settings {
        port: port.map(|port| parse_port(port, "port")).transpose()?,
        user: text.user,
        password: text.password,
        database: Some(text.path),
        ..Settings::default()
    };
    // `mysql://%2Frun%2Fmysqld%2Fmysqld.sock/name`
    if host.starts_with('/') {
        settings.socket = Some(PathBuf::from(host));
    } else {
        settings.host = Some(host);
    }
    settings.read(text.parameters, false)?;
    resolve(settings, variables)
}

/// `user:password@tcp(host:port)/name?…` and `…@unix(/path)/name`; `None` when the text is not of this form.
/// User and password may contain anything here: the last `@tcp(` counts.
fn go_data_source_name(text: &str) -> Result<Option<Settings>, UrlError> {
    let start = ["tcp(", "tcp6(", "tcp4(", "unix("]
        .into_iter()
        .find_map(|network| {
            let at = text
                .rfind(&format!("@{network}"))
                .map(|at| (at, at + 1 + network.len(), network));
            at.or_else(|| {
                text.starts_with(network)
                    .then_some((0, network.len(), network))
            })
        });
    let Some((credentials_end, address_start, network)) = start else {
        return Ok(None);
    };
    let (Some(credentials), Some(rest)) = (text.get(..credentials_end), text.get(address_start..))
    else {
        return Ok(None);
    };
    // `?password=…@tcp(…` of an ordinary URL must not become a user name.
    let user = credentials.split(':').next().unwrap_or_default();
    if user.contains(['/', '?']) {
        return Ok(None);
    }
    let unclosed = || UrlError::Syntax {
        problem: format!("`{network}` has no `)`, or no `/` and database name after it"),
    };
    let (address, rest) = rest.split_once(')').ok_or_else(unclosed)?;
    let rest = rest.strip_prefix('/').ok_or_else(unclosed)?;
    let (database, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, password) = read_credentials(credentials)?;
    let mut settings = Settings {
        user,
        password,
        database: Some(decode(database, "database name")?),
        ..Settings::default()
    };
    if network == "unix(" {
        settings.socket = Some(PathBuf::from(address));
    } else {
        let (host, port) = split_host(address)?;
        settings.host = Some(host);
        settings.port = port.map(|port| parse_port(port, "port")).transpose()?;
    }
    settings.read(split_query(query)?, true)?;
    Ok(Some(settings))
}

impl Settings {
    fn read(&mut self, parameters: Vec<(String, String)>, go: bool) -> Result<(), UrlError> {
        let mut after_password = false;
        for (name, value) in parameters {
            let parameter = look_up(&name, go).map_err(|error| match error {
                UrlError::UnknownParameter { .. } if after_password => ampersand_in_password(),
                error => error,
            })?;
            after_password |= is_secret(&name);
            match parameter {
                Some(parameter) => self.set(parameter, &name, value)?,
                None => self.warnings.push(format!(
                    "the connection parameter `{name}` has no effect on migrations and is ignored"
                )),
            }
        }
        Ok(())
    }

    fn set(&mut self, parameter: Parameter, name: &str, value: String) -> Result<(), UrlError> {
        let bad = |expected: &str| UrlError::BadValue {
            name: name.to_owned(),
            expected: expected.to_owned(),
        };
        match parameter {
            Parameter::TlsMode => self.tls = Some(tls_mode(&value).ok_or_else(|| bad(TLS_MODES))?),
            Parameter::VerifyCertificate => {
                self.verify = Some(parse_bool(&value).ok_or_else(|| bad("true or false"))?);
            }
            Parameter::SkipVerification => {
                self.verify = Some(!parse_bool(&value).ok_or_else(|| bad("true or false"))?);
            }
            Parameter::RootCertificate => self.tls_files.root = Some(PathBuf::from(value)),
            Parameter::Certificate => self.tls_files.certificate = Some(PathBuf::from(value)),
            Parameter::Key => self.tls_files.key = Some(PathBuf::from(value)),
            Parameter::Socket => self.socket = Some(PathBuf::from(value)),
            Parameter::Host => self.host = Some(value),
            Parameter::Port => self.port = Some(parse_port(&value, "port")?),
            Parameter::User => self.user = Some(value),
            Parameter::Password => self.password = Some(Secret::new(value)),
            Parameter::Database => self.database = Some(value),
            Parameter::ConnectTimeout | Parameter::ConnectTimeoutMilliseconds => {
                let milliseconds = parameter == Parameter::ConnectTimeoutMilliseconds;
                let timeout = parse_duration(&value, milliseconds)
                    .ok_or_else(|| bad("a number of seconds, or a duration such as 5s or 500ms"))?;
                self.connect_timeout = Some(timeout);
            }
        }
        Ok(())
    }
}

/// Fills in the defaults.
pub(super) fn resolve(
    settings: Settings,
    variables: Variables<'_>,
) -> Result<MysqlOptions, UrlError> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let database = filled(settings.database).ok_or_else(|| UrlError::Missing {
        what: "database name",
        advice: "write it after the host: mysql://user:password@host:3306/name".to_owned(),
    })?;
    let user = filled(settings.user)
        .or_else(|| user::name(variables))
        .ok_or_else(|| UrlError::Missing {
            what: "database user",
            advice: "write it before the host (mysql://user@host/name) or set DATABASE_USER"
                .to_owned(),
        })?;
    let port = settings.port.unwrap_or(DEFAULT_PORT);
    let socket = settings
        .socket
        .filter(|socket| !socket.as_os_str().is_empty());
    let host = match (socket, filled(settings.host)) {
        (Some(socket), _) => Host::Unix(socket, port),
        (None, Some(host)) => {
            check_host(&host, "host")?;
            Host::Tcp(host, port)
        }
        (None, None) => Host::Tcp("localhost".to_owned(), port),
    };
    let mut tls = settings.tls.unwrap_or_default();
    if settings.tls.is_none() && settings.tls_files.root.is_some() {
        tls = TlsMode::VerifyCa;
    }
    match settings.verify {
        Some(true) if tls != TlsMode::Disable && tls != TlsMode::VerifyFull => {
            tls = TlsMode::VerifyCa;
        }
        Some(false) if matches!(tls, TlsMode::VerifyCa | TlsMode::VerifyFull) => {
            tls = TlsMode::Require;
        }
        _ => {}
    }
    Ok(MysqlOptions {
        host,
        user,
        password: settings
            .password
            .or_else(|| variables("MYSQL_PWD").map(Secret::new))
            .filter(|password| !password.expose().is_empty()),
        database,
        tls,
        tls_files: settings.tls_files,
        connect_timeout: settings.connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
        warnings: settings.warnings,
    })
}

const TLS_MODES: &str = "one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY";

/// The spellings of MySQL's clients, MariaDB Connector/J, Go's driver and libpq.
///
/// Go's `tls=true`, and `tls=custom` with golang-migrate's own files, verify the name.
fn tls_mode(text: &str) -> Option<TlsMode> {
    Some(match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "disabled" | "disable" | "false" | "0" => TlsMode::Disable,
        "allow" => TlsMode::Allow,
        "preferred" | "prefer" => TlsMode::Prefer,
        "required" | "require" | "skip-verify" | "trust" | "1" => TlsMode::Require,
        "verify-ca" => TlsMode::VerifyCa,
        "verify-identity" | "verify-full" | "true" | "custom" => TlsMode::VerifyFull,
        _ => return None,
    })
}

/// `10`, `5s`, `500ms`, `1m`; zero is no limit.
fn parse_duration(text: &str, milliseconds: bool) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let duration = match text.get(digits.len()..)? {
        "" if milliseconds => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    Some(if duration.is_zero() {
        UNLIMITED_CONNECT_TIMEOUT
    } else {
        duration.min(UNLIMITED_CONNECT_TIMEOUT)
    })
}

#[cfg(test)]
#[path = "mysql_tests.rs"]
mod tests;
