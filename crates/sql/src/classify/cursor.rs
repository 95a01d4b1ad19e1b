//! Walks over the words of a statement.

use super::{Classification, LockClass, ObjectKind, ObjectName, TransactionUse};
use crate::Dialect;
use crate::keyword::Keyword;
use crate::lexer::{TokenKind, Tokens};

/// PostgreSQL cuts names to this many bytes (`NAMEDATALEN` - 1).
const POSTGRES_NAME_BYTES: usize = 63;

/// Stands on one token; comments are passed over, and so are the marks of MySQL's conditional
/// comments, so that what is in them counts.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    dialect: Dialect,
    tokens: Tokens<'a>,
    kind: Option<TokenKind>,
    text: &'a str,
    keyword: Keyword,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(dialect: Dialect, text: &'a str) -> Self {
        let mut cursor = Self {
            dialect,
            tokens: Tokens::new(dialect, text),
            kind: None,
            text: "",
            keyword: Keyword::default(),
        };
        cursor.advance();
        cursor
    }

    pub(super) fn advance(&mut self) {
        let next = self.tokens.find(|(kind, _)| {
            !kind.is_trivia()
                && !matches!(
                    kind,
                    TokenKind::ConditionalOpen | TokenKind::ConditionalClose
                )
        });
        (self.kind, self.text) = match next {
            Some((kind, text)) => (Some(kind), text),
            None => (None, ""),
        };
        self.keyword = match self.kind {
            Some(TokenKind::Word) => Keyword::new(self.text.as_bytes()),
            _ => Keyword::default(),
        };
    }

    pub(super) fn at_end(&self) -> bool {
        self.kind.is_none()
    }

    /// The current word in capitals; empty if this is no word that could be a keyword.
    pub(super) fn word(&self) -> &str {
        self.keyword.as_str()
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word() == word
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Some(TokenKind::Symbol) && self.text == symbol
    }

    /// The current token if it is a literal, without its quotes.
    pub(super) fn literal(&self) -> Option<String> {
        (self.kind == Some(TokenKind::Literal)).then(|| unquoted(self.text))
    }

    /// Moves over a word if it is the current one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.advance();
        }
        found
    }

    /// Moves over a row of words if all of them follow here.
    pub(super) fn take_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let found = words.iter().all(|word| ahead.take(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Moves over any of these words, and says whether there was one.
    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        let mut found = false;
        while words.contains(&self.word()) {
            self.advance();
            found = true;
        }
        found
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn take_if_exists(&mut self) -> bool {
        self.take_all(&["IF", "NOT", "EXISTS"]) || self.take_all(&["IF", "EXISTS"])
    }

    /// Moves over `( … )` if it begins here.
    pub(super) fn skip_parentheses(&mut self) {
        let mut depth = 0_u32;
        loop {
            if self.is_symbol("(") {
                depth += 1;
            } else if self.is_symbol(")") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    self.advance();
                }
            }
            if depth == 0 || self.at_end() {
                return;
            }
            self.advance();
        }
    }

    /// Moves on to one of these words outside parentheses, and says whether there is one.
    pub(super) fn find(&mut self, words: &[&str]) -> bool {
        while !self.at_end() {
            if self.is_symbol("(") {
                self.skip_parentheses();
                continue;
            }
            if words.contains(&self.word()) {
                return true;
            }
            self.advance();
        }
        false
    }

    /// Moves on to the token after the next comma outside parentheses, if there is one.
    pub(super) fn next_item(&mut self) -> bool {
        while !self.at_end() {
            if self.is_symbol("(") {
                self.skip_parentheses();
            } else if self.take_symbol(",") {
                return true;
            } else {
                self.advance();
            }
        }
        false
    }

    /// Moves over a name with its qualifiers.
    pub(super) fn name(&mut self, kind: ObjectKind) -> Option<ObjectName> {
        let mut parts = Vec::new();
        while let Some(token) = self.kind {
            let mut dot_taken = false;
            match token {
                TokenKind::Word | TokenKind::QuotedName | TokenKind::Literal => {
                    parts.extend(folded_name(self.dialect, token, self.text));
                }
                // MySQL names may begin with a digit; the lexer then takes dots along.
                TokenKind::Number if self.dialect == Dialect::Mysql => {
                    dot_taken = self.text.ends_with('.');
                    let names = self.text.split('.').filter(|name| !name.is_empty());
                    parts.extend(names.map(str::to_owned));
                }
                _ => break,
            }
            self.advance();
            if !dot_taken && !self.take_symbol(".") {
                break;
            }
        }
        let name = parts.pop()?;
        Some(ObjectName {
            kind,
            schema: parts.pop(),
            name,
        })
    }

    /// Moves over a list of names separated by commas.
    pub(super) fn names(&mut self, kind: ObjectKind) -> Vec<ObjectName> {
        let mut names = Vec::new();
        loop {
            self.take("ONLY");
            names.extend(self.name(kind));
            self.take_symbol("*");
            self.skip_parentheses();
            if !self.take_symbol(",") {
                return names;
            }
        }
    }
}

