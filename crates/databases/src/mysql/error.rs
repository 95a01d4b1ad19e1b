//! What the server's error numbers mean, in the engine's terms.
//!
//! The numbers are those of the "Server Error Message Reference" of the MySQL 8.0 manual and of "MariaDB
//! Error Codes". The same number can mean different things while connecting and afterwards (1044, 1045,
//! 1049), so there is one function for each. Passwords are not part of any message here: the server says
//! only whether one was used.

use std::io;

use forerun_migrations::database::{DatabaseError, ErrorKind};
use mysql_async::{DriverError, Error, IoError, ServerError};

use super::error_position::error_position;

/// `ER_BAD_DB_ERROR`: the database does not exist.
pub(super) const UNKNOWN_DATABASE: u16 = 1049;
/// `ER_NO_SUCH_THREAD`: `KILL` of a session that is gone.
pub(super) const NO_SUCH_SESSION: u16 = 1094;
/// `ER_KILL_DENIED_ERROR`: `KILL` of another account's session.
pub(super) const NOT_OWNER_OF_SESSION: u16 = 1095;
/// `ER_TABLEACCESS_DENIED_ERROR`.
pub(super) const TABLE_ACCESS_DENIED: u16 = 1142;
/// `ER_PARSE_ERROR`.
pub(super) const PARSE_ERROR: u16 = 1064;
/// `ER_PROCACCESS_DENIED_ERROR`.
pub(super) const ROUTINE_ACCESS_DENIED: u16 = 1370;
/// `ER_BAD_FIELD_ERROR`.
pub(super) const UNKNOWN_COLUMN: u16 = 1054;
/// `ER_DUP_FIELDNAME`.
pub(super) const DUPLICATE_COLUMN: u16 = 1060;
/// `ER_NO_SUCH_TABLE`.
pub(super) const NO_SUCH_TABLE: u16 = 1146;
/// `ER_SP_DOES_NOT_EXIST`: no such routine or savepoint.
pub(super) const NO_SUCH_ROUTINE: u16 = 1305;
/// `ER_QUERY_INTERRUPTED`: somebody's `KILL`.
pub(super) const INTERRUPTED: u16 = 1317;
/// `ER_SECURE_TRANSPORT_REQUIRED`: the server insists on TLS.
pub(super) const TLS_REQUIRED: u16 = 3159;

/// The server's number of an error that came from it.
pub(super) fn number(error: &DatabaseError) -> Option<u16> {
    error.code.as_deref()?.split(' ').next()?.parse().ok()
}

/// What an error of a statement means; `sql` is what was sent.
pub(super) fn statement_error(error: Error, sql: &str) -> DatabaseError {
    match error {
        Error::Server(server) => {
            let mut error = from_server(statement_kind(&server), &server);
            error.position = error_position(server.code, &server.message, sql);
            if server.code == TABLE_ACCESS_DENIED {
                error.hint =
                    Some("The database user lacks a privilege for this: GRANT it.".to_owned());
            }
            error
        }
        other => broken(other),
    }
}

/// What an error of a try to connect to `place` means.
pub(super) fn connect_error(error: Error, place: &str, over_socket: bool) -> DatabaseError {
    match error {
        Error::Server(server) => {
            let mut error = from_server(connect_kind(&server), &server);
            error.message = format!("{place} refused the connection: {}", server.message);
            error.hint = connect_hint(&server).map(str::to_owned);
            error
        }
        Error::Io(IoError::Io(error)) => io_error(&error, place, over_socket),
        Error::Io(IoError::Tls(error)) => tls_error(&error.to_string(), place),
        Error::Driver(error) => driver_error(&error, place),
        other => DatabaseError::new(
            ErrorKind::Configuration,
            format!("cannot connect to {place}: {other}"),
        ),
    }
}

fn from_server(kind: ErrorKind, server: &ServerError) -> DatabaseError {
    let mut error = DatabaseError::new(kind, server.message.clone());
    error.code = Some(format!("{} ({})", server.code, server.state));
    error
}

fn statement_kind(server: &ServerError) -> ErrorKind {
    match server.code {
        // ER_LOCK_WAIT_TIMEOUT; ER_LOCK_NOWAIT of MySQL 8.
        1205 | 3572 => ErrorKind::LockTimeout,
        // Deadlock, XA deadlock, MariaDB's snapshot conflict (ER_CHECKREAD), rollback by group replication.
        1213 | 1614 | 1020 | 3101 => ErrorKind::Deadlock,
        // MariaDB's max_statement_time; MySQL's max_execution_time.
        1969 | 3024 => ErrorKind::StatementTimeout,
        INTERRUPTED => ErrorKind::Cancelled,
        1036 | 1792 | 1836 => ErrorKind::ReadOnly,
        // Also used for --secure-file-priv and --skip-grant-tables, which have nothing to do with it.
        1290 if contains_any(&server.message, &["read-only", "read_only"]) => ErrorKind::ReadOnly,
        1021 | 1114 => ErrorKind::DiskFull,
        _ if contains_any(
            &server.message,
            &["No space left", "Errcode: 28", "error 28"],
        ) =>
        {
            ErrorKind::DiskFull
        }
        // Shutdown, killed, network errors, idle too long (4031), lost (2006, 2013 by a proxy).
        1053 | 1077..=1080 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => {
            ErrorKind::ConnectionLost
        }
        // A Galera node that is not in the cluster uses ER_UNKNOWN_COM_ERROR.
        1047 if contains_any(&server.message, &["WSREP"]) => ErrorKind::Unreachable,
        _ => ErrorKind::Statement,
    }
}

