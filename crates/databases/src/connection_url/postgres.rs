//! PostgreSQL: URLs and keyword/value strings, completed as libpq completes them.
//!
//! Each parameter has the first value found in: the string, the service file, the `PG*` variables, the
//! password file (password only), the default (PostgreSQL manual, "The Connection Service File": a service
//! overrides the variables). Beyond libpq: `search_path=` becomes an option, `history_schema=` names the
//! schema of the bookkeeping tables, and spellings of other drivers are understood.
//!
//! Unlike libpq, one password serves all hosts of a list: the password file is asked for each host in turn.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::options::{DEFAULT_CONNECT_TIMEOUT, UNLIMITED_CONNECT_TIMEOUT};
use super::postgres_keywords::{Known, Use, check, look_up, variables as keyword_variables};
use super::url::{UrlText, ampersand_in_password, is_secret, split_host};
use super::{
    PostgresOptions, Secret, TlsFiles, TlsMode, UrlError, Variables, pgpass, postgres_hosts,
};
use super::{service_file, user};

/// Parameters by libpq keyword, and what was left out.
#[derive(Default)]
pub(super) struct Settings {
    values: BTreeMap<&'static str, String>,
    pub warnings: Vec<String>,
}

impl Settings {
    /// Sets a parameter that was written by a user; the last one counts, as in libpq.
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<(), UrlError> {
        match look_up(name)? {
            Known::Foreign => self.warnings.push(format!(
                "the connection parameter `{name}` has no effect on migrations and is ignored"
            )),
            Known::Keyword(keyword, usage) => {
                check(keyword, usage, &value)?;
                if let Use::Ignored = usage {
                    self.warnings
                        .push(format!("the connection parameter `{keyword}` has no effect in forerun and is ignored"));
                } else {
                    self.values.insert(keyword, value);
                }
            }
        }
        Ok(())
    }

    /// The value of a keyword, if it is set and not empty.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.values
            .get(keyword)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Sets what is not set yet.
    pub(super) fn complete(&mut self, other: Self) {
        for (keyword, value) in other.values {
            if self.get(keyword).is_none() {
                self.values.insert(keyword, value);
            }
        }
        self.warnings.extend(other.warnings);
    }
}

/// Whether text is `keyword = value …` rather than a URL.
pub(super) fn is_keyword_value(text: &str) -> bool {
    text.split_once('=').is_some_and(|(keyword, _)| {
        let keyword = keyword.trim_end();
        !keyword.is_empty()
            && keyword
                .chars()
                .all(|character| character.is_ascii_alphabetic() || character == '_')
    })
}

/// Completes a URL that was cut.
pub(super) fn from_url(
    text: UrlText,
    variables: Variables<'_>,
) -> Result<PostgresOptions, UrlError> {
    let mut settings = Settings::default();
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for part in text.hosts.split(',') {
        let (host, port) = split_host(part)?;
        hosts.push(host);
        ports.push(port.unwrap_or_default());
    }
    settings.set("host", hosts.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        settings.set("port", ports.join(","))?;
    }
    settings.set("dbname", text.path)?;
    settings.set("user", text.user.unwrap_or_default())?;
    settings.set(
        "password",
        text.password
            .map(|password| password.expose().to_owned())
            .unwrap_or_default(),
    )?;
    let mut after_password = false;
    for (name, value) in text.parameters {
        settings.set(&name, value).map_err(|error| match error {
            UrlError::UnknownParameter { .. } if after_password => ampersand_in_password(),
            error => error,
        })?;
        after_password |= is_secret(&name);
    }
    resolve(settings, variables)
}

/// Reads `host=db dbname='my app'`: white space around `=` is allowed, values with spaces are in single
/// quotes, `\` escapes (PostgreSQL manual, "Keyword/Value Connection Strings").
pub(super) fn from_keyword_value(
    text: &str,
    variables: Variables<'_>,
) -> Result<PostgresOptions, UrlError> {
    let syntax = |problem: &str| UrlError::Syntax {
        problem: problem.to_owned(),
    };
    let mut settings = Settings::default();
    let mut rest = text.trim_start();
    let mut after_password = false;
    while !rest.is_empty() {
        let unquoted = "a value with spaces must be in single quotes: password='two words'";
        let (keyword, after) = rest
            .split_once('=')
            .ok_or_else(|| syntax(&format!("there is text without `=`; {unquoted}")))?;
        let keyword = keyword.trim_end();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return Err(syntax(&format!("there is text without `=`; {unquoted}")));
        }
        let (value, after) = keyword_value(after.trim_start()).map_err(syntax)?;
        settings.set(keyword, value).map_err(|error| match error {
            UrlError::UnknownParameter { .. } if after_password => syntax(unquoted),
            error => error,
        })?;
        after_password |= is_secret(keyword);
        rest = after.trim_start();
    }
    resolve(settings, variables)
}

