//! SQLite: where the file is.
//!
//! `sqlite:///x` is the absolute path `/x`; `sqlite://x` and `sqlite:x` are relative to the working directory,
//! `sqlite:/x` is absolute. `file:` follows the same rules. With the driver part of SQLAlchemy
//! (`sqlite+aiosqlite:///x`) SQLAlchemy's rule holds instead: three slashes are relative, four absolute.

use std::path::PathBuf;
use std::time::Duration;

use super::nearest::nearest;
use super::options::DEFAULT_BUSY_TIMEOUT;
use super::url::{decode, split_query};
use super::{SqliteOptions, UrlError};

/// Parameters of other SQLite drivers without effect here, in lower case.
const FOREIGN: &[&str] = &[
    "_auto_vacuum",
    "_cache_size",
    "_fk",
    "_foreign_keys",
    "_journal",
    "_journal_mode",
    "_loc",
    "_locking",
    "_pragma",
    "_synchronous",
    "_sync",
    "_time_format",
    "_txlock",
    "cache",
    "check_same_thread",
    "connection_limit",
    "pool_size",
    "psow",
    "uri",
];

/// SQLite counts in milliseconds with 31 bits; this is 24 days.
const LONGEST_BUSY_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

const KNOWN: [&str; 4] = ["mode", "busy_timeout", "_busy_timeout", "timeout"];

/// Reads what follows `sqlite:`.
pub(super) fn from_url(scheme: &str, rest: &str) -> Result<SqliteOptions, UrlError> {
    if rest.contains('#') {
        return Err(UrlError::Unencoded {
            where_found: "there is an unencoded `#` in the path",
        });
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decode(path, "path")?;
    let path = match path.strip_prefix("//") {
        Some(path) if scheme.contains('+') => path.strip_prefix('/').unwrap_or(path),
        Some(path) if scheme.eq_ignore_ascii_case("file") && path.starts_with("localhost/") => {
            path.trim_start_matches("localhost")
        }
        Some(path) => path,
        None => path.as_str(),
    };
    let mut options = from_path(path)?;
    for (name, value) in split_query(query)? {
        set(&mut options, &name, &value)?;
    }
    Ok(options)
}

/// A file without any parameters.
pub(super) fn from_path(path: &str) -> Result<SqliteOptions, UrlError> {
    if path == ":memory:" || path == "/:memory:" {
        return Err(UrlError::InMemory);
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(UrlError::Missing {
            what: "SQLite file",
            advice:
                "write sqlite:path/to/file.db (relative) or sqlite:///path/to/file.db (absolute)"
                    .to_owned(),
        });
    }
    // Four slashes are an absolute path in SQLAlchemy's spelling; two leading slashes mean the same as one.
    let path = match path.strip_prefix("//") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => path.to_owned(),
    };
    Ok(SqliteOptions {
        path: PathBuf::from(path),
        create: true,
        busy_timeout: DEFAULT_BUSY_TIMEOUT,
        warnings: Vec::new(),
    })
}

