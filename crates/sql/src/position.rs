//! Places in a script, as an editor shows them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The byte order mark that some editors write at the start of a UTF-8 file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A place in a script.
///
/// Lines end with `\n` (so also with `\r\n`). A byte order mark at the start of the script has no
/// column: the character after it is at line 1, column 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Bytes from the start of the script, 0-based.
    pub offset: u64,
    /// Line, 1-based.
    pub line: u64,
    /// Column, 1-based, in characters (Unicode scalar values; a tab is one).
    pub column: u64,
}

impl Position {
    /// The first byte of a script.
    pub const START: Self = Self {
        offset: 0,
        line: 1,
        column: 1,
    };

    /// The place that is reached after `bytes`, which start at this place.
    ///
    /// Bytes that are not UTF-8 are counted as if each sequence head were a character.
    #[must_use]
    pub fn after(self, bytes: &[u8]) -> Self {
        let offset = self.offset + bytes.len() as u64;
        let visible = match bytes.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if self.offset == 0 => rest,
            _ => bytes,
        };
        match memchr::memrchr(b'\n', visible) {
            None => Self {
                offset,
                line: self.line,
                column: self.column + characters(visible),
            },
            Some(last) => {
                let newlines = memchr::memchr_iter(b'\n', visible).count() as u64;
                let tail = visible.get(last + 1..).unwrap_or_default();
                Self {
                    offset,
                    line: self.line + newlines,
                    column: 1 + characters(tail),
                }
            }
        }
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::START
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// Every byte that does not continue a UTF-8 sequence starts a character.
fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let place = Position::START.after("a\r\nbé€".as_bytes());
        assert_eq!((place.line, place.column, place.offset), (2, 4, 9));
        assert_eq!(place.to_string(), "line 2, column 4");
    }

    #[test]
    fn byte_order_mark_has_no_column() {
        let place = Position::START.after("\u{feff}ab".as_bytes());
        assert_eq!((place.line, place.column, place.offset), (1, 3, 5));
        let later = Position::START.after("a\u{feff}".as_bytes());
        assert_eq!(later.column, 3);
    }
}
