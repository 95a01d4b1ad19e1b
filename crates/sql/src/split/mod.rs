//! Cuts a script into the statements that a server takes one by one.
//!
//! Only the piece at hand is in memory, and the work is proportional to the script's length.
//! Statements end where the database's own client ends them (psql, mysql/mariadb, the sqlite3
//! shell), except where that client misreads what its server accepts: a literal `E'…'` that goes on
//! in the next line, `AS end` in a `BEGIN ATOMIC` body, or a `;` in a conditional comment.

mod copy;
mod error;
mod mysql;
mod piece;
mod postgres;
mod source;
mod sqlite;
#[cfg(test)]
mod tests;

use std::io::BufRead;

pub use error::SplitError;
pub use piece::{Piece, Statement};

use self::copy::{Rows, find_marker};
use self::mysql::MysqlScan;
use self::postgres::PostgresScan;
use self::source::{READ_BYTES, Source};
use self::sqlite::SqliteScan;
use crate::lexer::{Input, Lexer, TokenKind};
use crate::position::BYTE_ORDER_MARK;
use crate::{Dialect, Position};

/// The longest statement (with the comments before it) that the splitter holds: 1 GiB, about the
/// most that PostgreSQL (`MaxAllocSize`), MySQL (`max_allowed_packet`) and SQLite
/// (`SQLITE_MAX_SQL_LENGTH`) can take.
pub const MAXIMUM_STATEMENT_BYTES: u64 = 1 << 30;

/// Reads a script and hands out its pieces.
#[derive(Debug)]
pub struct Splitter<R: BufRead> {
    source: Source<R>,
    dialect: Dialect,
    lexer: Lexer,
    state: State,
    /// Where the next piece begins.
    position: Position,
    statements: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sql,
    CopyRows { at_line_start: bool },
    Ended,
}

/// Offsets from the start of a piece.
#[derive(Clone, Copy)]
struct Cuts {
    text: usize,
    terminator: usize,
    end: usize,
}

/// The rules of one dialect about a `;` that does not end a statement.
enum Scan {
    Postgres(PostgresScan),
    Mysql(MysqlScan),
    Sqlite(SqliteScan),
}

impl<R: BufRead> Splitter<R> {
    /// A splitter at the start of a script.
    pub fn new(reader: R, dialect: Dialect) -> Self {
        Self {
            source: Source::new(reader),
            dialect,
            lexer: Lexer::new(dialect),
            state: State::Sql,
            position: Position::START,
            statements: 0,
        }
    }

