//! Arguments and environment → what a command needs to know. The only reader of the environment.
//!
//! An option wins over its variable. For the database: `--url`, then DATABASE_URL (or DATABASE_URL_FILE), then the
//! DATABASE_ parts, then the DB_ parts; two sources are never mixed.

mod cluster;
mod database;
pub mod environment;
mod identity;
pub mod process_title;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use forerun_databases::connection_url::UrlError;
use forerun_migrations::directory::{
    DirectoryError, DirectorySource, Layout, ReadOptions, Variables, parse_dir,
};
use forerun_migrations::executor::{Limits, LintMode};
use forerun_sql::DurationError;

use crate::arguments::{
    DirectoryArguments, FormatArgument, GateArguments, LimitArguments, LintArgument, LintArguments,
    OtherHistoryArguments, OutputArguments,
};
use environment::{Environment, Variable};

pub use cluster::connection;
pub use database::{DatabaseSettings, database, scratch_database};
pub use identity::{identity, random_id};

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A URL, or the parts of one.
    #[error("{source_name}: {error}")]
    Url {
        /// Where it came from.
        source_name: String,
        /// What is wrong.
        error: UrlError,
    },
    /// There is no URL anywhere.
    #[error("no database is given")]
    NoDatabase,
    /// `--url ""`.
    #[error("--url is empty")]
    EmptyUrl,
    /// `env://NAME` of a variable that is not set.
    #[error("{origin} refers to the environment variable {name}, which is not set or empty")]
    NotSet {
        /// Where the reference is.
        origin: String,
        /// The variable.
        name: String,
    },
    /// Not UTF-8.
    #[error("the value of {origin} is not UTF-8 text")]
    NotText {
        /// The variable or file.
        origin: String,
    },
    /// A duration.
    #[error("{variable}: {error}")]
    Duration {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        error: DurationError,
    },
    /// Not one of the values that are possible.
    #[error("{variable} is `{value}`; possible values are {possible}")]
    Choice {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        possible: String,
    },
    /// A file that cannot be read.
    #[error("{origin} names `{}`, which cannot be read: {error}", path.display())]
    File {
        /// Who names it.
        origin: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file without content.
    #[error("{origin} names `{}`, which is empty", path.display())]
    EmptyFile {
        /// Who names it.
        origin: String,
        /// The file.
        path: PathBuf,
    },
    /// A SQLite file where a file with a URL is expected.
    #[error("{origin} names `{}`, which is a SQLite database and not a file that holds a URL", path.display())]
    IsDatabase {
        /// Who names it.
        origin: String,
        /// The file.
        path: PathBuf,
    },
    /// A directory that no path or URL names.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// `--history-schema` of a database that has none.
    #[error("--history-schema is for PostgreSQL only")]
    NoSchemas,
    /// A lease that a heartbeat cannot keep.
    #[error("the lease must be at least 1s, so that a heartbeat that is late does not lose it")]
    ShortLease,
}

impl SettingsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Url { error, .. } => return error.hint(),
            Self::NoDatabase => "Set DATABASE_URL (or --url), for example postgres://user:password@host:5432/name, \
                mysql://…, sqlite:path/to/file.db; or DATABASE_HOST, DATABASE_NAME, DATABASE_USER and \
                DATABASE_PASSWORD (or DB_HOST, …), each also as a file with _FILE at the end of its name. To use \
                libpq's PGHOST, PGDATABASE, … set DATABASE_URL=postgres://."
                .to_owned(),
            Self::EmptyUrl => "Give a URL, or leave the option out to use DATABASE_URL or DATABASE_HOST, … of the \
                environment. In a Helm chart, an empty --url is a value that was not set."
                .to_owned(),
            Self::NotSet { name, .. } => format!("Set {name}; in Kubernetes, check the env and envFrom of the container."),
            Self::NotText { .. } => "Write it as UTF-8.".to_owned(),
            Self::Directory(_) | Self::Duration { .. } | Self::Choice { .. } | Self::NoSchemas | Self::ShortLease => return None,
            Self::File { .. } => "Check that the secret is mounted there and that the user of this process may read it."
                .to_owned(),
            Self::EmptyFile { .. } => "Check how the secret was created.".to_owned(),
            Self::IsDatabase { path, .. } => {
                format!("For a SQLite database write sqlite://{}", path.display())
            }
        })
    }
}

