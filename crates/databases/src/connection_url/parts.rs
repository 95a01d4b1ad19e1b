//! A URL in parts, as applications are given them: DATABASE_HOST, DATABASE_PORT and so on.

use std::path::Path;

use super::nearest::nearest;
use super::postgres::Settings as PostgresSettings;
use super::url::check_host;
use super::{
    ConnectionUrl, Engine, SCHEMES, Secret, UrlError, Variables, mysql, parse_port, postgres,
    sqlite,
};

/// What an application's environment says about its database. Empty text is the same as nothing.
///
/// The engine is what `engine` says (`postgres`, `mysql`, `mariadb`, `sqlite`, also in the spelling of a
/// framework such as `django.db.backends.postgresql`), else MySQL if the port is 3306, else SQLite if there is
/// no host and the name is a path or ends in `.db`, `.sqlite` or `.sqlite3`, else PostgreSQL.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// DATABASE_ENGINE.
    pub engine: Option<String>,
    /// DATABASE_HOST: name, address, or (PostgreSQL, MySQL) an absolute path for a socket.
    pub host: Option<String>,
    /// DATABASE_PORT.
    pub port: Option<String>,
    /// DATABASE_NAME.
    pub name: Option<String>,
    /// DATABASE_USER.
    pub user: Option<String>,
    /// DATABASE_PASSWORD, used exactly as it is.
    pub password: Option<Secret>,
}

pub(super) fn assemble(parts: Parts, variables: Variables<'_>) -> Result<ConnectionUrl, UrlError> {
    let filled = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (host, name, user) = (
        filled(&parts.host),
        filled(&parts.name),
        filled(&parts.user),
    );
    let engine = filled(&parts.engine);
    let password = parts
        .password
        .filter(|password| !password.expose().is_empty());
    if host.is_none() && name.is_none() && user.is_none() && engine.is_none() {
        return Err(UrlError::Empty);
    }
    let port = filled(&parts.port)
        .map(|port| parse_port(&port, "port"))
        .transpose()?;
    let engine = match engine {
        Some(engine) => Engine::from_name(&engine).ok_or_else(|| UrlError::UnknownEngine {
            nearest: nearest(&engine.to_ascii_lowercase(), SCHEMES),
            engine,
        })?,
        None if port == Some(3306) => Engine::Mysql,
        None if host.is_none() && name.as_deref().is_some_and(is_file) => Engine::Sqlite,
        None => Engine::Postgres,
    };
    let name = name.ok_or_else(|| UrlError::Missing {
        what: "database name",
        advice: "set DATABASE_NAME".to_owned(),
    });
    if engine == Engine::Sqlite {
        return sqlite::from_path(&name?).map(ConnectionUrl::Sqlite);
    }
    if let Some(host) = &host {
        check_host_part(host, engine)?;
    }
    let no_host = |host: Option<String>| {
        host.ok_or_else(|| UrlError::Missing {
            what: "database host",
            advice: "set DATABASE_HOST; for a server on this machine it may be the path of a socket, such as \
                 /run/postgresql (a directory) or /run/mysqld/mysqld.sock"
                .to_owned(),
        })
    };
    if engine == Engine::Mysql {
        let host = no_host(host)?;
        let socket = host.starts_with('/');
        return mysql::resolve(
            mysql::Settings {
                socket: socket.then(|| host.clone().into()),
                host: Some(host).filter(|_| !socket),
                port,
                user,
                password,
                database: Some(name?),
                ..mysql::Settings::default()
            },
            variables,
        )
        .map(ConnectionUrl::Mysql);
    }
    let mut settings = PostgresSettings::default();
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    let service = variable("PGSERVICE").is_some();
    // A Job without its secret must fail here and not reach some other database by a default.
    if !service {
        settings.set("host", no_host(host.or_else(|| variable("PGHOST")))?)?;
        settings.set(
            "dbname",
            name.or_else(|missing| variable("PGDATABASE").ok_or(missing))?,
        )?;
    } else {
        settings.set("host", host.unwrap_or_default())?;
        settings.set("dbname", name.unwrap_or_default())?;
    }
    settings.set(
        "port",
        port.map(|port| port.to_string()).unwrap_or_default(),
    )?;
    settings.set("user", user.unwrap_or_default())?;
    settings.set(
        "password",
        password
            .map(|password| password.expose().to_owned())
            .unwrap_or_default(),
    )?;
    postgres::resolve(settings, variables).map(ConnectionUrl::Postgres)
}

/// Whether a database name is that of a file.
fn is_file(name: &str) -> bool {
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str());
    name.contains('/')
        || name == ":memory:"
        || matches!(extension, Some("db" | "sqlite" | "sqlite3"))
}

