//! The registry of environment variables: every one that forerun itself reads, with what it means.
//!
//! Reading takes a [`Variable`], so that none can be read without being documented here
//! (`docs/reference/environment.md` is generated from this list). PostgreSQL's `PG*` variables and the like belong to
//! the connection URL and are passed through by name.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::SettingsError;

/// A variable that forerun reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The option that it stands for; the option wins.
    pub option: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
    /// First version that reads it.
    pub since: &'static str,
}

macro_rules! variables {
    ($($constant:ident, $option:expr, $meaning:literal;)*) => {
        $(pub const $constant: Variable = Variable {
            name: stringify!($constant),
            option: $option,
            meaning: $meaning,
            since: "0.1.0",
        };)*
        /// All of them, in the order of the documentation.
        pub const ALL: &[Variable] = &[$($constant),*];
    };
}

variables! {
    DATABASE_URL, Some("--url"), "Database URL, or `env://NAME`, or `file:///path/to/secret`. Wins over the parts below.";
    DATABASE_URL_FILE, None, "File that holds the database URL.";
    DATABASE_ENGINE, None, "`postgres`, `mysql`, `mariadb` or `sqlite`; otherwise SQLite for a path without a host, MySQL on port 3306, else PostgreSQL.";
    DATABASE_ENGINE_FILE, None, "File that holds it.";
    DATABASE_HOST, None, "Host name, address, or path of a socket.";
    DATABASE_HOST_FILE, None, "File that holds it.";
    DATABASE_PORT, None, "Port.";
    DATABASE_PORT_FILE, None, "File that holds it.";
    DATABASE_NAME, None, "Name of the database, or path of a SQLite file.";
    DATABASE_NAME_FILE, None, "File that holds it.";
    DATABASE_USER, None, "User.";
    DATABASE_USER_FILE, None, "File that holds it.";
    DATABASE_PASSWORD, None, "Password, as it is: nothing is percent-encoded.";
    DATABASE_PASSWORD_FILE, None, "File that holds it.";
    DB_ENGINE, None, "As DATABASE_ENGINE. The DB_ names are used when neither DATABASE_HOST, DATABASE_NAME nor DATABASE_USER is set.";
    DB_ENGINE_FILE, None, "File that holds it.";
    DB_HOST, None, "As DATABASE_HOST.";
    DB_HOST_FILE, None, "File that holds it.";
    DB_PORT, None, "As DATABASE_PORT.";
    DB_PORT_FILE, None, "File that holds it.";
    DB_NAME, None, "As DATABASE_NAME.";
    DB_NAME_FILE, None, "File that holds it.";
    DB_USER, None, "As DATABASE_USER.";
    DB_USER_FILE, None, "File that holds it.";
    DB_PASSWORD, None, "As DATABASE_PASSWORD.";
    DB_PASSWORD_FILE, None, "File that holds it.";
    FORERUN_DIR, Some("--dir"), "Directory of the migrations; default `migrations`.";
    FORERUN_LAYOUT, Some("--layout"), "Layout of the directory, such as `goose`; default: detected.";
    FORERUN_HISTORY_SCHEMA, Some("--history-schema"), "PostgreSQL: schema of the bookkeeping tables.";
    FORERUN_RELEASE, Some("--release"), "Release of the application that is being deployed, for the ledger of deployments.";
    FORERUN_IGNORE_OTHER_HISTORY, Some("--ignore-other-history"), "`1` or `true`: run although another tool's table says that it has migrated this database; default `0`.";
    FORERUN_DEV_URL, Some("--dev-url"), "Empty database for `--trace`, written as DATABASE_URL; it belongs to forerun, which empties it.";
    FORERUN_LINT, Some("--lint"), "`enforce` (default): what the linter finds to break the running release, or to hold up its requests for long, is not run; `warn`; `off`.";
    FORERUN_STRICT, Some("--strict"), "`1` or `true`: exit with 5 when a contract migration has to wait, and let it wait for sessions that do not tell their release; default `0`.";
    MIGRATION_WAIT, Some("--wait"), "Wait this long for the database to accept connections; default 0.";
    MIGRATION_TIMEOUT, Some("--timeout"), "Time limit of the whole run; 0 (default): none.";
    MIGRATION_LOCK_TIMEOUT, Some("--lock-timeout"), "Wait this long for another runner; default 60 (seconds).";
    MIGRATION_STATEMENT_TIMEOUT, Some("--statement-timeout"), "Time limit of one statement; 0 (default): none.";
    MIGRATION_DDL_LOCK_TIMEOUT, Some("--ddl-lock-timeout"), "Longest wait of a statement for a table lock, per try; default 5 (seconds).";
    MIGRATION_RETRY_BUDGET, Some("--retry-budget"), "Try again after lock timeouts and deadlocks for this long; default 10m.";
    FORERUN_LEASE, Some("--lease"), "A runner that is silent for this long loses the runner lock; default 30 (seconds).";
    FORERUN_FORMAT, Some("--format"), "`auto`, `text` or `json`.";
    FORERUN_ACTOR, None, "Who is recorded as the one who ran forerun; default USER, LOGNAME, else the user id.";
    USER, None, "Recorded as the one who ran forerun.";
    LOGNAME, None, "Recorded where USER is not set.";
    POD_NAME, None, "Recorded as the host; default HOSTNAME, else the name of the machine.";
    HOSTNAME, None, "Recorded as the host where POD_NAME is not set.";
    TERMINATION_MESSAGE_PATH, None, "File for the last words of a run, written only if it exists; default `/dev/termination-log`.";
    KUBECONFIG, Some("--kubeconfig"), "Kubeconfig files, separated by `:`; default `~/.kube/config`, else the service account of the pod. (HTTPS_PROXY is obeyed.)";
    HOME, None, "Where `.kube/config` is.";
    NO_PROXY, None, "Hosts that are reached without HTTPS_PROXY (also `no_proxy`).";
    NO_COLOR, Some("--no-color"), "Any value: no colours.";
    CLICOLOR_FORCE, None, "Any value but 0: colours also where there is no terminal.";
    TERM, None, "`dumb`: no colours and no progress bars.";
    FORERUN_URL_FROM_ARGUMENT, None, "Set by forerun for itself, when a URL with a password was given on the command line, which every user of the machine can read. Never passed on.";
    FORERUN_DEV_URL_FROM_ARGUMENT, None, "The same for `--dev-url`.";
}

type Lookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The environment of the process, or what a test puts in its place.
#[derive(Clone)]
pub struct Environment(Lookup);

impl Environment {
    /// That of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self(Arc::new(|name| std::env::var_os(name)))
    }

    /// A fixed one.
    #[cfg(test)]
    pub fn fixed(variables: &[(&str, &str)]) -> Self {
        let variables: std::collections::HashMap<String, OsString> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// The text of a variable; one that is empty counts as not set.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self, variable: &Variable) -> Result<Option<String>, SettingsError> {
        self.named_text(variable.name)
    }

    /// The same by name, for `env://NAME` and for the variables of a connection URL.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn named_text(&self, name: &str) -> Result<Option<String>, SettingsError> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        match value.into_string() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(SettingsError::NotText {
                origin: name.to_owned(),
            }),
        }
    }

    /// The value of any variable, for the placeholders of scripts; empty where it is set to nothing.
    pub fn value_of(&self, name: &str) -> Option<String> {
        (self.0)(name).and_then(|value| value.into_string().ok())
    }

    /// The same, without a reason.
    pub fn lookup(&self, name: &str) -> Option<String> {
        self.named_text(name).ok().flatten()
    }

    /// The text of a variable, else of the file that the second one names.
    ///
    /// # Errors
    /// When either cannot be read.
    pub fn text_or_file(
        &self,
        variable: &Variable,
        file: &Variable,
    ) -> Result<Option<String>, SettingsError> {
        if let Some(text) = self.text(variable)? {
            return Ok(Some(text));
        }
        match self.text(file)? {
            Some(path) => secret_file(file.name, Path::new(&path)).map(Some),
            None => Ok(None),
        }
    }

    /// Whether something is switched on: `1`, `true`, `yes`, or `0`, `false`, `no`; not set: no.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&self, variable: &Variable) -> Result<bool, SettingsError> {
        let text = self.text(variable)?.unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Ok(true),
            "" | "0" | "false" | "no" => Ok(false),
            _ => Err(SettingsError::Choice {
                variable: variable.name,
                value: text,
                possible: "1, true, yes, 0, false and no".to_owned(),
            }),
        }
    }

    /// A duration.
    ///
    /// # Errors
    /// When it is not one.
    pub fn duration(&self, variable: &Variable) -> Result<Option<Duration>, SettingsError> {
        let Some(text) = self.text(variable)? else {
            return Ok(None);
        };
        forerun_sql::parse_duration(&text)
            .map(Some)
            .map_err(|error| SettingsError::Duration {
                variable: variable.name,
                error,
            })
    }
}