fn set(options: &mut SqliteOptions, name: &str, value: &str) -> Result<(), UrlError> {
    let unsupported = |reason: &str| UrlError::Unsupported {
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    let bad = |expected: &str| UrlError::BadValue {
        name: name.to_owned(),
        expected: expected.to_owned(),
    };
    // modernc.org/sqlite: `_pragma=busy_timeout(5000)`
    let pragma = value
        .strip_prefix("busy_timeout(")
        .and_then(|value| value.strip_suffix(')'));
    match (name.to_ascii_lowercase().as_str(), pragma) {
        ("mode", _) => match value {
            "rwc" => options.create = true,
            "rw" => options.create = false,
            "ro" => {
                return Err(unsupported(
                    "migrations write; use mode=rw (the file must exist) or mode=rwc",
                ));
            }
            "memory" => return Err(UrlError::InMemory),
            _ => return Err(bad("rw (the file must exist) or rwc (it is created)")),
        },
        ("busy_timeout" | "_busy_timeout" | "_timeout", _) => {
            let milliseconds = value
                .parse::<u32>()
                .map_err(|_| bad("whole milliseconds"))?;
            options.busy_timeout =
                LONGEST_BUSY_TIMEOUT.min(Duration::from_millis(milliseconds.into()));
        }
        ("_pragma", Some(value)) => {
            let milliseconds = value
                .parse::<u32>()
                .map_err(|_| bad("whole milliseconds"))?;
            options.busy_timeout =
                LONGEST_BUSY_TIMEOUT.min(Duration::from_millis(milliseconds.into()));
        }
        // Python's drivers count in seconds.
        ("timeout", _) => {
            let seconds = value.parse::<u32>().map_err(|_| bad("whole seconds"))?;
            options.busy_timeout = LONGEST_BUSY_TIMEOUT.min(Duration::from_secs(seconds.into()));
        }
        ("immutable" | "nolock" | "vfs", _) => {
            return Err(unsupported(
                "it switches locking off or replaces it, and a migration needs the lock",
            ));
        }
        (other, _) if FOREIGN.contains(&other) || other.starts_with("x-") => options.warnings.push(
            format!("the connection parameter `{name}` has no effect on migrations and is ignored"),
        ),
        (other, _) => {
            return Err(UrlError::UnknownParameter {
                database: "SQLite",
                name: name.to_owned(),
                nearest: nearest(other, KNOWN),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{ConnectionUrl, UrlError};
    use super::SqliteOptions;

    fn read(url: &str) -> Result<SqliteOptions, UrlError> {
        match ConnectionUrl::parse(url, &|_| None)? {
            ConnectionUrl::Sqlite(options) => Ok(options),
            other => panic!("not SQLite: {other}"),
        }
    }

    #[test]
    fn slashes_decide_between_absolute_and_relative() {
        for (url, path) in [
            ("sqlite:///data/app.db", "/data/app.db"),
            ("sqlite:////data/app.db", "/data/app.db"),
            ("sqlite:/data/app.db", "/data/app.db"),
            ("sqlite://data/app.db", "data/app.db"),
            ("sqlite:app.db", "app.db"),
            ("sqlite3:./app.db", "./app.db"),
            ("SQLITE:app.db", "app.db"),
            ("jdbc:sqlite:app.db", "app.db"),
            ("file:app.db", "app.db"),
            ("file://localhost/data/app.db", "/data/app.db"),
            ("sqlite+aiosqlite:///app.db", "app.db"),
            ("sqlite+aiosqlite:////data/app.db", "/data/app.db"),
            ("sqlite:with%20space%23.db", "with space#.db"),
        ] {
            assert_eq!(read(url).unwrap().path.to_str(), Some(path), "{url}");
        }
    }

    #[test]
    fn parameters_of_several_drivers_are_understood() {
        assert!(read("sqlite:a.db").unwrap().create);
        assert!(!read("sqlite:a.db?mode=rw").unwrap().create);
        for url in [
            "sqlite:a.db?_busy_timeout=2000",
            "sqlite:a.db?_pragma=busy_timeout(2000)",
            "sqlite:a.db?timeout=2",
        ] {
            assert_eq!(
                read(url).unwrap().busy_timeout,
                Duration::from_secs(2),
                "{url}"
            );
        }
        for url in [
            "sqlite:a.db?timeout=4000000000",
            "sqlite:a.db?busy_timeout=4000000000",
        ] {
            assert_eq!(
                read(url).unwrap().busy_timeout.as_millis(),
                2_147_483_647,
                "{url}"
            );
        }
        let ignored = read("sqlite:a.db?_journal_mode=WAL").unwrap();
        assert!(ignored.warnings.first().unwrap().contains("_journal_mode"));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:///:memory:",
            "sqlite:a.db?mode=memory",
        ] {
            assert_eq!(read(url), Err(UrlError::InMemory), "{url}");
        }
        assert!(matches!(read("sqlite:"), Err(UrlError::Missing { .. })));
        assert!(matches!(read("sqlite:///"), Err(UrlError::Missing { .. })));
        assert!(matches!(
            read("sqlite:a.db?mode=ro"),
            Err(UrlError::Unsupported { .. })
        ));
        assert!(matches!(
            read("sqlite:a.db?nolock=1"),
            Err(UrlError::Unsupported { .. })
        ));
        let unknown = read("sqlite:a.db?mod=rw").unwrap_err().to_string();
        assert!(unknown.contains("did you mean `mode`"), "{unknown}");
    }
}