/// What is shown, and how, as far as arguments and environment say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSettings {
    /// Text or JSON, where it is said.
    pub format: FormatArgument,
    /// Colours, where it is said.
    pub colour: Option<bool>,
    /// The terminal can move its cursor.
    pub smart_terminal: bool,
    /// Show more.
    pub verbose: bool,
    /// Show less.
    pub quiet: bool,
}

/// Output settings.
///
/// # Errors
/// A FORERUN_FORMAT that does not exist.
pub fn output(
    arguments: &OutputArguments,
    environment: &Environment,
) -> Result<OutputSettings, SettingsError> {
    let format = match (
        arguments.format,
        environment.text(&environment::FORERUN_FORMAT)?.as_deref(),
    ) {
        (Some(format), _) => format,
        (None, None | Some("auto")) => FormatArgument::Auto,
        (None, Some("text")) => FormatArgument::Text,
        (None, Some("json")) => FormatArgument::Json,
        (None, Some(other)) => {
            return Err(SettingsError::Choice {
                variable: environment::FORERUN_FORMAT.name,
                value: other.to_owned(),
                possible: "auto, text and json".to_owned(),
            });
        }
    };
    Ok(output_with(format, arguments, environment))
}

/// The same with a format that is known, for the error that [`output`] itself returned.
pub fn output_with(
    format: FormatArgument,
    arguments: &OutputArguments,
    environment: &Environment,
) -> OutputSettings {
    let set = |variable: &Variable| environment.lookup(variable.name);
    let dumb = set(&environment::TERM).is_some_and(|term| term == "dumb");
    let colour = if arguments.no_color || set(&environment::NO_COLOR).is_some() {
        Some(false)
    } else if set(&environment::CLICOLOR_FORCE).is_some_and(|force| force != "0") {
        Some(true)
    } else if dumb {
        Some(false)
    } else {
        None
    };
    OutputSettings {
        format,
        colour,
        smart_terminal: !dumb,
        verbose: arguments.verbose,
        quiet: arguments.quiet,
    }
}