/// One value and the text after it.
fn keyword_value(text: &str) -> Result<(String, &str), &'static str> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            _ if !quoted && character.is_whitespace() => {
                return Ok((value, text.get(at..).unwrap_or_default()));
            }
            _ => value.push(character),
        }
    }
    if quoted {
        return Err("a value in single quotes has no closing quote");
    }
    Ok((value, ""))
}

/// Completes the settings and makes options of them.
pub(super) fn resolve(
    mut settings: Settings,
    variables: Variables<'_>,
) -> Result<PostgresOptions, UrlError> {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    if let Some(service) = settings
        .get("service")
        .map(str::to_owned)
        .or_else(|| variable("PGSERVICE"))
    {
        let file = settings.get("servicefile").map(PathBuf::from);
        settings.complete(service_file::read(&service, file, variables)?);
    }
    for (keyword, name) in keyword_variables() {
        if settings.get(keyword).is_none()
            && let Some(value) = variable(name)
        {
            settings
                .set(keyword, value)
                .map_err(|error| in_variable(error, name))?;
        }
    }

    let (tls, tls_files) = protection(&mut settings, variables)?;
    let hosts = postgres_hosts::resolve(&mut settings, tls)?;
    let user = settings
        .get("user")
        .map(str::to_owned)
        .or_else(|| user::name(variables));
    let user = user.ok_or_else(|| UrlError::Missing {
        what: "database user",
        advice: "give it in the URL (postgres://user@host/name) or set DATABASE_USER or PGUSER"
            .to_owned(),
    })?;
    let database = settings.get("dbname").unwrap_or(&user).to_owned();
    let mut password = settings.get("password").map(Secret::new);
    if password.is_none() {
        let file = settings.get("passfile").map(PathBuf::from);
        let found = pgpass::look_up(file, &hosts, &database, &user, variables);
        password = found.password;
        settings.warnings.extend(found.warning);
    }
    let other = settings
        .values
        .iter()
        .filter(|(keyword, value)| {
            !value.is_empty() && matches!(look_up(keyword), Ok(Known::Keyword(_, Use::Driver(_))))
        })
        .map(|(keyword, value)| ((*keyword).to_owned(), value.clone()))
        .collect();
    Ok(PostgresOptions {
        hosts,
        user,
        password,
        database,
        tls,
        tls_files,
        application_name: settings
            .get("application_name")
            .or_else(|| settings.get("fallback_application_name"))
            .map(str::to_owned),
        options: session_options(&settings),
        connect_timeout: connect_timeout(&settings)?,
        history_schema: settings.get("history_schema").map(str::to_owned),
        read_write: read_write(&settings)?,
        other,
        warnings: settings.warnings,
    })
}

/// Says that the value came from a variable.
fn in_variable(error: UrlError, variable: &str) -> UrlError {
    match error {
        UrlError::BadValue { name, expected } => UrlError::BadValue {
            name: format!("{name} (from {variable})"),
            expected,
        },
        UrlError::Unsupported { name, reason } => UrlError::Unsupported {
            name: format!("{name} (from {variable})"),
            reason,
        },
        error => error,
    }
}

