//! Errors of the server and of the connection, turned into what the engine decides by.
//!
//! Nothing here shows a password: the sources are the server's own sentences and the host.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;

use forerun_migrations::database::{DatabaseError, ErrorKind};
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

/// When an error happened: the same SQLSTATE means different things while connecting and later.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Until the server is ready for queries.
    Connecting,
    /// Afterwards.
    Connected,
}

/// An error that the server sent. `sql` is the text that was sent, for the position.
pub(super) fn from_server(error: &DbError, phase: Phase, sql: Option<&str>) -> DatabaseError {
    let kind = kind(error, phase);
    let mut context: Vec<String> = error.where_().map(str::to_owned).into_iter().collect();
    let mut position = None;
    match error.position() {
        Some(ErrorPosition::Original(character)) => {
            position = sql.map(|sql| byte_offset(sql, *character));
        }
        Some(ErrorPosition::Internal { position, query }) => {
            context.push(format!(
                "character {position} of the inner query: {}",
                shortened(query, 500)
            ));
        }
        None => {}
    }
    DatabaseError {
        kind,
        code: Some(error.code().code().to_owned()),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        hint: error
            .hint()
            .map(str::to_owned)
            .or_else(|| advice(error, kind)),
        context: (!context.is_empty()).then(|| context.join("\n")),
        position,
    }
}

/// The driver's own errors after the connection was made. All of them end the session.
pub(super) fn from_driver(error: &tokio_postgres::Error, sql: Option<&str>) -> DatabaseError {
    if let Some(error) = error.as_db_error() {
        return from_server(error, Phase::Connected, sql);
    }
    // The driver keeps the kind private; the sentences are fixed and tested against it.
    let text = error.to_string();
    if error.is_closed() || text.contains("communicating with the server") {
        let chain = chain(error);
        // The TLS library's sentence for it links to its own manual.
        let why = match chain.contains("close_notify") {
            true => "the server has closed it",
            false => &chain,
        };
        return DatabaseError::new(
            ErrorKind::ConnectionLost,
            format!("the connection to the server was lost ({why})"),
        );
    }
    if text.contains("encoding message") {
        return DatabaseError::new(
            ErrorKind::Statement,
            "the statement contains a NUL byte and cannot be sent",
        );
    }
    DatabaseError::new(
        ErrorKind::Unexpected,
        format!("the server's answer is not understood: {}", chain(error)),
    )
}

/// An error while connecting to `host`.
pub(super) fn from_connect(error: &tokio_postgres::Error, host: &str) -> DatabaseError {
    if let Some(error) = error.as_db_error() {
        let mut error = from_server(error, Phase::Connecting, None);
        error.message = format!("{host}: {}", error.message);
        return error;
    }
    if let Some(problem) = tls_problem(error) {
        return DatabaseError::new(ErrorKind::Configuration, format!("{host}: TLS: {problem}"))
            .with_hint("check `sslmode`, `sslrootcert` and the host name in the URL against the server's certificate");
    }
    if let Some(error) = io_error(error) {
        return from_socket(error, host);
    }
    if error.is_closed() {
        return DatabaseError::new(
            ErrorKind::Unreachable,
            format!("{host} closed the connection while it was being made"),
        )
        .with_hint(
            "the server may be starting or stopping, or what listens there is not PostgreSQL",
        );
    }
    // What is left has no type of its own in the driver, only a sentence: the cause names a missing password or
    // an authentication method that is not supported.
    let text = chain(error);
    if text.contains("password missing") {
        return DatabaseError::new(
            ErrorKind::Authentication,
            format!("{host}: the server asks for a password and none is set"),
        )
        .with_hint(PASSWORD_HINT);
    }
    let kind = if text.contains("authentication") {
        ErrorKind::Authentication
    } else {
        ErrorKind::Configuration
    };
    DatabaseError::new(kind, format!("{host}: {text}"))
}

/// An error of the socket while connecting.
pub(super) fn from_socket(error: &io::Error, host: &str) -> DatabaseError {
    let (what, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            "connection refused".to_owned(),
            "nothing listens at this address and port: is the server running, is the port right?",
        ),
        io::ErrorKind::NotFound => (
            "no such socket".to_owned(),
            "the folder holds no server socket: is the server running, is `unix_socket_directories` this folder?",
        ),
        io::ErrorKind::TimedOut => (
            "no answer in time".to_owned(),
            "packets are dropped on the way: check address, firewall and network policies",
        ),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::InvalidData => (
            format!("something answers there, but not as a PostgreSQL server does ({error})"),
            "is it another kind of server? MySQL and MariaDB are named by mysql://… or DATABASE_ENGINE=mariadb; otherwise the \
             server is starting or stopping, or a proxy in between closes the connection",
        ),
        io::ErrorKind::Other if error.to_string().contains("bytes remaining") => (
            "something answers there, but not as a PostgreSQL server does".to_owned(),
            "is it another kind of server? MySQL and MariaDB are named by mysql://… or DATABASE_ENGINE=mariadb",
        ),
        _ => (error.to_string(), "check host, port and network"),
    };
    DatabaseError::new(
        ErrorKind::Unreachable,
        format!("cannot reach {host}: {what}"),
    )
    .with_hint(hint)
}

