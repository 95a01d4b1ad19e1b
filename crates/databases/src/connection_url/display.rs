//! A URL for people and logs: everything that matters except secrets. It is made from the options, never
//! from the text that was given, so that it cannot repeat what parsing did not understand.

use std::fmt::{self, Formatter};
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::options::{DEFAULT_BUSY_TIMEOUT, DEFAULT_CONNECT_TIMEOUT};
use super::url::is_secret;
use super::{ConnectionUrl, Host, MysqlOptions, PostgresOptions, SqliteOptions, TlsFiles, TlsMode};

const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const VALUE: &AsciiSet = &NAME.remove(b'/').remove(b',').remove(b':');

/// What stands for a password.
const HIDDEN: &str = "***";

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(options) => options.fmt(formatter),
            Self::Mysql(options) => options.fmt(formatter),
            Self::Sqlite(options) => options.fmt(formatter),
        }
    }
}

impl fmt::Display for PostgresOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_user(formatter, "postgres", &self.user, self.password.is_some())?;
        let sockets = self.hosts.iter().any(|host| matches!(host, Host::Unix(..)));
        if !sockets {
            write_list(formatter, &self.hosts, write_host)?;
        }
        write!(formatter, "/{}", utf8_percent_encode(&self.database, NAME))?;
        let mut query = Query::new(formatter);
        if sockets {
            let (names, ports): (Vec<String>, Vec<String>) =
                self.hosts.iter().map(name_and_port).unzip();
            query.add("host", &names.join(","))?;
            query.add("port", &ports.join(","))?;
        }
        query.add("sslmode", tls_mode_name(self.tls))?;
        query.add_files(&self.tls_files, ["sslrootcert", "sslcert", "sslkey"])?;
        query.add_optional("application_name", self.application_name.as_deref())?;
        // Session settings may hold anything, such as a key for encrypted columns.
        let options = self.options.as_deref();
        query.add_optional(
            "options",
            options.map(|text| if is_secret(text) { HIDDEN } else { text }),
        )?;
        if self.connect_timeout != DEFAULT_CONNECT_TIMEOUT {
            query.add(
                "connect_timeout",
                &self.connect_timeout.as_secs().to_string(),
            )?;
        }
        query.add_optional("history_schema", self.history_schema.as_deref())?;
        query.add_optional(
            "target_session_attrs",
            self.read_write.then_some("read-write"),
        )?;
        for (name, value) in &self.other {
            query.add(name, if is_secret(name) { HIDDEN } else { value })?;
        }
        Ok(())
    }
}

impl fmt::Display for MysqlOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_user(formatter, "mysql", &self.user, self.password.is_some())?;
        match &self.host {
            Host::Unix(_, port) => write!(formatter, "localhost:{port}")?,
            host => write_host(formatter, host)?,
        }
        write!(formatter, "/{}", utf8_percent_encode(&self.database, NAME))?;
        let mut query = Query::new(formatter);
        if let Host::Unix(path, _) = &self.host {
            query.add("socket", &path.to_string_lossy())?;
        }
        let mode = match self.tls {
            TlsMode::Disable => "DISABLED",
            TlsMode::Allow => "ALLOW",
            TlsMode::Prefer => "PREFERRED",
            TlsMode::Require => "REQUIRED",
            TlsMode::VerifyCa => "VERIFY_CA",
            TlsMode::VerifyFull => "VERIFY_IDENTITY",
        };
        query.add("ssl-mode", mode)?;
        query.add_files(&self.tls_files, ["ssl-ca", "ssl-cert", "ssl-key"])?;
        if self.connect_timeout != DEFAULT_CONNECT_TIMEOUT {
            query.add(
                "connect_timeout",
                &format!("{}ms", self.connect_timeout.as_millis()),
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for SqliteOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let slashes = if self.path.is_absolute() { "//" } else { "" };
        let path = self.path.to_string_lossy();
        write!(
            formatter,
            "sqlite:{slashes}{}",
            utf8_percent_encode(&path, VALUE)
        )?;
        let mut query = Query::new(formatter);
        query.add_optional("mode", (!self.create).then_some("rw"))?;
        if self.busy_timeout != DEFAULT_BUSY_TIMEOUT {
            query.add("busy_timeout", &self.busy_timeout.as_millis().to_string())?;
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "PostgresOptions({self})")
    }
}

impl fmt::Debug for MysqlOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "MysqlOptions({self})")
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqliteOptions({self})")
    }
}

/// libpq's name of a mode.
fn tls_mode_name(mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::Disable => "disable",
        TlsMode::Allow => "allow",
        TlsMode::Prefer => "prefer",
        TlsMode::Require => "require",
        TlsMode::VerifyCa => "verify-ca",
        TlsMode::VerifyFull => "verify-full",
    }
}

fn write_user(
    formatter: &mut Formatter<'_>,
    scheme: &str,
    user: &str,
    password: bool,
) -> fmt::Result {
    write!(formatter, "{scheme}://{}", utf8_percent_encode(user, NAME))?;
    if password {
        write!(formatter, ":{HIDDEN}")?;
    }
    formatter.write_str("@")
}

fn write_list<T>(
    formatter: &mut Formatter<'_>,
    items: &[T],
    write: fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            formatter.write_str(",")?;
        }
        write(formatter, item)?;
    }
    Ok(())
}

fn write_host(formatter: &mut Formatter<'_>, host: &Host) -> fmt::Result {
    match name_and_port(host) {
        (name, port) if name.contains(':') => write!(formatter, "[{name}]:{port}"),
        (name, port) => write!(formatter, "{}:{port}", utf8_percent_encode(&name, NAME)),
    }
}

fn name_and_port(host: &Host) -> (String, String) {
    match host {
        Host::Tcp(name, port) => (name.clone(), port.to_string()),
        Host::Unix(path, port) => (path.to_string_lossy().into_owned(), port.to_string()),
    }
}

/// Writes `?a=1&b=2`.
struct Query<'a, 'b> {
    formatter: &'a mut Formatter<'b>,
    separator: &'static str,
}

impl<'a, 'b> Query<'a, 'b> {
    fn new(formatter: &'a mut Formatter<'b>) -> Self {
        Self {
            formatter,
            separator: "?",
        }
    }

    fn add(&mut self, name: &str, value: &str) -> fmt::Result {
        let separator = std::mem::replace(&mut self.separator, "&");
        write!(
            self.formatter,
            "{separator}{name}={}",
            utf8_percent_encode(value, VALUE)
        )
    }

    fn add_optional(&mut self, name: &str, value: Option<&str>) -> fmt::Result {
        value.map_or(Ok(()), |value| self.add(name, value))
    }

    fn add_files(&mut self, files: &TlsFiles, names: [&str; 3]) -> fmt::Result {
        let paths = [&files.root, &files.certificate, &files.key];
        for (name, path) in names.into_iter().zip(paths) {
            let path: Option<&Path> = path.as_deref();
            self.add_optional(name, path.map(Path::to_string_lossy).as_deref())?;
        }
        Ok(())
    }
}

/// Encodes text for any place of a URL.
#[cfg(test)]
pub(super) fn encode_for_tests(text: &str) -> String {
    utf8_percent_encode(text, NAME).to_string()
}
