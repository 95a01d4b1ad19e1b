//! A digest of a script's SQL that ignores comments and spacing.
//!
//! It sees what a server would: changing it changes what the script does, while moving line
//! breaks, adding comments or a last `;` does not. Letter case counts.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::lexer::{TokenKind, Tokens};
use crate::{Dialect, Statement};

/// SHA-256 over what a script does, not over how it is laid out.
///
/// What is fed, in UTF-8: each statement's tokens, then `;` and a line feed; after a statement
/// with COPY rows, `\copy `, the number of bytes of the rows, a space, their CRC-32 and a line feed
/// (the rows may be gigabytes, and another digest guards the file as a whole). Comments are left
/// out, but not hints (`/*+ … */`) and conditional comments (`/*! … */`). A space stands between
/// tokens that were apart if without it they would read differently. `\r\n` becomes `\n`
/// everywhere, so that Git's line end conversion does not matter.
#[derive(Clone, Debug)]
pub struct SqlHasher {
    dialect: Dialect,
    sha256: Sha256,
    rows: Rows,
    row_bytes: u64,
    row_digest: crc32fast::Hasher,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    None,
    Open,
    /// The last byte was `\r`, which counts unless `\n` follows.
    OpenAfterReturn,
}

impl SqlHasher {
    /// A digest of nothing so far.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            sha256: Sha256::new(),
            rows: Rows::None,
            row_bytes: 0,
            row_digest: crc32fast::Hasher::new(),
        }
    }

    /// Adds a statement; its terminator and what leads it do not matter.
    pub fn statement(&mut self, statement: &Statement) {
        self.close_rows();
        let mut before: Option<Joint> = None;
        let mut apart = false;
        for (kind, token) in Tokens::new(self.dialect, &statement.text) {
            if kind.is_trivia() && kind != TokenKind::Hint {
                apart = true;
                continue;
            }
            let joint = Joint::of(kind, token);
            if apart && before == Some(joint) && joint != Joint::Separator {
                self.sha256.update(b" ");
            }
            self.text(token);
            before = Some(joint);
            apart = false;
        }
        self.sha256.update(b";\n");
    }

    /// Adds COPY rows of the statement before; how they are cut into chunks does not matter.
    pub fn copy_data(&mut self, rows: &[u8]) {
        if rows.is_empty() {
            return;
        }
        if self.rows == Rows::OpenAfterReturn && !rows.starts_with(b"\n") {
            self.row_bytes(b"\r");
        }
        let (mut rest, state) = match rows.strip_suffix(b"\r") {
            Some(rest) => (rest, Rows::OpenAfterReturn),
            None => (rows, Rows::Open),
        };
        self.rows = state;
        while let Some(index) = memchr::memmem::find(rest, b"\r\n") {
            let (before, after) = rest.split_at(index);
            self.row_bytes(before);
            rest = after.get(1..).unwrap_or_default();
        }
        self.row_bytes(rest);
    }

    fn row_bytes(&mut self, rows: &[u8]) {
        self.row_digest.update(rows);
        self.row_bytes += rows.len() as u64;
    }

    /// The digest of what was added so far, in hexadecimal; more can be added after it.
    pub fn prefix(&self) -> String {
        self.clone().finish()
    }

    /// The digest in hexadecimal.
    pub fn finish(mut self) -> String {
        self.close_rows();
        let mut text = String::with_capacity(64);
        for byte in self.sha256.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn close_rows(&mut self) {
        if self.rows == Rows::OpenAfterReturn {
            self.row_bytes(b"\r");
        }
        if self.rows != Rows::None {
            let digest = std::mem::take(&mut self.row_digest).finalize();
            let bytes = std::mem::take(&mut self.row_bytes);
            self.sha256.update(format!("\\copy {bytes} {digest:08x}\n"));
            self.rows = Rows::None;
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(index) = memchr::memmem::find(rest, b"\r\n") {
            let (before, after) = rest.split_at(index);
            self.sha256.update(before);
            rest = after.get(1..).unwrap_or_default();
        }
        self.sha256.update(rest);
    }
}

/// Two tokens of the same sort would grow together without a space between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Word,
    Operator,
    /// `(`, `)`, `,` and `;` never grow together with anything.
    Separator,
}

