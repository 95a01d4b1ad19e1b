//! What a script is cut into.

use crate::Position;

/// One statement of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// White space, comments and empty statements before it.
    pub leading: String,
    /// The statement itself, without its terminator. A `/*+ … */` hint right before it belongs to
    /// it, since pg_hint_plan reads it there.
    pub text: String,
    /// What ended it: `;`, the MySQL `DELIMITER` in force, or nothing at the end of the script.
    /// For `COPY … FROM STDIN` it also holds the rest of that line, since the rows start after it.
    pub terminator: String,
    /// Where `leading` begins.
    pub leading_position: Position,
    /// Where `text` begins.
    pub position: Position,
    /// Its number among the statements of the script, 1-based; 0 for a client line.
    pub index: u64,
}

/// A part of a script. All parts together are the script, byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// To be sent to the server.
    Statement(Statement),
    /// Rows for the `COPY … FROM STDIN` before it: some, never empty, cut anywhere.
    CopyData(&'a [u8]),
    /// The line `\.` that ends the rows, with its line end; empty when the script ends instead.
    CopyEnd(&'a [u8]),
    /// A line for the client, not to be sent: psql's `\restrict` and `\unrestrict`, MySQL's
    /// `DELIMITER`. `text` is the line without its line end.
    Client(Statement),
    /// White space and comments after the last statement, never empty.
    Trailing(String),
}
