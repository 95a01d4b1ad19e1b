//! Walks over the tokens of a statement and knows where each one stands.
//!
//! Tokens are cut only as far as somebody asks, so the rows of a long `INSERT` cost nothing.

use std::ops::Range;

use crate::classify::folded_name;
use crate::keyword::Keyword;
use crate::lexer::{TokenKind, Tokens};
use crate::{Dialect, ObjectKind, ObjectName};

use super::Expression;

/// One token that means something to the server.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: TokenKind,
    text: &'a str,
    start: usize,
    keyword: Keyword,
}

/// Stands on one token. Comments are passed over, and so are the marks of MySQL's conditional comments, so that what is
/// in them counts.
pub(super) struct Reader<'a> {
    dialect: Dialect,
    text: &'a str,
    tokens: Tokens<'a>,
    /// Bytes of `text` that have been cut into tokens.
    cut: usize,
    ready: Vec<Token<'a>>,
    place: usize,
}

impl<'a> Reader<'a> {
    pub fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            dialect,
            text,
            tokens: Tokens::new(dialect, text),
            cut: 0,
            ready: Vec::new(),
            place: 0,
        }
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The whole statement.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// A place to come back to.
    pub fn place(&self) -> usize {
        self.place
    }

    pub fn go_back(&mut self, place: usize) {
        self.place = place;
    }

    fn token(&mut self, ahead: usize) -> Option<Token<'a>> {
        let wanted = self.place + ahead;
        while self.ready.len() <= wanted {
            let (kind, text) = self.tokens.next()?;
            let start = self.cut;
            self.cut += text.len();
            let is_mark = matches!(
                kind,
                TokenKind::ConditionalOpen | TokenKind::ConditionalClose
            );
            if kind.is_trivia() || is_mark {
                continue;
            }
            let keyword = match kind {
                TokenKind::Word => Keyword::new(text.as_bytes()),
                _ => Keyword::default(),
            };
            self.ready.push(Token {
                kind,
                text,
                start,
                keyword,
            });
        }
        self.ready.get(wanted).copied()
    }

    pub fn advance(&mut self) {
        if self.token(0).is_some() {
            self.place += 1;
        }
    }

    pub fn at_end(&mut self) -> bool {
        self.token(0).is_none()
    }

    /// Where the current token begins; the length of the statement at its end.
    pub fn start(&mut self) -> usize {
        self.token(0).map_or(self.text.len(), |token| token.start)
    }

    /// Where the token before the current one ends.
    pub fn end_of_last(&self) -> usize {
        let last = self
            .place
            .checked_sub(1)
            .and_then(|last| self.ready.get(last));
        last.map_or(0, |token| token.start + token.text.len())
    }

    /// From `start` to the end of the token before the current one.
    pub fn span_from(&self, start: usize) -> Range<usize> {
        start..self.end_of_last().max(start)
    }

    /// The current word in capitals; empty if this is no word that could be a keyword.
    pub fn word(&mut self) -> String {
        self.word_at(0)
    }

    /// The same, some tokens ahead.
    pub fn word_at(&mut self, ahead: usize) -> String {
        let token = self.token(ahead);
        token.map_or_else(String::new, |token| token.keyword.as_str().to_owned())
    }

    pub fn is(&mut self, word: &str) -> bool {
        self.is_at(0, word)
    }

    pub fn is_at(&mut self, ahead: usize, word: &str) -> bool {
        self.token(ahead)
            .is_some_and(|token| token.keyword.as_str() == word)
    }

    pub fn is_any(&mut self, words: &[&str]) -> bool {
        let token = self.token(0);
        token.is_some_and(|token| words.contains(&token.keyword.as_str()))
    }

    pub fn is_symbol(&mut self, symbol: &str) -> bool {
        self.is_symbol_at(0, symbol)
    }

    pub fn is_symbol_at(&mut self, ahead: usize, symbol: &str) -> bool {
        self.token(ahead)
            .is_some_and(|token| token.kind == TokenKind::Symbol && token.text == symbol)
    }

    /// The kind of the current token.
    pub fn kind(&mut self) -> Option<TokenKind> {
        self.token(0).map(|token| token.kind)
    }

    /// The current token as written; empty at the end.
    pub fn raw(&mut self) -> &'a str {
        self.token(0).map_or("", |token| token.text)
    }

    /// Moves over a word if it is the current one.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.place += 1;
        }
        found
    }

    /// Moves over a row of words if all of them follow here.
    pub fn take_all(&mut self, words: &[&str]) -> bool {
        let found = (0..)
            .zip(words)
            .all(|(ahead, word)| self.is_at(ahead, word));
        if found {
            self.place += words.len();
        }
        found
    }

    /// Moves over any of these words, and says whether there was one.
    pub fn take_any(&mut self, words: &[&str]) -> bool {
        let before = self.place;
        while self.is_any(words) {
            self.place += 1;
        }
        self.place > before
    }

    pub fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.place += 1;
        }
        found
    }

    pub fn take_if_exists(&mut self) -> bool {
        self.take_all(&["IF", "EXISTS"])
    }

    pub fn take_if_not_exists(&mut self) -> bool {
        self.take_all(&["IF", "NOT", "EXISTS"])
    }

    /// Whether a parenthesis or a bracket opens here. (What SQLite quotes with brackets is a name, not this.)
    fn is_open(&mut self) -> bool {
        self.is_symbol("(") || self.is_symbol("[")
    }

    /// Moves over `( … )` or `[ … ]` if it begins here.
    pub fn skip_parentheses(&mut self) {
        let mut depth = 0_u32;
        while !self.at_end() {
            let closes = self.is_symbol(")") || self.is_symbol("]");
            if self.is_open() {
                depth += 1;
            } else if closes {
                depth = depth.saturating_sub(1);
            }
            if depth == 0 && !closes {
                return;
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    /// Moves over one token, or over all of it if a parenthesis or bracket opens here.
    pub fn step(&mut self) {
        match self.is_open() {
            true => self.skip_parentheses(),
            false => self.advance(),
        }
    }

    /// Moves on to the next comma or `)` that belongs to the list this stands in, or to the end.
    pub fn skip_item(&mut self) {
        while !self.at_end() && !self.is_symbol(",") && !self.is_symbol(")") {
            self.step();
        }
    }

    /// Moves on to one of these words outside parentheses, or to the `)` that closes what this stands in, or to the
    /// end; says whether there is one.
    pub fn find(&mut self, words: &[&str]) -> bool {
        while !self.at_end() && !self.is_symbol(")") {
            if self.is_any(words) {
                return true;
            }
            self.step();
        }
        false
    }

    /// Moves over a name without qualifiers.
    pub fn identifier(&mut self) -> Option<String> {
        let token = self.token(0)?;
        let name = match token.kind {
            // MySQL names may begin with a digit.
            TokenKind::Number if self.dialect == Dialect::Mysql && is_name(token.text) => {
                token.text.to_owned()
            }
            _ => folded_name(self.dialect, token.kind, token.text)?,
        };
        self.place += 1;
        Some(name)
    }

    /// Moves over a name with its qualifiers.
    pub fn name(&mut self, kind: ObjectKind) -> Option<ObjectName> {
        let mut parts = Vec::new();
        loop {
            let token = self.token(0)?;
            if token.kind == TokenKind::Number && self.dialect == Dialect::Mysql {
                // The lexer takes the dots after a digit along.
                let names = token.text.split('.').filter(|name| !name.is_empty());
                parts.extend(names.map(str::to_owned));
                self.place += 1;
                if token.text.ends_with('.') {
                    continue;
                }
            } else {
                parts.push(self.identifier()?);
            }
            if !self.take_symbol(".") {
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

    /// Moves over `( name, … )`; what is no plain name is left out. Empty when no `(` is here.
    pub fn name_list(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        if !self.take_symbol("(") {
            return names;
        }
        loop {
            names.extend(self.identifier());
            self.skip_item();
            if !self.take_symbol(",") {
                break;
            }
        }
        self.take_symbol(")");
        names
    }

    /// Moves over `( expression )` and gives what is inside.
    pub fn in_parentheses(&mut self) -> Option<Expression> {
        if !self.is_symbol("(") {
            return None;
        }
        self.advance();
        let start = self.start();
        while !self.at_end() && !self.is_symbol(")") {
            self.step();
        }
        let span = self.span_from(start);
        self.take_symbol(")");
        Some(self.expression(span))
    }

    /// Moves on until one of these words, a comma or a `)` stands outside parentheses and `CASE … END`, and gives what
    /// was passed.
    pub fn expression_until(&mut self, words: &[&str]) -> Expression {
        let start = self.start();
        let mut cases = 0_usize;
        while !self.at_end() && !self.is_symbol(",") && !self.is_symbol(")") {
            if self.is("CASE") {
                cases += 1;
            } else if self.is("END") {
                cases = cases.saturating_sub(1);
            }
            if cases == 0 && self.is_any(words) {
                break;
            }
            self.step();
        }
        let span = self.span_from(start);
        self.expression(span)
    }

    /// What is left of the statement, as written.
    pub fn rest(&mut self) -> &'a str {
        let start = self.start();
        self.text.get(start..).unwrap_or_default().trim_end()
    }

    /// The whole statement from the current token on.
    pub fn whole(&mut self) -> Range<usize> {
        let start = self.start();
        start..self.text.trim_end().len().max(start)
    }

    /// The words that follow here in capitals, up to so many; does not move.
    pub fn words(&mut self, most: usize) -> String {
        let words: Vec<String> = (0..most)
            .map(|ahead| self.word_at(ahead))
            .take_while(|word| !word.is_empty())
            .collect();
        words.join(" ")
    }

    /// Moves on until one of these words or a comma stands outside parentheses.
    pub fn skip_until(&mut self, words: &[&str]) {
        while !self.at_end() && !self.is_symbol(",") && !self.is_any(words) {
            match self.is_symbol("(") {
                true => self.skip_parentheses(),
                false => self.advance(),
            }
        }
    }

    /// The text of a span as an expression.
    pub fn expression(&self, span: Range<usize>) -> Expression {
        Expression {
            text: self.text.get(span.clone()).unwrap_or_default().to_owned(),
            span,
        }
    }
}

/// Whether digits and what follows them are a name of MySQL and no number.
fn is_name(text: &str) -> bool {
    !text.contains('.') && !text.bytes().all(|byte| byte.is_ascii_digit())
}