/// A name that does not resolve.
pub(super) fn unknown_host(error: &io::Error, name: &str) -> DatabaseError {
    let mut hint = "check the spelling of the host name and the DNS of this machine".to_owned();
    if !name.contains('.') {
        hint.push_str(
            "; a name without dots is only looked up in the search domains of /etc/resolv.conf (`search`, `ndots`): \
             in Kubernetes that is the pod's own namespace, elsewhere write `service.namespace.svc`",
        );
    }
    DatabaseError::new(
        ErrorKind::Unreachable,
        format!("the host name `{name}` does not resolve ({error})"),
    )
    .with_hint(hint)
}

/// A connection that did not come about in time.
pub(super) fn connect_timeout(host: &str, seconds: u64) -> DatabaseError {
    DatabaseError::new(ErrorKind::Unreachable, format!("cannot reach {host}: no answer within {seconds}s"))
        .with_hint("packets are dropped on the way, or the server is overloaded: check address, firewall, load")
}

/// Whether the server wants the other kind of connection (with or without TLS): `pg_hba.conf` has no line for this one.
pub(super) fn is_refused_by_rule(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// What TLS complains about, if that is the problem.
fn tls_problem(error: &tokio_postgres::Error) -> Option<String> {
    if let Some(error) = io_error(error)
        && let Some(problem) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return Some(problem.to_string());
    }
    // The driver's type for this is private; its text is fixed.
    let text = error.to_string();
    let handshake = text.contains("TLS handshake");
    handshake.then(|| error.source().map_or(text, ToString::to_string))
}

/// Text cut to a number of characters.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

const PASSWORD_HINT: &str = "check user and password: in the URL, in DATABASE_PASSWORD (or the file that \
     DATABASE_PASSWORD_FILE names), in PGPASSWORD or in the password file";

/// Byte offset of the server's position, which counts characters from 1 (protocol manual, "Error and Notice
/// Message Fields", `P`).
fn byte_offset(sql: &str, character: u32) -> usize {
    let index = usize::try_from(character)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    sql.char_indices()
        .nth(index)
        .map_or(sql.len(), |(offset, _)| offset)
}

/// SQLSTATE to kind (manual, appendix "PostgreSQL Error Codes").
fn kind(error: &DbError, phase: Phase) -> ErrorKind {
    let code = error.code().code();
    let message = error.message();
    match code {
        "57014" if message.contains("statement timeout") => return ErrorKind::StatementTimeout,
        "57014" => return ErrorKind::Cancelled,
        "55P03" => return ErrorKind::LockTimeout,
        "40P01" | "40001" => return ErrorKind::Deadlock,
        "25006" => return ErrorKind::ReadOnly,
        "53100" => return ErrorKind::DiskFull,
        _ => {}
    }
    if phase == Phase::Connected {
        let fatal = matches!(
            error.parsed_severity(),
            Some(Severity::Fatal | Severity::Panic)
        );
        let lost = fatal
            || code.starts_with("08")
            || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03");
        return if lost {
            ErrorKind::ConnectionLost
        } else {
            ErrorKind::Statement
        };
    }
    match code {
        "28P01" | "28000" => ErrorKind::Authentication,
        "3D000" => ErrorKind::Configuration,
        // PgBouncer has one code for everything.
        "08P01"
            if message.contains("no such database")
                || message.contains("does not exist")
                || message.contains("unsupported startup parameter") =>
        {
            ErrorKind::Configuration
        }
        "08P01" if message.contains("no such user") || message.contains("authentication") => {
            ErrorKind::Authentication
        }
        // ALLOW_CONNECTIONS is off: somebody maintains or swaps the database.
        "55000" => ErrorKind::Unreachable,
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57") => {
            ErrorKind::Unreachable
        }
        _ => ErrorKind::Configuration,
    }
}

/// Our advice where the server gives none.
fn advice(error: &DbError, kind: ErrorKind) -> Option<String> {
    let text = match (error.code().code(), kind) {
        ("28000", ErrorKind::Authentication) => {
            "the server's pg_hba.conf does not let this user in from here, or only with (or without) TLS: \
             check user, `sslmode` and pg_hba.conf"
        }
        (_, ErrorKind::Authentication) => PASSWORD_HINT,
        ("3D000", ErrorKind::Configuration) => {
            "create the database first, or correct its name in the URL"
        }
        ("53300", _) => {
            "the server's connections are used up: end some, raise `max_connections`, or connect through a pooler"
        }
        ("55000", ErrorKind::Unreachable) => {
            "the database accepts no connections for now (ALLOW_CONNECTIONS is off): wait, or use `--wait`"
        }
        ("57P03", _) => "the server is starting or stopping: wait, or use `--wait`",
        ("57P01", _) => "the session was ended by an administrator or a server shutdown: run again",
        ("25006", _) => "this is a standby or a read-only server: use the address of the primary",
        ("53100", _) => "the server has no disk space left: free some, then run again",
        ("08P01", ErrorKind::Configuration) if error.message().contains("startup parameter") => {
            "the pooler refuses this parameter: remove it from the URL, or add it to `ignore_startup_parameters`"
        }
        ("42501", _) => {
            "the user lacks a privilege: grant it, or run with a user that owns these objects"
        }
        ("25P03", _) => {
            "the transaction was idle for too long: forerun was paused or could not reach the server"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>())
}

fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(byte_offset("SELECT 'é', x", 8), 7);
        assert_eq!(byte_offset("SELECT 'é', x", 13), 13);
        assert_eq!(byte_offset("SELECT", 99), 6);
    }

    #[test]
    fn cut_text_says_so() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü", 2), "äö…");
    }
}
