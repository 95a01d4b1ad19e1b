//! What can be wrong with a URL. No error repeats a value: it could be a piece of a password.

/// Why a URL, or the parts of one, could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Nothing given.
    #[error("no database is given")]
    Empty,
    /// Text without `scheme:`.
    #[error("the database URL has no scheme")]
    NoScheme,
    /// `postgres:…` without `//`.
    #[error("the database URL lacks `//` after the scheme")]
    NoSlashes,
    /// A scheme of a database that we do not know.
    #[error("unknown database scheme `{scheme}`{}", did_you_mean(*.nearest))]
    UnknownScheme {
        /// As written.
        scheme: String,
        /// The nearest one that exists.
        nearest: Option<&'static str>,
    },
    /// An engine name that we do not know.
    #[error("unknown database engine `{engine}`{}", did_you_mean(*.nearest))]
    UnknownEngine {
        /// As written.
        engine: String,
        /// The nearest one that exists.
        nearest: Option<&'static str>,
    },
    /// A newline or NUL inside.
    #[error("the database URL contains a line break or a NUL character")]
    ControlCharacter,
    /// A character that separates parts of a URL stands unencoded inside one of them.
    #[error("the database URL is ambiguous: {where_found}")]
    Unencoded {
        /// What was seen, without the text itself.
        where_found: &'static str,
    },
    /// A `%` that starts no escape.
    #[error(
        "the {part} in the database URL contains a `%` that is not followed by two hexadecimal digits"
    )]
    PercentEncoding {
        /// Which part.
        part: &'static str,
    },
    /// An escape that gives NUL or something that is not UTF-8.
    #[error(
        "the {part} in the database URL decodes to a NUL character or to text that is not UTF-8"
    )]
    NotText {
        /// Which part.
        part: &'static str,
    },
    /// A parameter or keyword that does not exist.
    #[error("unknown {database} connection parameter `{name}`{}", did_you_mean(*.nearest))]
    UnknownParameter {
        /// Which database.
        database: &'static str,
        /// As written.
        name: String,
        /// The nearest one that exists.
        nearest: Option<&'static str>,
    },
    /// A parameter without `=`, or with bad quoting.
    #[error("the connection parameters cannot be read: {problem}")]
    Syntax {
        /// What is wrong.
        problem: String,
    },
    /// A value that is not allowed.
    #[error("the value of `{name}` is not valid: expected {expected}")]
    BadValue {
        /// Parameter, keyword, variable or part.
        name: String,
        /// What is.
        expected: String,
    },
    /// A parameter that asks for something that we cannot do and that must not be ignored.
    #[error("`{name}` is not supported: {reason}")]
    Unsupported {
        /// Parameter or keyword.
        name: String,
        /// Why, and what to do instead.
        reason: String,
    },
    /// Something that is needed and given nowhere.
    #[error("no {what} is given")]
    Missing {
        /// What.
        what: &'static str,
        /// Where to give it.
        advice: String,
    },
    /// A Kubernetes service link instead of a port or host.
    #[error("the {part} is a Kubernetes service link (`tcp://…`), not a {part}")]
    ServiceLink {
        /// `port` or `host`.
        part: &'static str,
    },
    /// A file that is needed cannot be used.
    #[error("cannot use {what} `{path}`: {problem}")]
    File {
        /// `the service file`.
        what: &'static str,
        /// Its path.
        path: String,
        /// Why not.
        problem: String,
    },
    /// SQLite in memory.
    #[error("a SQLite database in memory is gone when the run ends")]
    InMemory,
}

impl UrlError {
    /// The same for parts from variables that begin otherwise than with `DATABASE_`, which is what the advice names.
    #[must_use]
    pub fn naming_parts(mut self, prefix: &str) -> Self {
        let text = match &mut self {
            Self::Missing { advice, .. } => advice,
            Self::BadValue { expected, .. } => expected,
            _ => return self,
        };
        for part in ["ENGINE", "HOST", "PORT", "NAME", "USER", "PASSWORD"] {
            *text = text.replace(&format!("DATABASE_{part}"), &format!("{prefix}{part}"));
        }
        self
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "set DATABASE_URL (or --url), for example `postgres://user:password@host:5432/name`, \
                 or DATABASE_HOST, DATABASE_NAME, DATABASE_USER and DATABASE_PASSWORD"
                .to_owned(),
            Self::NoScheme => format!("{SUPPORTED}; for a SQLite file write `sqlite:path/to/file.db`"),
            Self::NoSlashes | Self::UnknownScheme { .. } => SUPPORTED.to_owned(),
            Self::UnknownEngine { .. } => "supported: postgres, mysql, mariadb, sqlite".to_owned(),
            Self::ControlCharacter => "a secret that holds more than one line is not a URL; check how it was \
                 created"
                .to_owned(),
            Self::Unencoded { .. } | Self::PercentEncoding { .. } | Self::NotText { .. } => {
                "in a URL, write these characters of a user name or password percent-encoded: `@` as %40, `/` as \
                 %2F, `:` as %3A, `?` as %3F, `#` as %23, `%` as %25, `&` as %26; or give the password by itself in \
                 DATABASE_PASSWORD, where nothing is encoded"
                    .to_owned()
            }
            Self::Missing { advice, .. } => advice.clone(),
            Self::ServiceLink { .. } => "for a Service named `database` (or `db`) Kubernetes sets DATABASE_PORT (or \
                 DB_PORT) to tcp://<address>:<port> in every pod of the namespace. Set the variable explicitly in the \
                 container's env, or set `enableServiceLinks: false` in the pod spec, or rename the Service"
                .to_owned(),
            Self::InMemory => "a migration run needs a file: `sqlite:path/to/file.db`".to_owned(),
            Self::UnknownParameter { .. }
            | Self::Syntax { .. }
            | Self::BadValue { .. }
            | Self::Unsupported { .. }
            | Self::File { .. } => return None,
        })
    }

    /// An error of a URL in which a password was probably cut in pieces tells pieces of it: then only say that.
    pub(super) fn unless_doubtful(self, doubtful: bool) -> Self {
        if doubtful {
            Self::Unencoded {
                where_found: "there is an unencoded `@` among its parameters",
            }
        } else {
            self
        }
    }
}

const SUPPORTED: &str = "supported: postgres://user:password@host:5432/name, mysql://user:password@host:3306/name \
     (also mariadb://), sqlite:///absolute/path and sqlite:relative/path";

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}
