//! Why a script cannot be split.

use thiserror::Error;

use crate::Position;

/// Why a script cannot be split. Nothing after the place named has been looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SplitError {
    /// The script ends inside something that must be closed.
    #[error(
        "unterminated {what}: it starts at {start} and nothing closes it before the end of the script"
    )]
    Unterminated {
        /// What is open, such as `string literal`.
        what: &'static str,
        /// Where it was opened.
        start: Position,
    },
    /// A command for an interactive client that has no meaning for the server.
    #[error(
        "{command} at {position} is a client command, not SQL: {}",
        advice(command)
    )]
    ClientCommand {
        /// The command word as written, such as `\copy`.
        command: String,
        /// Where it stands.
        position: Position,
    },
    /// SQL on the same line as the end of a `COPY … FROM STDIN`, where psql would still run it
    /// after the rows.
    #[error(
        "SQL after COPY … FROM STDIN on the same line at {position}: the rows start on the next line, so move this to a line after the closing \\."
    )]
    AfterCopy {
        /// Where that SQL begins.
        position: Position,
    },
    /// A byte sequence that is not UTF-8 outside COPY data.
    #[error(
        "the text at {position} is not UTF-8: save the file as UTF-8 (for example with iconv -t UTF-8)"
    )]
    NotUtf8 {
        /// The first byte that does not fit.
        position: Position,
    },
    /// A single statement exceeds [`MAXIMUM_STATEMENT_BYTES`](crate::MAXIMUM_STATEMENT_BYTES).
    #[error(
        "the statement that starts at {start} is longer than {limit} bytes, more than a server takes: is a quote or terminator missing?"
    )]
    TooLong {
        /// Where the piece begins.
        start: Position,
        /// The limit in bytes.
        limit: u64,
    },
    /// The reader failed.
    #[error("cannot read the script: {0}")]
    Io(#[from] std::io::Error),
}

/// What to write instead of a client command.
fn advice(command: &str) -> &'static str {
    match command {
        "\\copy" => "use COPY … FROM STDIN; with the rows below it and a line \\. at the end",
        "\\i" | "\\ir" | "\\include" | "\\include_relative" => {
            "put the statements of that file here, or make it a migration of its own"
        }
        "\\c" | "\\connect" => {
            "the connection is given by the URL; remove the line and migrate each database on its own"
        }
        "\\." => "it ends COPY rows, but no COPY … FROM STDIN is open; remove the line",
        "\\if" | "\\elif" | "\\else" | "\\endif" => {
            "write the condition in SQL, for example in a DO block, or use IF EXISTS / IF NOT EXISTS"
        }
        "\\set" | "\\unset" | "\\gset" => {
            "write the value where it is used; variables are not expanded"
        }
        "\\g" | "\\gexec" | "\\gx" | "\\;" => {
            "end the statement with ; (use a DO block to run generated SQL)"
        }
        _ if command.eq_ignore_ascii_case("delimiter") => {
            "DELIMITER must be followed by the new delimiter on the same line, without a backslash, for example DELIMITER //"
        }
        _ => "remove the line; it changes only what a client shows",
    }
}
