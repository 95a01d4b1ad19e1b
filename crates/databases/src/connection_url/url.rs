//! Cuts the text after `scheme://` into its parts. Knows nothing about a database.

use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

use super::{Secret, UrlError};

/// The parts of a URL: decoded, except the hosts, which each database reads in its own way.
pub(super) struct UrlText {
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Between user and path: `host:port`, a list of them, or nothing.
    pub hosts: String,
    /// Without the leading slash.
    pub path: String,
    pub parameters: Vec<(String, String)>,
    /// An unencoded `@` in the query: perhaps the user's, perhaps the end of a password with a `?` in it.
    pub at_sign_in_query: bool,
}

impl UrlText {
    /// Cuts. A URL whose password contains a separator cannot be cut right, and is refused with advice
    /// where it can be recognised; the alternative is to send a piece of the password to a wrong host.
    pub(super) fn split(text: &str) -> Result<Self, UrlError> {
        if text.contains('#') {
            return Err(UrlError::Unencoded {
                where_found: "there is an unencoded `#`, which has no meaning in it",
            });
        }
        let (before_query, query) = text.split_once('?').unwrap_or((text, ""));
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        if path.contains('@') {
            return Err(UrlError::Unencoded {
                where_found: "there is an unencoded `@` after the first `/`; either the password contains a `/`, or the \
                     database name an `@`",
            });
        }
        let (credentials, hosts) = match authority.split_once('@') {
            Some((_, hosts)) if hosts.contains('@') => {
                return Err(UrlError::Unencoded {
                    where_found: "there is more than one unencoded `@` before the host",
                });
            }
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (user, password) = read_credentials(credentials.unwrap_or_default())?;
        let at_sign_in_query = query.contains('@');
        Ok(Self {
            user,
            password,
            hosts: hosts.to_owned(),
            path: decode(path, "database name")?,
            parameters: split_query(query)
                .map_err(|error| error.unless_doubtful(at_sign_in_query))?,
            at_sign_in_query,
        })
    }
}

/// `user:password`, each decoded; an empty one is none.
pub(super) fn read_credentials(text: &str) -> Result<(Option<String>, Option<Secret>), UrlError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let user = decode(user, "user name")?;
    let password = password
        .map(|password| decode(password, "password"))
        .transpose()?;
    Ok((
        Some(user).filter(|user| !user.is_empty()),
        password
            .filter(|password| !password.is_empty())
            .map(Secret::new),
    ))
}

/// `a=1&b=2`, decoded. A `+` is a plus, as in libpq.
pub(super) fn split_query(query: &str) -> Result<Vec<(String, String)>, UrlError> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(if parameters.iter().any(|(name, _)| is_secret(name)) {
                ampersand_in_password()
            } else {
                UrlError::Syntax {
                    problem: "there is one without `=` after the `?`; write `name=value`, and `?` inside a password as \
                         %3F"
                    .to_owned(),
                }
            });
        };
        // A password may be given as a parameter; its name in an error is then the only thing to show.
        let part = if is_secret(name) { "password" } else { "query" };
        parameters.push((decode(name, "query")?, decode(value, part)?));
    }
    Ok(parameters)
}

/// Whether the value of a parameter is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "pwd", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// What an unknown parameter after a password means.
pub(super) fn ampersand_in_password() -> UrlError {
    UrlError::Unencoded {
        where_found: "the text after a password parameter is no parameter; perhaps the password contains an `&`",
    }
}

/// Percent-decodes strictly: a stray `%` is an error, since it is most often an unencoded password.
pub(super) fn decode(text: &str, part: &'static str) -> Result<String, UrlError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes();
        if digits.len() < 2 || !digits.iter().take(2).all(u8::is_ascii_hexdigit) {
            return Err(UrlError::PercentEncoding { part });
        }
        rest = after;
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if !decoded.contains('\0') => Ok(decoded.into_owned()),
        _ => Err(UrlError::NotText { part }),
    }
}

/// `host`, `host:port`, `[address]`, `[address]:port` or a bare IPv6 address, host decoded. An empty port is
/// none.
pub(super) fn split_host(text: &str) -> Result<(String, Option<&str>), UrlError> {
    let bad = |expected: &str| UrlError::BadValue {
        name: "host".to_owned(),
        expected: expected.to_owned(),
    };
    let (host, port) = if let Some(inside) = text.strip_prefix('[') {
        let (address, rest) = inside
            .split_once(']')
            .ok_or_else(|| bad("a `]` after the IPv6 address"))?;
        if !is_ipv6(address) {
            return Err(bad("an IPv6 address between `[` and `]`"));
        }
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(bad("nothing but `:port` after `]`")),
        };
        (address.to_owned(), port)
    } else if is_ipv6(text) {
        (text.to_owned(), None)
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(bad(
                    "a host name, an address, or an IPv6 address in brackets",
                ));
            }
            Some((host, port)) => (decode(host, "host")?, Some(port)),
            None => (decode(text, "host")?, None),
        }
    };
    Ok((host, port.filter(|port| !port.is_empty())))
}

/// Refuses what cannot be the name of a host, before a resolver is asked about it.
pub(super) fn check_host(host: &str, part: &'static str) -> Result<(), UrlError> {
    if host.starts_with("tcp://") || host.starts_with("udp://") {
        return Err(UrlError::ServiceLink { part });
    }
    let allowed = |character: char| character.is_alphanumeric() || "-._".contains(character);
    let name = !host.is_empty() && host.len() <= 255 && host.chars().all(allowed);
    if name || is_ipv6(host) {
        return Ok(());
    }
    Err(UrlError::BadValue {
        name: part.to_owned(),
        expected: "a host name or an address, without scheme, port, path or spaces".to_owned(),
    })
}

/// An IPv6 address, perhaps with a zone: `fe80::1%eth0`.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let zone = !zone.is_empty()
        && zone.len() <= 64
        && zone
            .chars()
            .all(|character| character.is_ascii_alphanumeric());
    zone && address.parse::<Ipv6Addr>().is_ok()
}