fn bad(name: &str, expected: &str) -> UrlError {
    UrlError::BadValue {
        name: name.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Mode and files, with libpq's defaults in `~/.postgresql`.
fn protection(
    settings: &mut Settings,
    variables: Variables<'_>,
) -> Result<(TlsMode, TlsFiles), UrlError> {
    let expected = "one of disable, allow, prefer, require, verify-ca, verify-full";
    let given = match settings.get("sslmode") {
        None if settings.get("requiressl") == Some("1") => Some(TlsMode::Require),
        None => None,
        Some(text) => Some(match text.to_ascii_lowercase().as_str() {
            // `ssl=true` of JDBC, lib/pq and asyncpg
            "require" | "true" | "1" => TlsMode::Require,
            "disable" | "false" | "0" => TlsMode::Disable,
            "allow" => TlsMode::Allow,
            "prefer" => TlsMode::Prefer,
            "verify-ca" => TlsMode::VerifyCa,
            "verify-full" => TlsMode::VerifyFull,
            _ => return Err(bad("sslmode", expected)),
        }),
    };
    let path = |keyword: &str| settings.get(keyword).map(PathBuf::from);
    let mut files = TlsFiles {
        root: path("sslrootcert"),
        certificate: path("sslcert"),
        key: path("sslkey"),
    };
    let system = files.root.as_deref() == Some(Path::new("system"));
    let mode = match given {
        None if system => TlsMode::VerifyFull,
        Some(mode) if system && mode != TlsMode::VerifyFull => {
            return Err(bad(
                "sslmode",
                "verify-full, since `sslrootcert=system` trusts every public authority",
            ));
        }
        given => given.unwrap_or_default(),
    };
    let default_file = |name: &str| {
        user::home(variables)
            .map(|home| home.join(".postgresql").join(name))
            .filter(|path| path.is_file())
    };
    if files.root.is_none()
        && matches!(
            mode,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull
        )
    {
        files.root = default_file("root.crt");
    }
    match settings.get("sslcertmode") {
        None | Some("allow" | "require") => {
            if files.certificate.is_none() && files.key.is_none() && mode != TlsMode::Disable {
                files.certificate = default_file("postgresql.crt")
                    .filter(|_| default_file("postgresql.key").is_some());
            }
            if files.certificate.is_some() && files.key.is_none() {
                files.key = default_file("postgresql.key");
            }
            if settings.get("sslcertmode") == Some("require") && files.certificate.is_none() {
                return Err(UrlError::Missing {
                    what: "client certificate",
                    advice: "`sslcertmode=require` needs `sslcert` and `sslkey`".to_owned(),
                });
            }
        }
        Some("disable") => {
            files.certificate = None;
            files.key = None;
        }
        Some(_) => return Err(bad("sslcertmode", "one of disable, allow, require")),
    }
    Ok((mode, files))
}

/// `options`, with `search_path` added in the syntax of the server's command line: white space and
/// backslashes in a value are escaped by a backslash.
fn session_options(settings: &Settings) -> Option<String> {
    let search_path = settings.get("search_path").map(|path| {
        let mut option = String::from("-c search_path=");
        for character in path.chars() {
            if character.is_whitespace() || character == '\\' {
                option.push('\\');
            }
            option.push(character);
        }
        option
    });
    match (settings.get("options"), search_path) {
        (Some(options), Some(search_path)) => Some(format!("{options} {search_path}")),
        (options, search_path) => options.map(str::to_owned).or(search_path),
    }
}

/// Whole seconds; 0 and negative: no limit; 1 means 2, as in libpq.
fn connect_timeout(settings: &Settings) -> Result<Duration, UrlError> {
    let Some(text) = settings.get("connect_timeout") else {
        return Ok(DEFAULT_CONNECT_TIMEOUT);
    };
    let seconds: i32 = text
        .trim()
        .parse()
        .map_err(|_| bad("connect_timeout", "whole seconds, or 0 for no limit"))?;
    Ok(match u64::try_from(seconds) {
        Err(_) | Ok(0) => UNLIMITED_CONNECT_TIMEOUT,
        Ok(seconds) => Duration::from_secs(seconds.max(2)).min(UNLIMITED_CONNECT_TIMEOUT),
    })
}

fn read_write(settings: &Settings) -> Result<bool, UrlError> {
    match settings.get("target_session_attrs") {
        None | Some("any") => Ok(false),
        Some("read-write" | "primary") => Ok(true),
        Some("read-only" | "standby" | "prefer-standby") => Err(UrlError::Unsupported {
            name: "target_session_attrs".to_owned(),
            reason: "migrations write; use read-write, primary or any".to_owned(),
        }),
        Some(_) => Err(bad(
            "target_session_attrs",
            "one of any, read-write, primary",
        )),
    }
}

#[cfg(test)]
#[path = "postgres_tests.rs"]
mod tests;
