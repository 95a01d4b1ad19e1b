//! PostgreSQL: host, address and port lists → where to connect.

use std::path::{Path, PathBuf};

use super::postgres::Settings;
use super::url::check_host;
use super::{Host, TlsMode, UrlError, parse_port};

/// Where servers put their socket: Debian and Red Hat, and the same by its older name.
const SOCKET_DIRECTORIES: [&str; 2] = ["/run/postgresql", "/var/run/postgresql"];

const DEFAULT_PORT: u16 = 5432;

/// The hosts in order.
///
/// `hostaddr` beside `host` means: connect to the address, but check the certificate for the name. The
/// driver cannot do both, so with `verify-full` it is an error and otherwise the address is used.
pub(super) fn resolve(settings: &mut Settings, tls: TlsMode) -> Result<Vec<Host>, UrlError> {
    let list = |keyword: &str| -> Vec<String> {
        settings
            .get(keyword)
            .map(|text| text.split(',').map(|part| part.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let names = list("host");
    let addresses = list("hostaddr");
    let ports = list("port");
    if !addresses.is_empty() && names.iter().any(|name| !name.is_empty()) {
        if names.len() != addresses.len() {
            return Err(bad("hostaddr", "as many addresses as there are hosts"));
        }
        if tls == TlsMode::VerifyFull {
            return Err(UrlError::Unsupported {
                name: "hostaddr".to_owned(),
                reason:
                    "beside `host` it cannot be combined with sslmode=verify-full; leave it out"
                        .to_owned(),
            });
        }
    }
    let hosts = if addresses.is_empty() {
        names
    } else {
        addresses
    };
    let hosts = if hosts.is_empty() {
        vec![String::new()]
    } else {
        hosts
    };
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(bad("port", "one port, or as many as there are hosts"));
    }
    let mut resolved = Vec::with_capacity(hosts.len());
    for (index, host) in hosts.iter().enumerate() {
        let port = match ports
            .get(index)
            .or_else(|| ports.first().filter(|_| ports.len() == 1))
        {
            Some(port) if !port.is_empty() => parse_port(port, "port")?,
            _ => DEFAULT_PORT,
        };
        resolved.push(resolve_one(host, port)?);
    }
    Ok(resolved)
}

fn resolve_one(host: &str, port: u16) -> Result<Host, UrlError> {
    if host.is_empty() {
        let directory = SOCKET_DIRECTORIES
            .iter()
            .find(|directory| Path::new(directory).is_dir());
        return Ok(match directory {
            Some(directory) => Host::Unix(PathBuf::from(directory), port),
            None => Host::Tcp("localhost".to_owned(), port),
        });
    }
    if host.starts_with('@') {
        return Err(UrlError::Unsupported {
            name: "host".to_owned(),
            reason: "a socket in the abstract namespace; use the directory of a socket file"
                .to_owned(),
        });
    }
    if host.starts_with('/') {
        return Ok(Host::Unix(PathBuf::from(host), port));
    }
    check_host(host, "host")?;
    Ok(Host::Tcp(host.to_owned(), port))
}

/// Name of a host in the password file: a socket in the usual place is `localhost`.
pub(super) fn name_in_password_file(host: &Host) -> (String, u16) {
    match host {
        Host::Tcp(name, port) => (name.clone(), *port),
        Host::Unix(directory, port) => {
            let usual = SOCKET_DIRECTORIES
                .iter()
                .any(|usual| Path::new(usual) == directory.as_path());
            let name = if usual {
                "localhost".to_owned()
            } else {
                directory.to_string_lossy().into_owned()
            };
            (name, *port)
        }
    }
}

fn bad(name: &str, expected: &str) -> UrlError {
    UrlError::BadValue {
        name: name.to_owned(),
        expected: expected.to_owned(),
    }
}