/// Directory of the migrations.
///
/// # Errors
/// When the text names none.
pub fn directory(
    arguments: &DirectoryArguments,
    environment: &Environment,
) -> Result<DirectorySource, SettingsError> {
    let text = match &arguments.dir {
        Some(text) => text.clone(),
        None => environment
            .text(&environment::FORERUN_DIR)?
            .unwrap_or_else(|| "migrations".to_owned()),
    };
    let layout = match &arguments.layout {
        Some(name) => Some(name.clone()),
        None => environment.text(&environment::FORERUN_LAYOUT)?,
    };
    let layout = match layout.as_deref() {
        None | Some("auto") => None,
        Some(name) => Some(Layout::named(name).ok_or_else(|| {
            SettingsError::Choice {
                variable: environment::FORERUN_LAYOUT.name,
                value: name.to_owned(),
                possible: Layout::all()
                    .map(Layout::name)
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })?),
    };
    let lookup = environment.clone();
    Ok(DirectorySource {
        path: parse_dir(&text)?,
        options: ReadOptions {
            layout,
            dialect: None,
            variables: Variables {
                environment: Some(Arc::new(move |name| lookup.value_of(name))),
                target: BTreeMap::new(),
            },
        },
    })
}

/// Limits, and the time limit of the whole run.
///
/// # Errors
/// A variable that holds no duration, or a lease that is too short.
pub fn limits(
    arguments: &LimitArguments,
    connect_wait: Option<Duration>,
    environment: &Environment,
) -> Result<(Limits, Option<Duration>), SettingsError> {
    let default = Limits::default();
    let of = |argument: Option<Duration>, variable| match argument {
        Some(duration) => Ok(Some(duration)),
        None => environment.duration(variable),
    };
    let positive = |duration: Option<Duration>| duration.filter(|duration| !duration.is_zero());
    let limits = Limits {
        connect_wait: of(connect_wait, &environment::MIGRATION_WAIT)?
            .unwrap_or(default.connect_wait),
        lock_wait: of(arguments.lock_timeout, &environment::MIGRATION_LOCK_TIMEOUT)?
            .unwrap_or(default.lock_wait),
        ddl_lock_timeout: positive(of(
            arguments.ddl_lock_timeout,
            &environment::MIGRATION_DDL_LOCK_TIMEOUT,
        )?)
        .unwrap_or(default.ddl_lock_timeout),
        statement_timeout: positive(of(
            arguments.statement_timeout,
            &environment::MIGRATION_STATEMENT_TIMEOUT,
        )?),
        retry_budget: of(arguments.retry_budget, &environment::MIGRATION_RETRY_BUDGET)?
            .unwrap_or(default.retry_budget),
        lease: of(arguments.lease, &environment::FORERUN_LEASE)?.unwrap_or(default.lease),
    };
    if limits.lease < Duration::from_secs(1) {
        return Err(SettingsError::ShortLease);
    }
    let timeout = positive(of(arguments.timeout, &environment::MIGRATION_TIMEOUT)?);
    Ok((limits, timeout))
}

/// Whether to run although another tool has a history in the database.
///
/// # Errors
/// When the variable is neither on nor off.
pub fn ignore_other_history(
    arguments: OtherHistoryArguments,
    environment: &Environment,
) -> Result<bool, SettingsError> {
    let variable = environment.flag(&environment::FORERUN_IGNORE_OTHER_HISTORY)?;
    Ok(arguments.ignore_other_history || variable)
}

/// What a run makes of the linter's findings.
///
/// # Errors
/// When the variable is none of the values.
pub fn lint_mode(
    arguments: LintArguments,
    environment: &Environment,
) -> Result<LintMode, SettingsError> {
    if let Some(argument) = arguments.lint {
        return Ok(argument.into());
    }
    match environment.text(&environment::FORERUN_LINT)?.as_deref() {
        None => Ok(LintMode::default()),
        Some(value) => match LintArgument::from_str(value, false) {
            Ok(argument) => Ok(argument.into()),
            Err(_) => Err(SettingsError::Choice {
                variable: environment::FORERUN_LINT.name,
                value: value.to_owned(),
                possible: "enforce, warn and off".to_owned(),
            }),
        },
    }
}

/// Whether a contract migration that has to wait is an error.
///
/// # Errors
/// When the variable is neither on nor off.
pub fn strict(arguments: &GateArguments, environment: &Environment) -> Result<bool, SettingsError> {
    let variable = environment.flag(&environment::FORERUN_STRICT)?;
    Ok(arguments.strict || variable)
}

/// Where the last words of a run go, if that file exists.
pub fn termination_message_path(environment: &Environment) -> PathBuf {
    environment
        .lookup(environment::TERMINATION_MESSAGE_PATH.name)
        .map_or_else(|| PathBuf::from("/dev/termination-log"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_wins_over_its_variable() {
        let environment = Environment::fixed(&[
            ("MIGRATION_TIMEOUT", "300"),
            ("MIGRATION_LOCK_TIMEOUT", "60"),
            ("MIGRATION_STATEMENT_TIMEOUT", "0"),
        ]);
        let arguments = LimitArguments {
            lock_timeout: Some(Duration::from_secs(5)),
            ..LimitArguments::default()
        };
        let (limits, timeout) = limits(&arguments, None, &environment).unwrap();
        assert_eq!(timeout, Some(Duration::from_secs(300)));
        assert_eq!(limits.lock_wait, Duration::from_secs(5));
        assert_eq!(limits.statement_timeout, None);
        assert_eq!(limits.connect_wait, Duration::ZERO);
    }

    #[test]
    fn a_lease_has_to_outlast_a_late_heartbeat() {
        let environment = Environment::fixed(&[("FORERUN_LEASE", "500ms")]);
        assert!(limits(&LimitArguments::default(), None, &environment).is_err());
    }

    #[test]
    fn colours_follow_the_conventions() {
        let colour = |variables: &[(&str, &str)], no_color| {
            let arguments = OutputArguments {
                no_color,
                ..OutputArguments::default()
            };
            output(&arguments, &Environment::fixed(variables))
                .unwrap()
                .colour
        };
        assert_eq!(colour(&[], false), None);
        assert_eq!(colour(&[], true), Some(false));
        assert_eq!(
            colour(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            Some(false)
        );
        assert_eq!(
            colour(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false),
            Some(true)
        );
        assert_eq!(colour(&[("CLICOLOR_FORCE", "0")], false), None);
        assert_eq!(colour(&[("TERM", "dumb")], false), Some(false));
    }

    #[test]
    fn an_unknown_format_names_the_possible_ones() {
        let environment = Environment::fixed(&[("FORERUN_FORMAT", "xml")]);
        let message = output(&OutputArguments::default(), &environment)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "FORERUN_FORMAT is `xml`; possible values are auto, text and json"
        );
    }
}