impl Joint {
    fn of(kind: TokenKind, token: &str) -> Self {
        match (kind, token) {
            (TokenKind::Symbol, "(" | ")" | "," | ";") => Self::Separator,
            (TokenKind::Symbol, _) => Self::Operator,
            _ => Self::Word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(dialect: Dialect, texts: &[&str]) -> String {
        let mut hasher = SqlHasher::new(dialect);
        for text in texts {
            hasher.statement(&Statement {
                text: (*text).to_owned(),
                ..Statement::default()
            });
        }
        hasher.finish()
    }

    #[test]
    fn layout_does_not_matter() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (dialect, one, other) in [
            (Postgres, "SELECT a,b", "SELECT  a ,\r\n\tb -- why\n"),
            (
                Postgres,
                "SELECT a FROM b",
                "SELECT/* x /* y */ */a\nFROM b",
            ),
            (Postgres, "SELECT 'a\nb'", "SELECT 'a\r\nb'"),
            (Mysql, "SELECT 1", "SELECT # one\n1"),
            (Sqlite, "SELECT [a]", "SELECT [a] -- b"),
        ] {
            assert_eq!(
                digest(dialect, &[one]),
                digest(dialect, &[other]),
                "{other}"
            );
        }
    }

    #[test]
    fn sql_matters() {
        use Dialect::{Mysql, Postgres};
        for (dialect, one, other) in [
            (Postgres, "SELECT 'a b'", "SELECT 'a  b'"),
            (Postgres, "SELECT $$a -- b$$", "SELECT $$a$$"),
            (Postgres, "SELECT a b", "SELECT ab"),
            (Postgres, "SELECT a <= b", "SELECT a < = b"),
            (Postgres, "SELECT E'a'", "SELECT E 'a'"),
            (Postgres, "SELECT A", "SELECT a"),
            (Mysql, "SELECT /*+ NO_ICP(t) */ 1", "SELECT 1"),
            (Mysql, "SELECT 1 /*! + 1 */", "SELECT 1"),
            (Mysql, "SELECT - -1", "SELECT --1"),
        ] {
            assert_ne!(
                digest(dialect, &[one]),
                digest(dialect, &[other]),
                "{other}"
            );
        }
        assert_ne!(
            digest(Postgres, &["SELECT 1", "SELECT 2"]),
            digest(Postgres, &["SELECT 1 SELECT 2"])
        );
        assert_ne!(
            digest(Postgres, &["SELECT 1", "SELECT 2"]),
            digest(Postgres, &["SELECT 2", "SELECT 1"])
        );
    }

    #[test]
    fn chunks_of_rows_do_not_matter() {
        let rows = b"1\ta\r\n2\t\rb\r\n\r";
        let whole = {
            let mut hasher = SqlHasher::new(Dialect::Postgres);
            hasher.copy_data(rows);
            hasher.finish()
        };
        for size in 1..rows.len() {
            let mut hasher = SqlHasher::new(Dialect::Postgres);
            for chunk in rows.chunks(size) {
                hasher.copy_data(chunk);
            }
            assert_eq!(hasher.finish(), whole, "{size}");
        }
        let mut hasher = SqlHasher::new(Dialect::Postgres);
        hasher.copy_data(b"1\ta\n2\t\rb\n\r");
        assert_eq!(hasher.finish(), whole);
    }

    #[test]
    fn prefix_does_not_disturb() {
        let mut hasher = SqlHasher::new(Dialect::Sqlite);
        let statement = Statement {
            text: "SELECT 1".to_owned(),
            ..Statement::default()
        };
        hasher.statement(&statement);
        assert_eq!(hasher.prefix(), digest(Dialect::Sqlite, &["SELECT 1"]));
        hasher.statement(&statement);
        assert_eq!(
            hasher.finish(),
            digest(Dialect::Sqlite, &["SELECT 1", "SELECT 1"])
        );
    }

    #[test]
    fn stays_the_same_across_releases() {
        // The digest is stored in the history table: it must never change for the same SQL.
        assert_eq!(
            digest(Dialect::Postgres, &["CREATE TABLE t (\n  id int -- key\n)"]),
            // printf 'CREATE TABLE t(id int);\n' | sha256sum
            "c6c56a87f0defe9068c01ab4b48df13be00109a9b526f9c364648739ccfad127"
        );
    }
}