/// The text of a file without the line end that editors and `kubectl create secret --from-file` leave.
///
/// # Errors
/// When it cannot be read, is empty or is not text.
pub fn secret_file(source: &str, path: &Path) -> Result<String, SettingsError> {
    let bytes = std::fs::read(path).map_err(|error| SettingsError::File {
        origin: source.to_owned(),
        path: path.to_owned(),
        error,
    })?;
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(SettingsError::IsDatabase {
            origin: source.to_owned(),
            path: path.to_owned(),
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| SettingsError::NotText {
        origin: format!("{source} ({})", path.display()),
    })?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| {
        text.strip_suffix('\r').unwrap_or(text)
    });
    if text.is_empty() {
        return Err(SettingsError::EmptyFile {
            origin: source.to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_not_set() {
        let environment = Environment::fixed(&[("DATABASE_URL", ""), ("MIGRATION_TIMEOUT", "5m")]);
        assert_eq!(environment.text(&DATABASE_URL).unwrap(), None);
        assert_eq!(
            environment.duration(&MIGRATION_TIMEOUT).unwrap(),
            Some(Duration::from_secs(300))
        );
    }

    #[test]
    fn a_wrong_duration_names_its_variable() {
        let environment = Environment::fixed(&[("MIGRATION_TIMEOUT", "soon")]);
        let message = environment
            .duration(&MIGRATION_TIMEOUT)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("MIGRATION_TIMEOUT: \"soon\" is not a duration"),
            "{message}"
        );
    }

    #[test]
    fn a_switch_is_on_off_or_wrong() {
        let flag = |value: &str| {
            let environment = Environment::fixed(&[("FORERUN_IGNORE_OTHER_HISTORY", value)]);
            environment.flag(&FORERUN_IGNORE_OTHER_HISTORY)
        };
        assert!(flag("1").unwrap() && flag("True").unwrap());
        assert!(!flag("").unwrap() && !flag("0").unwrap() && !flag("no").unwrap());
        let message = flag("2").unwrap_err().to_string();
        assert!(
            message.starts_with("FORERUN_IGNORE_OTHER_HISTORY is `2`"),
            "{message}"
        );
    }

    #[test]
    fn files_lose_one_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for (content, expected) in [
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a ", " a "),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(secret_file("DB_PASSWORD_FILE", &path).unwrap(), expected);
        }
        std::fs::write(&path, "\n").unwrap();
        let message = secret_file("DB_PASSWORD_FILE", &path)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("DB_PASSWORD_FILE") && message.contains("is empty"),
            "{message}"
        );
    }

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<_> = ALL.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