fn connect_kind(server: &ServerError) -> ErrorKind {
    match server.code {
        // Wrong password, no such account, no right to connect from here, locked, expired.
        1045 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 1873 | 3118 | 4151 => {
            ErrorKind::Authentication
        }
        1044 | UNKNOWN_DATABASE | TLS_REQUIRED => ErrorKind::Configuration,
        1040 | 1053 | 1129 | 1203 | 1226 | 2002 | 2003 | 2005 => ErrorKind::Unreachable,
        _ => match statement_kind(server) {
            ErrorKind::ConnectionLost => ErrorKind::Unreachable,
            kind => kind,
        },
    }
}

fn connect_hint(server: &ServerError) -> Option<&'static str> {
    Some(match server.code {
        1044 | 1045 | 1698 if server.message.contains("user ''@") => {
            "The server took this for a login of its anonymous account, either because no user was given or because that \
             account, for one host, goes before one for any host (`user`@`%`): give a user, DROP USER ''@'<host>', or \
             create the user for that host."
        }
        1045 | 1698 => {
            "Check user and password, and that the account may connect from this host. On a new server the \
             account may not exist yet. On an old one an anonymous account (''@'localhost') may go before it."
        }
        1044 => "The account exists but may not use this database: GRANT it the privileges.",
        UNKNOWN_DATABASE => "Create the database first, or correct its name in the URL.",
        1040 | 1203 | 1226 => "Wait until other connections end, or raise the limit on the server.",
        1129 => {
            "The server has blocked this host after failed tries: FLUSH HOSTS on the server lifts it."
        }
        1130 => "Create an account that may connect from this host (`user`@`%` for any host).",
        1820 | 1862 => "Set a new password for the account.",
        TLS_REQUIRED => {
            "The server accepts only TLS: set ssl-mode=REQUIRED or stricter in the URL."
        }
        _ => return None,
    })
}

fn io_error(error: &io::Error, place: &str, over_socket: bool) -> DatabaseError {
    if let Some(inner) = error.get_ref() {
        let inner = inner.to_string();
        if error.kind() == io::ErrorKind::InvalidData || inner.contains("certificate") {
            return tls_error(&inner, place);
        }
    }
    if error.kind() == io::ErrorKind::PermissionDenied && over_socket {
        return DatabaseError::new(
            ErrorKind::Configuration,
            format!("no permission to use {place}"),
        );
    }
    if error.kind() == io::ErrorKind::NotFound && !over_socket {
        // The only files that are opened for a TCP connection are those of TLS.
        return DatabaseError::new(
            ErrorKind::Configuration,
            format!("a TLS certificate or key file for {place} does not exist"),
        );
    }
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there (connection refused)".to_owned(),
        io::ErrorKind::NotFound => "the socket does not exist".to_owned(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe => {
            "the connection was closed before the server had answered".to_owned()
        }
        _ => error.to_string(),
    };
    let error = DatabaseError::new(
        ErrorKind::Unreachable,
        format!("cannot reach {place}: {why}"),
    );
    if why.contains("lookup") {
        return error.with_hint(
            "The host name does not resolve here: check its spelling and the namespace.",
        );
    }
    error
}

fn tls_error(why: &str, place: &str) -> DatabaseError {
    DatabaseError::new(ErrorKind::Configuration, format!("TLS with {place} failed: {why}")).with_hint(
        "The certificate must be signed by a known authority (ssl-ca) and, with ssl-mode=VERIFY_IDENTITY, be \
         made out for the host name of the URL.",
    )
}

