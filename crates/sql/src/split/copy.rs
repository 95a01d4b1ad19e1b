//! `COPY … FROM STDIN`: recognising it, and finding the end of its rows.

use crate::keyword::Keyword;
use crate::lexer::TokenKind;

/// Looks for `FROM STDIN` in a statement that begins with `COPY`.
///
/// PostgreSQL accepts `STDOUT` for `STDIN` too. A file name or `PROGRAM` is a literal, and a query
/// is in parentheses, so neither can be mistaken for it.
#[derive(Debug, Default)]
pub(super) struct CopyDetector {
    first_seen: bool,
    copy: bool,
    after_from: bool,
    /// Rows follow the statement.
    pub(super) from_stdin: bool,
}

impl CopyDetector {
    /// Takes the next token outside parentheses that is no comment.
    pub(super) fn token(&mut self, kind: TokenKind, text: &[u8]) {
        if self.first_seen && !self.copy {
            return;
        }
        let keyword = match kind {
            TokenKind::Word => Keyword::new(text),
            _ => Keyword::default(),
        };
        if !self.first_seen {
            self.first_seen = true;
            self.copy = keyword.as_str() == "COPY";
            return;
        }
        if self.after_from && matches!(keyword.as_str(), "STDIN" | "STDOUT") {
            self.from_stdin = true;
        }
        self.after_from = keyword.as_str() == "FROM";
    }
}

/// What a buffer of COPY rows holds, starting in `at_line_start` state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// This many bytes are rows; the marker, of the length given, follows at once.
    Until { rows: usize, marker: usize },
    /// This many bytes are rows; what is left is too short to tell.
    All { rows: usize },
}

/// Finds the line `\.` in `bytes`. `last` says that nothing follows them.
pub(super) fn find_marker(bytes: &[u8], at_line_start: bool, last: bool) -> Rows {
    if at_line_start {
        match marker_at(bytes, last) {
            Marker::Yes(marker) => return Rows::Until { rows: 0, marker },
            Marker::TooShort => return Rows::All { rows: 0 },
            Marker::No => {}
        }
    }
    // The finder is cheap to build and searches many bytes at a time.
    for newline in memchr::memmem::find_iter(bytes, b"\n\\.") {
        let rows = newline + 1;
        match marker_at(bytes.get(rows..).unwrap_or_default(), last) {
            Marker::Yes(marker) => return Rows::Until { rows, marker },
            Marker::TooShort => return Rows::All { rows },
            Marker::No => {}
        }
    }
    let rows = if !last && bytes.ends_with(b"\n\\") {
        bytes.len() - 1
    } else {
        bytes.len()
    };
    Rows::All { rows }
}

enum Marker {
    Yes(usize),
    No,
    TooShort,
}

fn marker_at(line: &[u8], last: bool) -> Marker {
    match line {
        [b'\\', b'.', b'\n', ..] => Marker::Yes(3),
        [b'\\', b'.', b'\r', b'\n', ..] => Marker::Yes(4),
        [b'\\', b'.'] | [b'\\', b'.', b'\r'] if last => Marker::Yes(line.len()),
        [] | [b'\\'] | [b'\\', b'.'] | [b'\\', b'.', b'\r'] if !last => Marker::TooShort,
        _ => Marker::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_a_whole_line() {
        let until = |rows, marker| Rows::Until { rows, marker };
        assert_eq!(find_marker(b"\\.\nx", true, false), until(0, 3));
        assert_eq!(find_marker(b"\\.\nx", false, false), Rows::All { rows: 4 });
        assert_eq!(find_marker(b"a\n\\.\r\n", true, false), until(2, 4));
        assert_eq!(
            find_marker(b"a\\.\n\\.x\n", true, false),
            Rows::All { rows: 8 }
        );
        assert_eq!(find_marker(b"a\n\\.", true, true), until(2, 2));
        assert_eq!(find_marker(b"a\n\\.", true, false), Rows::All { rows: 2 });
        assert_eq!(find_marker(b"a\n\\", true, false), Rows::All { rows: 2 });
        assert_eq!(find_marker(b"a\n\\.\r", true, false), Rows::All { rows: 2 });
        assert_eq!(find_marker(b"a\n\\.b\n\\.\n", true, false), until(6, 3));
    }
}
