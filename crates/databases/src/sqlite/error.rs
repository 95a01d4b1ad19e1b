//! SQLite's result codes in the terms the engine decides by (<https://www.sqlite.org/rescode.html>).

use forerun_migrations::database::{DatabaseError, ErrorKind};
use rusqlite::ErrorCode;
use rusqlite::ffi;

use super::signals::Stopped;

/// An error of SQLite; `stopped` tells why a statement was interrupted.
pub(super) fn from_driver(error: rusqlite::Error, stopped: Stopped) -> DatabaseError {
    let (code, message, position) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message, None),
        rusqlite::Error::SqlInputError {
            error, msg, offset, ..
        } => (error, Some(msg), usize::try_from(offset).ok()),
        other => return DatabaseError::new(ErrorKind::Unexpected, format!("SQLite: {other}")),
    };
    let kind = match (kind(code), stopped) {
        (ErrorKind::Cancelled | ErrorKind::LockTimeout, Stopped::Cancelled) => ErrorKind::Cancelled,
        (ErrorKind::Cancelled, Stopped::TimedOut) => ErrorKind::StatementTimeout,
        (kind, _) => kind,
    };
    let text = match kind {
        ErrorKind::Cancelled => "cancelled".to_owned(),
        ErrorKind::StatementTimeout => {
            "the statement took longer than the statement timeout".to_owned()
        }
        ErrorKind::LockTimeout => format!(
            "{}: another connection was using the file for longer than the lock timeout",
            message.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned())
        ),
        _ => message.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned()),
    };
    let mut error = DatabaseError::new(kind, text);
    error.code = Some(code.extended_code.to_string());
    error.position = position;
    error.hint = hint(code, kind).map(str::to_owned);
    error
}

/// The same, for statements on forerun's own tables: what SQLite refuses there is no fault of a script.
pub(super) fn of_bookkeeping(error: rusqlite::Error) -> DatabaseError {
    let mut error = from_driver(error, Stopped::No);
    if error.kind == ErrorKind::Statement {
        error.kind = ErrorKind::Unexpected;
        error.message = format!("forerun's own tables cannot be used: {}", error.message);
        error.hint = Some(
            "were the forerun_* tables changed by hand? Compare them with the reference".to_owned(),
        );
    }
    error
}

fn kind(error: ffi::Error) -> ErrorKind {
    match error.code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => ErrorKind::LockTimeout,
        ErrorCode::DiskFull => ErrorKind::DiskFull,
        ErrorCode::ReadOnly => ErrorKind::ReadOnly,
        ErrorCode::OperationInterrupted => ErrorKind::Cancelled,
        ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NoLargeFileSupport => ErrorKind::Configuration,
        ErrorCode::SystemIoFailure => ErrorKind::ConnectionLost,
        ErrorCode::InternalMalfunction | ErrorCode::OutOfMemory | ErrorCode::ApiMisuse => {
            ErrorKind::Unexpected
        }
        _ => ErrorKind::Statement,
    }
}

fn hint(error: ffi::Error, kind: ErrorKind) -> Option<&'static str> {
    Some(match error.code {
        ErrorCode::NotADatabase => "the file is not a SQLite database: check the path in the URL",
        ErrorCode::DatabaseCorrupt => {
            "the file is damaged: restore it from a backup, or check it with PRAGMA integrity_check"
        }
        ErrorCode::CannotOpen => {
            "SQLite needs to read and write the file and to create files beside it: check the path and the permissions of \
             the folder"
        }
        ErrorCode::PermissionDenied => "check the permissions of the file and of its folder",
        ErrorCode::SystemIoFailure => {
            "the disk or network file system under the file does not answer as it should"
        }
        _ => match kind {
            ErrorKind::LockTimeout => {
                "SQLite allows one writer at a time: stop or wait for the program that writes, or raise the lock timeout"
            }
            ErrorKind::ReadOnly => {
                "the file, its folder or the file system accepts no writes from this user"
            }
            ErrorKind::DiskFull => {
                "free some space; SQLite needs room for the file and for its journal beside it"
            }
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(code: i32, stopped: Stopped) -> ErrorKind {
        from_driver(
            rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
            stopped,
        )
        .kind
    }

    #[test]
    fn codes_have_kinds() {
        for (code, kind) in [
            (ffi::SQLITE_BUSY, ErrorKind::LockTimeout),
            (ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::LockTimeout),
            (ffi::SQLITE_LOCKED, ErrorKind::LockTimeout),
            (ffi::SQLITE_FULL, ErrorKind::DiskFull),
            (ffi::SQLITE_READONLY, ErrorKind::ReadOnly),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Configuration),
            (ffi::SQLITE_NOTADB, ErrorKind::Configuration),
            (ffi::SQLITE_CORRUPT, ErrorKind::Configuration),
            (ffi::SQLITE_IOERR_WRITE, ErrorKind::ConnectionLost),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, ErrorKind::Statement),
            (ffi::SQLITE_ERROR, ErrorKind::Statement),
            (ffi::SQLITE_INTERRUPT, ErrorKind::Cancelled),
        ] {
            assert_eq!(mapped(code, Stopped::No), kind, "{code}");
        }
    }

    #[test]
    fn an_interrupt_has_a_reason() {
        assert_eq!(
            mapped(ffi::SQLITE_INTERRUPT, Stopped::TimedOut),
            ErrorKind::StatementTimeout
        );
        assert_eq!(
            mapped(ffi::SQLITE_BUSY, Stopped::Cancelled),
            ErrorKind::Cancelled
        );
        assert_eq!(
            mapped(ffi::SQLITE_BUSY, Stopped::TimedOut),
            ErrorKind::LockTimeout
        );
        assert_eq!(
            mapped(ffi::SQLITE_ERROR, Stopped::Cancelled),
            ErrorKind::Statement
        );
    }
}
