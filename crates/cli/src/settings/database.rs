//! Which database: the URL, or its parts, and where they came from.

use std::path::Path;

use forerun_databases::connection_url::{ConnectionUrl, Parts, Secret, UrlError};

use super::SettingsError;
use super::environment::{self, Environment, Variable, secret_file};
use crate::arguments::{DatabaseArguments, ScratchArguments};

/// The database of a run.
#[derive(Debug)]
pub struct DatabaseSettings {
    /// Where it is.
    pub url: ConnectionUrl,
    /// Where that was said, for people: `DATABASE_URL`.
    pub source: String,
}

/// The variables of one family of parts: each with the one that names a file.
struct Family {
    name: &'static str,
    engine: [&'static Variable; 2],
    host: [&'static Variable; 2],
    port: [&'static Variable; 2],
    database: [&'static Variable; 2],
    user: [&'static Variable; 2],
    password: [&'static Variable; 2],
}

const FAMILIES: [Family; 2] = [
    Family {
        name: "DATABASE_",
        engine: [
            &environment::DATABASE_ENGINE,
            &environment::DATABASE_ENGINE_FILE,
        ],
        host: [
            &environment::DATABASE_HOST,
            &environment::DATABASE_HOST_FILE,
        ],
        port: [
            &environment::DATABASE_PORT,
            &environment::DATABASE_PORT_FILE,
        ],
        database: [
            &environment::DATABASE_NAME,
            &environment::DATABASE_NAME_FILE,
        ],
        user: [
            &environment::DATABASE_USER,
            &environment::DATABASE_USER_FILE,
        ],
        password: [
            &environment::DATABASE_PASSWORD,
            &environment::DATABASE_PASSWORD_FILE,
        ],
    },
    Family {
        name: "DB_",
        engine: [&environment::DB_ENGINE, &environment::DB_ENGINE_FILE],
        host: [&environment::DB_HOST, &environment::DB_HOST_FILE],
        port: [&environment::DB_PORT, &environment::DB_PORT_FILE],
        database: [&environment::DB_NAME, &environment::DB_NAME_FILE],
        user: [&environment::DB_USER, &environment::DB_USER_FILE],
        password: [&environment::DB_PASSWORD, &environment::DB_PASSWORD_FILE],
    },
];

/// The database that arguments and environment name.
///
/// # Errors
/// When there is none, or what is there cannot be used. There is no default: a Job without its secret must fail.
pub fn database(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> Result<DatabaseSettings, SettingsError> {
    let mut settings = find(arguments, environment)?;
    let schema = match &arguments.history_schema {
        Some(schema) => Some(schema.clone()),
        None => environment.text(&environment::FORERUN_HISTORY_SCHEMA)?,
    };
    match (
        &mut settings.url,
        schema.filter(|schema| !schema.is_empty()),
    ) {
        (_, None) => {}
        (ConnectionUrl::Postgres(options), Some(schema)) => options.history_schema = Some(schema),
        (_, Some(_)) if arguments.history_schema.is_none() => {}
        _ => return Err(SettingsError::NoSchemas),
    }
    Ok(settings)
}

/// The scratch database that arguments and environment name, if they name one.
///
/// # Errors
/// When what is there cannot be used.
pub fn scratch_database(
    arguments: &ScratchArguments,
    environment: &Environment,
) -> Result<Option<DatabaseSettings>, SettingsError> {
    if let Some(url) = &arguments.dev_url {
        if url.trim().is_empty() {
            return Err(SettingsError::EmptyUrl);
        }
        return from_text(url, "--dev-url", environment).map(Some);
    }
    let variable = &environment::FORERUN_DEV_URL;
    match environment.text(variable)? {
        Some(url) => from_text(&url, variable.name, environment).map(Some),
        None => Ok(None),
    }
}

fn find(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> Result<DatabaseSettings, SettingsError> {
    if let Some(url) = &arguments.url {
        if url.trim().is_empty() {
            return Err(SettingsError::EmptyUrl);
        }
        return from_text(url, "--url", environment);
    }
    if let Some(url) = environment.text(&environment::DATABASE_URL)? {
        return from_text(&url, environment::DATABASE_URL.name, environment);
    }
    if let Some(path) = environment.text(&environment::DATABASE_URL_FILE)? {
        let name = environment::DATABASE_URL_FILE.name;
        let url = secret_file(name, Path::new(&path))?;
        return parse(&url, name.to_owned(), environment);
    }
    for family in &FAMILIES {
        if let Some(settings) = from_family(family, environment)? {
            return Ok(settings);
        }
    }
    Err(SettingsError::NoDatabase)
}

/// A URL as typed: itself, or a reference to a variable or a file.
fn from_text(
    text: &str,
    source: &str,
    environment: &Environment,
) -> Result<DatabaseSettings, SettingsError> {
    let text = text.trim();
    if let Some(name) = strip_scheme(text, "env://") {
        let name = name.trim_end_matches('/');
        let url = environment
            .named_text(name)?
            .ok_or_else(|| SettingsError::NotSet {
                origin: source.to_owned(),
                name: name.to_owned(),
            })?;
        // A URL that was moved out of the command line is still the one of --url to its user.
        let moved = name == environment::FORERUN_URL_FROM_ARGUMENT.name
            || name == environment::FORERUN_DEV_URL_FROM_ARGUMENT.name;
        let source = if moved {
            source.to_owned()
        } else {
            name.to_owned()
        };
        return parse(&url, source, environment);
    }
    if let Some(path) = strip_scheme(text, "file://") {
        let path = path
            .strip_prefix("localhost/")
            .map_or_else(|| path.to_owned(), |rest| format!("/{rest}"));
        let url = secret_file(source, Path::new(&path))?;
        return parse(&url, format!("{source} (file {path})"), environment);
    }
    parse(text, source.to_owned(), environment)
}

fn parse(
    url: &str,
    source: String,
    environment: &Environment,
) -> Result<DatabaseSettings, SettingsError> {
    match ConnectionUrl::parse(url, &|name| environment.lookup(name)) {
        Ok(url) => Ok(DatabaseSettings { url, source }),
        Err(error) => Err(SettingsError::Url {
            source_name: source,
            error,
        }),
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The parts of one family; `None` when it says nothing of a database. A port alone says nothing: Kubernetes sets
/// `DATABASE_PORT` in every pod where there is a Service named `database`.
fn from_family(
    family: &Family,
    environment: &Environment,
) -> Result<Option<DatabaseSettings>, SettingsError> {
    let read = |[variable, file]: [&'static Variable; 2]| environment.text_or_file(variable, file);
    let (host, name, user) = (
        read(family.host)?,
        read(family.database)?,
        read(family.user)?,
    );
    if host.is_none() && name.is_none() && user.is_none() {
        return Ok(None);
    }
    let parts = Parts {
        engine: read(family.engine)?,
        host,
        port: read(family.port)?,
        name,
        user,
        password: read(family.password)?.map(Secret::new),
    };
    let source_name = format!("{prefix}HOST, {prefix}NAME, …", prefix = family.name);
    match ConnectionUrl::from_parts(parts, &|name| environment.lookup(name)) {
        Ok(url) => Ok(Some(DatabaseSettings {
            url,
            source: source_name,
        })),
        Err(UrlError::Empty) => Ok(None),
        Err(error) => Err(SettingsError::Url {
            source_name,
            error: error.naming_parts(family.name),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        url: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<(String, String), SettingsError> {
        let arguments = DatabaseArguments {
            url: url.map(str::to_owned),
            ..DatabaseArguments::default()
        };
        database(&arguments, &Environment::fixed(variables))
            .map(|found| (found.url.to_string(), found.source))
    }

    #[test]
    fn the_option_wins_then_the_url_then_the_parts() {
        let all = [
            ("DATABASE_URL", "sqlite:/url.db"),
            ("DATABASE_HOST", "parts"),
            ("DATABASE_NAME", "a"),
            ("DATABASE_USER", "u"),
            ("DB_HOST", "short"),
            ("DB_NAME", "b"),
            ("DB_USER", "v"),
        ];
        assert_eq!(found(Some("sqlite:/option.db"), &all).unwrap().1, "--url");
        assert_eq!(
            found(None, &all).unwrap(),
            ("sqlite:///url.db".to_owned(), "DATABASE_URL".to_owned())
        );
        assert!(
            found(None, &all[1..])
                .unwrap()
                .0
                .starts_with("postgres://u@parts:5432/a")
        );
        assert!(
            found(None, &all[4..])
                .unwrap()
                .0
                .starts_with("postgres://v@short:5432/b")
        );
    }

    #[test]
    fn families_are_not_mixed_and_a_service_link_alone_says_nothing() {
        let variables = [
            ("DATABASE_PORT", "tcp://10.0.0.1:5432"),
            ("DB_HOST", "short"),
            ("DB_NAME", "b"),
            ("DB_USER", "v"),
        ];
        assert!(
            found(None, &variables)
                .unwrap()
                .0
                .starts_with("postgres://v@short:5432/b")
        );
        let variables = [
            ("DB_PORT", "tcp://10.0.0.1:5432"),
            ("DB_HOST", "db"),
            ("DB_NAME", "b"),
        ];
        let error = found(None, &variables).unwrap_err();
        assert!(
            error.hint().unwrap().contains("enableServiceLinks"),
            "{error}"
        );
    }

    #[test]
    fn without_anything_it_says_what_to_set() {
        let error = found(None, &[("DATABASE_URL", "")]).unwrap_err();
        assert!(matches!(error, SettingsError::NoDatabase));
        assert!(error.hint().unwrap().contains("DATABASE_URL"));
        assert!(matches!(
            found(Some(" "), &[("DATABASE_URL", "sqlite:/a.db")]),
            Err(SettingsError::EmptyUrl)
        ));
    }

    #[test]
    fn references_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("url");
        std::fs::write(&path, "sqlite:/secret.db\n").unwrap();
        let file = format!("file://{}", path.display());
        let (url, source) = found(Some(&file), &[]).unwrap();
        assert_eq!(url, "sqlite:///secret.db");
        assert!(source.starts_with("--url (file "), "{source}");
        assert_eq!(
            found(None, &[("DATABASE_URL_FILE", path.to_str().unwrap())])
                .unwrap()
                .0,
            "sqlite:///secret.db"
        );
        let variables = [
            ("DATABASE_URL", "env://APP_DB"),
            ("APP_DB", "sqlite:/app.db"),
        ];
        assert_eq!(
            found(None, &variables).unwrap(),
            ("sqlite:///app.db".to_owned(), "APP_DB".to_owned())
        );
        assert!(matches!(
            found(None, &variables[..1]),
            Err(SettingsError::NotSet { .. })
        ));
    }

    #[test]
    fn a_password_is_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "s3cret\n").unwrap();
        let variables = [
            ("DB_HOST", "db"),
            ("DB_NAME", "b"),
            ("DB_USER", "v"),
            ("DB_PASSWORD_FILE", path.to_str().unwrap()),
        ];
        let settings = database(
            &DatabaseArguments::default(),
            &Environment::fixed(&variables),
        )
        .unwrap();
        assert!(settings.url.to_string().contains(":***@"));
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[test]
    fn a_sqlite_file_is_not_taken_for_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        std::fs::write(&path, b"SQLite format 3\0....").unwrap();
        let error = found(Some(&format!("file://{}", path.display())), &[]).unwrap_err();
        assert!(error.hint().unwrap().contains("sqlite:///"), "{error}");
    }

    #[test]
    fn a_history_schema_needs_postgres() {
        let arguments = DatabaseArguments {
            url: Some("sqlite:/a.db".to_owned()),
            history_schema: Some("ops".to_owned()),
            ..DatabaseArguments::default()
        };
        assert!(matches!(
            database(&arguments, &Environment::fixed(&[])),
            Err(SettingsError::NoSchemas)
        ));
    }

    #[test]
    fn what_is_missing_is_named_as_the_rest_is() {
        let hint = |variables: &[(&str, &str)]| match found(None, variables) {
            Err(SettingsError::Url { error, .. }) => {
                format!("{error} {}", error.hint().unwrap_or_default())
            }
            other => panic!("{other:?}"),
        };
        for (variables, named) in [
            (&[("DB_HOST", "h"), ("DB_USER", "u")][..], "set DB_NAME"),
            (&[("DB_NAME", "n"), ("DB_USER", "u")], "set DB_HOST"),
            (
                &[("DB_HOST", "h:5432"), ("DB_NAME", "n"), ("DB_USER", "u")],
                "set DB_PORT",
            ),
            (
                &[("DATABASE_HOST", "h"), ("DATABASE_USER", "u")],
                "set DATABASE_NAME",
            ),
        ] {
            let text = hint(variables);
            assert!(text.contains(named), "{text}");
        }
    }
}