fn driver_error(error: &DriverError, place: &str) -> DatabaseError {
    match error {
        DriverError::NoClientSslFlagFromServer => {
            DatabaseError::new(ErrorKind::Configuration, format!("{place} does not offer TLS"))
                .with_hint("Switch TLS on at the server, or set ssl-mode=PREFERRED or DISABLED in the URL.")
        }
        DriverError::UnknownAuthPlugin { name } => DatabaseError::new(
            ErrorKind::Authentication,
            format!("{place} wants to authenticate with `{name}`, which is not supported"),
        )
        .with_hint("Use an account with a password: caching_sha2_password, ed25519 or mysql_native_password."),
        DriverError::CleartextPluginDisabled => DatabaseError::new(
            ErrorKind::Authentication,
            format!("{place} wants the password in clear text; it is sent only to a server that is verified"),
        )
        .with_hint("Set ssl-mode=VERIFY_IDENTITY (and ssl-ca) in the URL."),
        DriverError::MysqlOldPasswordDisabled => DatabaseError::new(
            ErrorKind::Authentication,
            format!("{place} wants the password in the form of MySQL 4.0, which is not secure"),
        )
        .with_hint("Set the password of the account again, with a current authentication plugin."),
        DriverError::ConnectionClosed => DatabaseError::new(
            ErrorKind::Unreachable,
            format!("cannot reach {place}: the connection was closed"),
        ),
        DriverError::NoKeyFound => DatabaseError::new(
            ErrorKind::Configuration,
            "the file of the TLS client key holds no private key",
        ),
        other => DatabaseError::new(
            ErrorKind::Unexpected,
            format!("{place} does not speak the MySQL protocol as expected: {other}"),
        ),
    }
}

/// After one of these the connection cannot be used any more.
fn broken(error: Error) -> DatabaseError {
    match error {
        Error::Io(IoError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            DatabaseError::new(
                ErrorKind::Unexpected,
                format!("the server's answer cannot be read: {error}"),
            )
        }
        Error::Io(error) => {
            let why = match &error {
                IoError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    "the server has closed it".to_owned()
                }
                IoError::Io(error) => error.to_string(),
                IoError::Tls(error) => error.to_string(),
            };
            DatabaseError::new(
                ErrorKind::ConnectionLost,
                format!("the connection to the server was lost: {why}"),
            )
        }
        Error::Driver(DriverError::ConnectionClosed) => DatabaseError::new(
            ErrorKind::ConnectionLost,
            "the connection to the server is closed",
        ),
        other => DatabaseError::new(
            ErrorKind::Unexpected,
            format!("the server's answer cannot be read: {other}"),
        ),
    }
}

fn contains_any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, message: &str) -> Error {
        Error::Server(ServerError {
            code,
            message: message.to_owned(),
            state: "HY000".to_owned(),
        })
    }

    fn kind(code: u16, message: &str) -> ErrorKind {
        statement_error(server(code, message), "").kind
    }

    #[test]
    fn numbers_become_kinds() {
        assert_eq!(
            kind(1205, "Lock wait timeout exceeded"),
            ErrorKind::LockTimeout
        );
        assert_eq!(kind(1213, "Deadlock found"), ErrorKind::Deadlock);
        assert_eq!(
            kind(1969, "max_statement_time exceeded"),
            ErrorKind::StatementTimeout
        );
        assert_eq!(
            kind(1927, "Connection was killed"),
            ErrorKind::ConnectionLost
        );
        assert_eq!(
            kind(1290, "running with the --read-only option"),
            ErrorKind::ReadOnly
        );
        assert_eq!(
            kind(1290, "running with the --secure-file-priv option"),
            ErrorKind::Statement
        );
        assert_eq!(
            kind(1030, "Got error 28 \"No space left on device\""),
            ErrorKind::DiskFull
        );
        assert_eq!(kind(1050, "Table 't' already exists"), ErrorKind::Statement);
    }

    #[test]
    fn the_same_number_means_something_else_while_connecting() {
        assert_eq!(kind(1045, "Access denied"), ErrorKind::Statement);
        let connecting = connect_error(server(1045, "Access denied"), "db:3306", false);
        assert_eq!(connecting.kind, ErrorKind::Authentication);
        assert_eq!(
            connecting.message,
            "db:3306 refused the connection: Access denied"
        );
        assert_eq!(number(&connecting), Some(1045));
        assert_eq!(
            connect_error(server(1053, "shutdown"), "db:3306", false).kind,
            ErrorKind::Unreachable
        );
    }

    #[test]
    fn an_anonymous_account_is_named() {
        let hint = |code, message| connect_error(server(code, message), "db:3306", false).hint;
        for (code, message) in [
            (
                1045,
                "Access denied for user ''@'localhost' (using password: NO)",
            ),
            (
                1044,
                "Access denied for user ''@'localhost' to database 'shop'",
            ),
        ] {
            let hint = hint(code, message).unwrap();
            assert!(hint.contains("its anonymous account"), "{hint}");
            assert!(hint.contains("DROP USER ''@"), "{hint}");
        }
        let named = "Access denied for user 'app'@'localhost' to database 'shop'";
        assert!(!hint(1044, named).unwrap().contains("anonymous"));
    }

    #[test]
    fn a_closed_port_is_told_in_plain_words() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = connect_error(Error::from(refused), "db:3306", false);
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(
            error.message,
            "cannot reach db:3306: nobody listens there (connection refused)"
        );
    }
}
