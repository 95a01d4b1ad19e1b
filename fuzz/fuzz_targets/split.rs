//! Any bytes, in any dialect: the pieces are the script, positions are true, how the script is read
//! does not matter, and nothing that looks at a statement fails on it.
#![no_main]

use std::io::{BufReader, Read};

use forerun_sql::directive::refuse_inner_directives;
use forerun_sql::{
    Dialect, Piece, Position, SplitError, Splitter, SqlHasher, classify, parse_directives,
};
use libfuzzer_sys::fuzz_target;

/// Hands out a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = 3.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// What the script was cut into: the digest of its SQL and the error, if any.
fn cut(dialect: Dialect, reader: impl std::io::BufRead, script: &[u8]) -> (String, Option<String>) {
    let mut splitter = Splitter::new(reader, dialect);
    let mut hasher = SqlHasher::new(dialect);
    let mut consumed = 0;
    let mut statements = 0;
    let mut take = |bytes: &[u8]| {
        assert!(script[consumed..].starts_with(bytes));
        consumed += bytes.len();
    };
    let error = loop {
        let before = splitter.position();
        match splitter.next_piece() {
            Ok(None) => break None,
            Err(SplitError::Io(error)) => panic!("{error}"),
            Err(error) => break Some(error.to_string()),
            Ok(Some(Piece::Statement(statement) | Piece::Client(statement))) => {
                take(statement.leading.as_bytes());
                let offset = statement.position.offset as usize;
                assert_eq!(statement.leading_position, before);
                assert_eq!(statement.position, before.after(statement.leading.as_bytes()));
                assert!(script[offset..].starts_with(statement.text.as_bytes()));
                assert!(!statement.text.is_empty());
                take(statement.text.as_bytes());
                take(statement.terminator.as_bytes());
                if statement.index > 0 {
                    statements += 1;
                    assert_eq!(statement.index, statements);
                }
                classify(dialect, &statement.text);
                let _ = parse_directives(dialect, &statement.leading, before);
                let _ = refuse_inner_directives(dialect, &statement);
                hasher.statement(&statement);
            }
            Ok(Some(Piece::CopyData(rows))) => {
                assert!(!rows.is_empty());
                take(rows);
                hasher.copy_data(rows);
            }
            Ok(Some(Piece::CopyEnd(end))) => take(end),
            Ok(Some(Piece::Trailing(text))) => take(text.as_bytes()),
        }
    };
    assert_eq!(splitter.bytes_read(), consumed as u64);
    assert_eq!(splitter.position(), Position::START.after(&script[..consumed]));
    if error.is_none() {
        assert_eq!(consumed, script.len());
    }
    assert_eq!(hasher.prefix(), hasher.clone().finish());
    (hasher.finish(), error)
}

fuzz_target!(|data: &[u8]| {
    let Some((first, script)) = data.split_first() else {
        return;
    };
    let dialect = match first % 3 {
        0 => Dialect::Postgres,
        1 => Dialect::Mysql,
        _ => Dialect::Sqlite,
    };
    let whole = cut(dialect, script, script);
    let stepwise = cut(dialect, BufReader::with_capacity(2, Trickle(script)), script);
    assert_eq!(whole, stepwise);
});
