//! Where a `;` does not end an SQLite statement: in the body of a trigger, which ends with
//! `; END ;` as for `sqlite3_complete` (<https://sqlite.org/c3ref/complete.html>).

use crate::keyword::Keyword;
use crate::lexer::TokenKind;

#[derive(Debug, Default)]
pub(super) struct SqliteScan {
    head: Head,
    /// The last tokens were `;` and then `END`.
    ending: Ending,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Head {
    /// `[EXPLAIN [QUERY PLAN]] [CREATE [TEMP | TEMPORARY]]` so far.
    #[default]
    Start,
    Explain,
    Create,
    Trigger,
    Other,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Ending {
    #[default]
    No,
    AfterSemicolon,
    AfterEnd,
}

impl SqliteScan {
    pub(super) fn inside(&self) -> bool {
        self.head == Head::Trigger && self.ending != Ending::AfterEnd
    }

    pub(super) fn token(&mut self, kind: TokenKind, text: &[u8]) {
        if self.head == Head::Other {
            return;
        }
        let keyword = match kind {
            TokenKind::Word => Keyword::new(text),
            _ => Keyword::default(),
        };
        let word = keyword.as_str();
        if self.head == Head::Trigger {
            self.ending = match (&self.ending, kind, word) {
                (_, TokenKind::Symbol, _) if text == b";" => Ending::AfterSemicolon,
                (Ending::AfterSemicolon, _, "END") => Ending::AfterEnd,
                _ => Ending::No,
            };
            return;
        }
        self.head = match (&self.head, word) {
            (Head::Start, "EXPLAIN") | (Head::Explain, "QUERY" | "PLAN") => Head::Explain,
            (Head::Start | Head::Explain, "CREATE") | (Head::Create, "TEMP" | "TEMPORARY") => {
                Head::Create
            }
            (Head::Create, "TRIGGER") => Head::Trigger,
            _ => Head::Other,
        };
    }
}
