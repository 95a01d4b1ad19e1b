//! Where a `;` does not end a PostgreSQL statement: in parentheses (rules with several commands)
//! and in the SQL-standard bodies of functions and procedures.

use super::copy::CopyDetector;
use crate::keyword::Keyword;
use crate::lexer::TokenKind;

#[derive(Debug, Default)]
pub(super) struct PostgresScan {
    words: u8,
    routine: Routine,
    parentheses: u64,
    /// `BEGIN ATOMIC` and the `CASE`s open in it.
    blocks: u64,
    previous: Previous,
    pub(super) copy: CopyDetector,
    /// Offset of the outermost thing that is open.
    pub(super) opened_at: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Routine {
    /// `CREATE [OR REPLACE]` so far.
    #[default]
    Undecided,
    Yes,
    No,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Previous {
    #[default]
    Other,
    /// After `.` or `AS` even a reserved word is a name.
    NameFollows,
    Begin(usize),
}

impl PostgresScan {
    pub(super) fn inside(&self) -> bool {
        self.parentheses > 0 || self.blocks > 0
    }

    /// What is open, for an error message.
    pub(super) fn open_construct(&self) -> Option<&'static str> {
        if self.blocks > 0 {
            Some("BEGIN ATOMIC body")
        } else if self.parentheses > 0 {
            Some("parenthesis")
        } else {
            None
        }
    }

    pub(super) fn token(&mut self, kind: TokenKind, text: &[u8], offset: usize) {
        let mut previous = Previous::Other;
        match kind {
            TokenKind::Symbol => match text {
                b"(" => {
                    if !self.inside() {
                        self.opened_at = offset;
                    }
                    self.parentheses += 1;
                }
                b")" => self.parentheses = self.parentheses.saturating_sub(1),
                b"." => previous = Previous::NameFollows,
                _ => {}
            },
            TokenKind::Word if self.parentheses == 0 && self.routine != Routine::No => {
                previous = self.word(Keyword::new(text).as_str(), offset);
            }
            _ => {}
        }
        if self.parentheses == 0 {
            self.copy.token(kind, text);
        }
        self.previous = previous;
    }

    fn word(&mut self, word: &str, offset: usize) -> Previous {
        self.words = self.words.saturating_add(1);
        if self.routine == Routine::Undecided {
            self.routine = match (self.words, word) {
                (1, "CREATE") | (2, "OR") | (3, "REPLACE") => Routine::Undecided,
                (2 | 4, "FUNCTION" | "PROCEDURE") => Routine::Yes,
                _ => Routine::No,
            };
            return Previous::Other;
        }
        if self.previous == Previous::NameFollows {
            return Previous::Other;
        }
        match word {
            "AS" => return Previous::NameFollows,
            "BEGIN" => return Previous::Begin(offset),
            "ATOMIC" => {
                if let (Previous::Begin(begin), 0) = (&self.previous, self.blocks) {
                    self.opened_at = *begin;
                    self.blocks = 1;
                }
            }
            "CASE" if self.blocks > 0 => self.blocks += 1,
            "END" => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        Previous::Other
    }
}