/// A host from a variable: not a URL, and without a port.
fn check_host_part(host: &str, engine: Engine) -> Result<(), UrlError> {
    if host.starts_with('/') {
        return Ok(());
    }
    let wrong = |expected: &str| UrlError::BadValue {
        name: "host".to_owned(),
        expected: expected.to_owned(),
    };
    for host in host
        .split(',')
        .filter(|_| engine == Engine::Postgres)
        .chain((engine == Engine::Mysql).then_some(host))
    {
        if host.contains("://") && !host.starts_with("tcp://") && !host.starts_with("udp://") {
            return Err(wrong("a host name; a whole URL belongs into DATABASE_URL"));
        }
        let port_inside = host
            .split_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if port_inside {
            return Err(wrong(
                "a host name or address without a port; set DATABASE_PORT for that",
            ));
        }
        check_host(host, "host")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{ConnectionUrl, Host, Secret, UrlError};
    use super::Parts;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    fn parts() -> Parts {
        Parts {
            host: text("db"),
            name: text("app"),
            user: text("me"),
            ..Parts::default()
        }
    }

    fn shown(parts: Parts) -> String {
        ConnectionUrl::from_parts(parts, &|_| None)
            .unwrap()
            .to_string()
    }

    #[test]
    fn the_engine_follows_from_what_is_given() {
        assert_eq!(shown(parts()), "postgres://me@db:5432/app?sslmode=prefer");
        let port = text("3306");
        assert_eq!(
            shown(Parts { port, ..parts() }),
            "mysql://me@db:3306/app?ssl-mode=PREFERRED"
        );
        let (engine, port) = (text("mariadb"), text("13306"));
        assert_eq!(
            shown(Parts {
                engine,
                port,
                ..parts()
            }),
            "mysql://me@db:13306/app?ssl-mode=PREFERRED"
        );
        for name in ["/data/app.db", "app.sqlite3", "dir/app"] {
            let name = text(name);
            assert!(
                shown(Parts {
                    name,
                    ..Parts::default()
                })
                .starts_with("sqlite:")
            );
        }
        for engine in [
            "django.db.backends.postgresql",
            "postgresql+psycopg",
            "PostgreSQL",
        ] {
            let (engine, port) = (text(engine), text("3306"));
            assert_eq!(
                shown(Parts {
                    engine,
                    port,
                    ..parts()
                }),
                "postgres://me@db:3306/app?sslmode=prefer"
            );
        }
    }

    #[test]
    fn a_password_is_taken_as_it_is() {
        let password = Some(Secret::new("a%41/@b?#"));
        let url = ConnectionUrl::from_parts(
            Parts {
                password,
                ..parts()
            },
            &|_| None,
        )
        .unwrap();
        let ConnectionUrl::Postgres(options) = &url else {
            panic!("{url}")
        };
        assert_eq!(options.password.as_ref().unwrap().expose(), "a%41/@b?#");
        assert_eq!(
            url.to_string(),
            "postgres://me:***@db:5432/app?sslmode=prefer"
        );
    }

    #[test]
    fn a_kubernetes_service_link_is_explained() {
        let (port, host) = (text("tcp://10.0.0.1:5432"), text("tcp://10.0.0.1:5432"));
        for parts in [Parts { port, ..parts() }, Parts { host, ..parts() }] {
            let error = ConnectionUrl::from_parts(parts, &|_| None).unwrap_err();
            assert!(matches!(error, UrlError::ServiceLink { .. }), "{error}");
            assert!(error.hint().unwrap().contains("enableServiceLinks: false"));
        }
    }

    #[test]
    fn what_is_missing_or_misplaced_is_named() {
        let refused = |parts: Parts| {
            ConnectionUrl::from_parts(parts, &|_| None)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(refused(Parts::default()), "no database is given");
        assert_eq!(
            refused(Parts {
                host: None,
                ..parts()
            }),
            "no database host is given"
        );
        assert_eq!(
            refused(Parts {
                name: text(" "),
                ..parts()
            }),
            "no database name is given"
        );
        assert!(
            refused(Parts {
                host: text("db:5432"),
                ..parts()
            })
            .contains("set DATABASE_PORT")
        );
        assert!(
            refused(Parts {
                host: text("postgres://db"),
                ..parts()
            })
            .contains("DATABASE_URL")
        );
        assert!(
            refused(Parts {
                port: text("0"),
                ..parts()
            })
            .contains("1 to 65535")
        );
        assert!(
            refused(Parts {
                engine: text("postgras"),
                ..parts()
            })
            .contains("did you mean `postgres`")
        );
    }

    #[test]
    fn a_socket_and_an_ipv6_address_are_hosts() {
        for (host, expected) in [
            (
                "/run/postgresql",
                Host::Unix("/run/postgresql".into(), 5432),
            ),
            ("::1", Host::Tcp("::1".to_owned(), 5432)),
        ] {
            let host = text(host);
            let url = ConnectionUrl::from_parts(Parts { host, ..parts() }, &|_| None).unwrap();
            let ConnectionUrl::Postgres(options) = url else {
                panic!("{url}")
            };
            assert_eq!(options.hosts, [expected]);
        }
    }
}