/// A token as the name that it is, unquoted and folded as the server does it; `None` when it can be no name.
pub(crate) fn folded_name(dialect: Dialect, kind: TokenKind, text: &str) -> Option<String> {
    let mut name = match kind {
        TokenKind::Word => text.to_owned(),
        TokenKind::QuotedName | TokenKind::Literal => unquoted(text),
        _ => return None,
    };
    if dialect == Dialect::Postgres {
        if kind == TokenKind::Word {
            name.make_ascii_lowercase();
        }
        name.truncate(name.floor_char_boundary(POSTGRES_NAME_BYTES));
    }
    Some(name)
}

/// A quoted name or literal without its quotes.
fn unquoted(token: &str) -> String {
    let escapes = token.starts_with(['e', 'E']);
    let token = token.trim_start_matches(['e', 'E', 'u', 'U', '&']);
    let mut characters = token.chars();
    let Some(open) = characters.next() else {
        return String::new();
    };
    let close = if open == '[' { ']' } else { open };
    let inner = characters.as_str();
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if escapes {
        let mut text = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => text.extend(characters.next()),
                '\'' => {
                    text.push('\'');
                    characters.next();
                }
                _ => text.push(character),
            }
        }
        return text;
    }
    inner.replace(&format!("{close}{close}"), &close.to_string())
}

/// What all dialects have in common; none if the dialect has to say.
pub(super) fn common(cursor: &mut Cursor<'_>) -> Option<Classification> {
    use LockClass::{Dml, Other, Query};
    use TransactionUse::{Begin, Commit, Inside, Rollback, Savepoint};
    while cursor.take_symbol("(") {}
    let word = cursor.word().to_owned();
    let (transaction, lock) = match word.as_str() {
        "BEGIN" => (Begin, Other),
        "COMMIT" | "END" => (Commit, Other),
        "ROLLBACK" | "ABORT" => {
            cursor.advance();
            cursor.take_any(&["WORK", "TRANSACTION"]);
            if cursor.is("TO") {
                (Savepoint, Other)
            } else {
                (Rollback, Other)
            }
        }
        "SAVEPOINT" | "RELEASE" => (Savepoint, Other),
        "SELECT" | "VALUES" | "EXPLAIN" | "SHOW" | "TABLE" | "DESCRIBE" | "DESC" => (Inside, Query),
        "WITH" => (
            Inside,
            if with_changes_rows(cursor) {
                Dml
            } else {
                Query
            },
        ),
        _ => return None,
    };
    Some(Classification::new(word, transaction, lock))
}

/// `INSERT INTO t`, `UPDATE t`, `DELETE FROM t`, `REPLACE INTO t`, `MERGE INTO t`.
pub(super) fn changes_rows(cursor: &mut Cursor<'_>) -> Classification {
    let verb = cursor.word().to_owned();
    cursor.advance();
    if cursor.dialect == Dialect::Mysql {
        cursor.take_any(&[
            "LOW_PRIORITY",
            "DELAYED",
            "HIGH_PRIORITY",
            "QUICK",
            "IGNORE",
        ]);
    } else if cursor.take("OR") {
        cursor.advance();
    }
    cursor.take_any(&["INTO", "FROM"]);
    cursor.take("ONLY");
    let target = cursor.name(ObjectKind::Table);
    Classification::new(verb, TransactionUse::Inside, LockClass::Dml).with_objects(target)
}

/// Whether a `WITH` statement holds more than queries. A statement can begin only at `(` or after
/// the `)` of the last common table expression.
fn with_changes_rows(cursor: &mut Cursor<'_>) -> bool {
    let mut can_begin = false;
    while !cursor.at_end() {
        if can_begin
            && matches!(
                cursor.word(),
                "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE"
            )
        {
            return true;
        }
        can_begin = cursor.is_symbol("(") || cursor.is_symbol(")");
        cursor.advance();
    }
    false
}