    /// The next piece, or none at the end. After an error there are no more pieces.
    ///
    /// # Errors
    /// When the script ends inside something, holds a client command that cannot be run, is not
    /// UTF-8, or cannot be read; see [`SplitError`].
    pub fn next_piece(&mut self) -> Result<Option<Piece<'_>>, SplitError> {
        self.source.begin_piece();
        match self.state {
            State::Ended => Ok(None),
            State::CopyRows { at_line_start } => {
                self.state = State::Ended;
                self.copy_rows(at_line_start).map(Some)
            }
            State::Sql => {
                self.state = State::Ended;
                self.sql()
            }
        }
    }

    /// Where the next piece begins: the place after those handed out so far.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Bytes of the script that the pieces handed out so far hold.
    pub fn bytes_read(&self) -> u64 {
        self.position.offset
    }

    /// Reads up to the end of a statement. Leaves `state` as it is, ended, on errors and at the
    /// end.
    fn sql(&mut self) -> Result<Option<Piece<'_>>, SplitError> {
        if self.position.offset == 0 && self.source.window(3).starts_with(BYTE_ORDER_MARK) {
            self.source.advance(BYTE_ORDER_MARK.len());
        }
        let mut scan = Scan::new(self.dialect);
        let mut text: Option<usize> = None;
        let mut text_end = 0;
        let mut hint = None;
        let mut conditional = 0;
        loop {
            let token = self.source.consumed();
            let kind = self.next_token(token)?;
            let Some(kind) = kind else {
                if self.lexer.in_conditional() {
                    return Err(self.unterminated("conditional comment", conditional));
                }
                return self.end_of_script(text, text_end, &scan);
            };
            if kind.is_trivia() {
                match kind {
                    TokenKind::Hint if text.is_none() => hint = Some(token),
                    TokenKind::LineComment | TokenKind::BlockComment => hint = None,
                    _ => {}
                }
                continue;
            }
            let end = self.source.consumed();
            if kind == TokenKind::ConditionalOpen {
                conditional = token;
            }
            // What is in a conditional comment stays together, unlike in the mysql client.
            let terminates = !self.lexer.in_conditional()
                && match kind {
                    TokenKind::Delimiter => true,
                    TokenKind::Symbol => {
                        self.lexer.delimiter().is_empty()
                            && self.source.slice(token, end) == b";"
                            && !scan.inside()
                    }
                    _ => false,
                };
            let Some(text_start) = text else {
                if terminates {
                    // An empty statement.
                    hint = None;
                    continue;
                }
                if self.is_client_command(kind, token) {
                    return self.client_line(token).map(Some);
                }
                text = Some(hint.unwrap_or(token));
                text_end = end;
                scan.token(kind, self.source.slice(token, end), token);
                continue;
            };
            if terminates {
                let cuts = Cuts {
                    text: text_start,
                    terminator: token,
                    end,
                };
                return self.finish(cuts, scan.copies_from_stdin()).map(Some);
            }
            if self.dialect == Dialect::Postgres && self.source.slice(token, end) == b"\\" {
                return Err(self.client_command(token));
            }
            text_end = end;
            scan.token(kind, self.source.slice(token, end), token);
        }
    }

    fn next_token(&mut self, token: usize) -> Result<Option<TokenKind>, SplitError> {
        match self.lexer.next(&mut self.source) {
            Ok(Some(kind)) => Ok(Some(kind)),
            // It may be the reader that ended and not the script.
            Ok(None) => self.source.check(self.position).map(|()| None),
            Err(unterminated) => {
                self.source.check(self.position)?;
                Err(self.unterminated(unterminated.0, token))
            }
        }
    }

    /// A file in another encoding often looks unterminated; that it is not UTF-8 is the better
    /// message.
    fn unterminated(&mut self, what: &'static str, at: usize) -> SplitError {
        // The lexer may have left a few bytes that were too short for what it looked for.
        let rest = self.source.window(1).len();
        self.source.advance(rest);
        match self.utf8(0, self.source.consumed()) {
            Err(error) => error,
            Ok(_) => SplitError::Unterminated {
                what,
                start: self.place(at),
            },
        }
    }

    fn end_of_script(
        &mut self,
        text: Option<usize>,
        text_end: usize,
        scan: &Scan,
    ) -> Result<Option<Piece<'_>>, SplitError> {
        let end = self.source.consumed();
        let Some(text) = text else {
            if end == 0 {
                return Ok(None);
            }
            let trailing = self.utf8(0, end)?.to_owned();
            self.position = self.place(end);
            return Ok(Some(Piece::Trailing(trailing)));
        };
        if let Some((what, at)) = scan.open_construct() {
            return Err(self.unterminated(what, at));
        }
        if scan.copies_from_stdin() {
            let cuts = Cuts {
                text,
                terminator: end,
                end,
            };
            return self.finish(cuts, true).map(Some);
        }
        // What follows the text becomes the trailing piece.
        self.source.rewind(text_end);
        let cuts = Cuts {
            text,
            terminator: text_end,
            end: text_end,
        };
        self.finish(cuts, false).map(Some)
    }

    fn finish(&mut self, mut cuts: Cuts, copy: bool) -> Result<Piece<'_>, SplitError> {
        let next = if copy {
            self.rest_of_copy_line()?;
            cuts.end = self.source.consumed();
            State::CopyRows {
                at_line_start: true,
            }
        } else {
            State::Sql
        };
        self.statements += 1;
        let statement = self.cut(cuts, self.statements)?;
        self.state = next;
        Ok(Piece::Statement(statement))
    }

    /// Cuts the piece at hand and moves the position behind it.
    fn cut(&mut self, cuts: Cuts, index: u64) -> Result<Statement, SplitError> {
        let leading_position = self.position;
        let leading = self.utf8(0, cuts.text)?.to_owned();
        let position = self.place(cuts.text);
        let text = self.utf8(cuts.text, cuts.terminator)?.to_owned();
        let terminator = self.utf8(cuts.terminator, cuts.end)?.to_owned();
        self.position = position.after(text.as_bytes()).after(terminator.as_bytes());
        Ok(Statement {
            leading,
            text,
            terminator,
            leading_position,
            position,
            index,
        })
    }

    /// psql reads the rows from the next line on.
    fn rest_of_copy_line(&mut self) -> Result<(), SplitError> {
        loop {
            let window = self.source.window(1);
            let (length, stop) = match window
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
            {
                Some(index) => (index, true),
                None => (window.len(), window.is_empty()),
            };
            self.source.advance(length);
            if !stop {
                continue;
            }
            let at = self.source.consumed();
            match self.source.window(1).first() {
                None => break,
                Some(b'\n') => {
                    self.source.advance(1);
                    break;
                }
                Some(b';') => self.source.advance(1),
                Some(_) => {
                    let kind = self.next_token(at)?;
                    let token = self.source.slice(at, self.source.consumed());
                    let on_one_line = !token.contains(&b'\n');
                    if !(kind.is_some_and(TokenKind::is_trivia) && on_one_line) {
                        return Err(SplitError::AfterCopy {
                            position: self.place(at),
                        });
                    }
                }
            }
        }
        self.source.check(self.position)
    }

    fn copy_rows(&mut self, at_line_start: bool) -> Result<Piece<'_>, SplitError> {
        let window = self.source.window(READ_BYTES);
        let last = window.len() < READ_BYTES;
        let found = find_marker(window, at_line_start, last);
        self.source.check(self.position)?;
        let (rows, next) = match found {
            Rows::Until { rows: 0, marker } => {
                self.state = State::Sql;
                return Ok(Piece::CopyEnd(self.take(marker)));
            }
            Rows::All { rows: 0 } => {
                self.state = State::Sql;
                return Ok(Piece::CopyEnd(&[]));
            }
            Rows::Until { rows, .. } => (rows, true),
            Rows::All { rows } => (rows, false),
        };
        let rows = self.take(rows);
        let at_line_start = next || rows.ends_with(b"\n");
        // The borrow of `rows` ends here; it is taken again below.
        let length = rows.len();
        self.state = State::CopyRows { at_line_start };
        Ok(Piece::CopyData(self.source.slice(0, length)))
    }

    /// Moves over `count` bytes of the window and hands them out.
    fn take(&mut self, count: usize) -> &[u8] {
        self.source.advance(count);
        self.position = self.place(count);
        self.source.slice(0, count)
    }

    fn is_client_command(&mut self, kind: TokenKind, token: usize) -> bool {
        let end = self.source.consumed();
        let text = self.source.slice(token, end);
        match self.dialect {
            Dialect::Postgres => text == b"\\",
            Dialect::Mysql => {
                kind == TokenKind::Word
                    && text.eq_ignore_ascii_case(b"delimiter")
                    && self
                        .source
                        .window(1)
                        .first()
                        .is_none_or(|byte| crate::lexer::is_space(*byte))
            }
            // A dot command of the sqlite3 shell.
            Dialect::Sqlite => {
                text == b"."
                    && self
                        .source
                        .window(1)
                        .first()
                        .is_some_and(u8::is_ascii_alphabetic)
            }
        }
    }

    /// Takes the rest of the line as a client line, or refuses it.
    fn client_line(&mut self, start: usize) -> Result<Piece<'_>, SplitError> {
        loop {
            let window = self.source.window(1);
            let end = memchr::memchr(b'\n', window);
            let length = end.unwrap_or(window.len());
            let done = end.is_some() || window.is_empty();
            self.source.advance(length);
            if done {
                break;
            }
        }
        self.source.check(self.position)?;
        let mut end = self.source.consumed();
        if self.source.slice(start, end).ends_with(b"\r") {
            end -= 1;
            self.source.rewind(end);
        }
        let line = self.utf8(start, end)?;
        let mut words = line.split_ascii_whitespace();
        let command = words.next().unwrap_or_default();
        match self.dialect {
            Dialect::Postgres if matches!(command, "\\restrict" | "\\unrestrict") => {}
            Dialect::Mysql => {
                let Some(delimiter) = words.next().and_then(delimiter_of) else {
                    return Err(self.client_command(start));
                };
                let delimiter = if delimiter == b";" {
                    Vec::new()
                } else {
                    delimiter.to_vec()
                };
                self.lexer.set_delimiter(&delimiter);
            }
            _ => return Err(self.client_command(start)),
        }
        let cuts = Cuts {
            text: start,
            terminator: end,
            end,
        };
        let statement = self.cut(cuts, 0)?;
        self.state = State::Sql;
        Ok(Piece::Client(statement))
    }

    /// The error for the client command at an offset.
    fn client_command(&mut self, at: usize) -> SplitError {
        if let Err(error) = self.utf8(0, at) {
            return error;
        }
        self.source.rewind(at);
        // Long enough for every command there is.
        let window = self.source.window(32);
        let word = window
            .iter()
            .skip(1)
            .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'\\' | b';'))
            .map_or(window.len(), |index| index + 1)
            .clamp(1, 32);
        let command = String::from_utf8_lossy(window.get(..word).unwrap_or_default()).into_owned();
        SplitError::ClientCommand {
            command,
            position: self.place(at),
        }
    }

    /// The place at an offset from the start of the piece.
    fn place(&self, offset: usize) -> Position {
        self.position.after(self.source.slice(0, offset))
    }

    fn utf8(&self, from: usize, to: usize) -> Result<&str, SplitError> {
        let bytes = self.source.slice(from, to);
        std::str::from_utf8(bytes).map_err(|error| SplitError::NotUtf8 {
            position: self.place(from + error.valid_up_to()),
        })
    }
}

/// The delimiter that the argument of `DELIMITER` names; the client takes off quotes around it.
fn delimiter_of(argument: &str) -> Option<&[u8]> {
    let bytes = argument.as_bytes();
    let delimiter = match bytes {
        [open @ (b'\'' | b'"' | b'`'), inner @ .., close] if open == close => inner,
        _ => bytes,
    };
    let usable = !delimiter.is_empty()
        && !delimiter.contains(&b'\\')
        && !matches!(delimiter.first(), Some(b'\'' | b'"' | b'`'));
    usable.then_some(delimiter)
}

impl Scan {
    fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::Postgres(PostgresScan::default()),
            Dialect::Mysql => Self::Mysql(MysqlScan::default()),
            Dialect::Sqlite => Self::Sqlite(SqliteScan::default()),
        }
    }

    fn token(&mut self, kind: TokenKind, text: &[u8], offset: usize) {
        match self {
            Self::Postgres(scan) => scan.token(kind, text, offset),
            Self::Mysql(scan) => scan.token(kind, text),
            Self::Sqlite(scan) => scan.token(kind, text),
        }
    }

    /// Whether a `;` here belongs to the statement.
    fn inside(&self) -> bool {
        match self {
            Self::Postgres(scan) => scan.inside(),
            Self::Mysql(scan) => scan.inside(),
            Self::Sqlite(scan) => scan.inside(),
        }
    }

    fn copies_from_stdin(&self) -> bool {
        matches!(self, Self::Postgres(scan) if scan.copy.from_stdin)
    }

    /// What a script must not end in, and where it begins. Bodies of MySQL and SQLite are left to
    /// the server to judge, because here they are recognised by keywords alone.
    fn open_construct(&self) -> Option<(&'static str, usize)> {
        match self {
            Self::Postgres(scan) => scan.open_construct().map(|what| (what, scan.opened_at)),
            Self::Mysql(_) | Self::Sqlite(_) => None,
        }
    }
}
