//! Cuts SQL into tokens, as far as splitting and classifying need: what is a comment, what is
//! quoted, and where words begin and end.
//!
//! The lexer pulls bytes from an [`Input`], so that the same rules serve a script that is read
//! piece by piece and a statement that is at hand. Every byte belongs to exactly one token, and no
//! byte is looked at more than a constant number of times.

use memchr::{memchr, memchr2};

use crate::Dialect;

/// Bytes to be cut into tokens.
pub(crate) trait Input {
    /// The bytes from the cursor on that are at hand: at least `minimum`, unless the input ends
    /// before that.
    fn window(&mut self, minimum: usize) -> &[u8];
    /// Moves the cursor over `count` bytes of the last window.
    fn advance(&mut self, count: usize);
}

/// Text at hand.
impl Input for &[u8] {
    fn window(&mut self, _minimum: usize) -> &[u8] {
        self
    }

    fn advance(&mut self, count: usize) {
        *self = self.get(count..).unwrap_or_default();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    WhiteSpace,
    LineComment,
    BlockComment,
    /// `/*+ … */`: a comment that optimizers read.
    Hint,
    /// `/*!50003` or `/*M!100300`: what follows is SQL to servers that are new enough.
    ConditionalOpen,
    /// The `*/` that ends it.
    ConditionalClose,
    /// A keyword or a name without quotes.
    Word,
    Number,
    /// A quoted name.
    QuotedName,
    /// A literal in quotes of any kind, with its `E` or `U&` prefix.
    Literal,
    /// One byte of punctuation.
    Symbol,
    /// The delimiter that a `DELIMITER` line set.
    Delimiter,
}

impl TokenKind {
    /// Whether it says nothing to the server.
    pub(crate) fn is_trivia(self) -> bool {
        matches!(
            self,
            Self::WhiteSpace | Self::LineComment | Self::BlockComment | Self::Hint
        )
    }
}

/// The tokens of a text at hand. What is not terminated is one last literal.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    lexer: Lexer,
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            lexer: Lexer::new(dialect),
            rest: text,
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (TokenKind, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let mut input = self.rest.as_bytes();
        let (kind, length) = match self.lexer.next(&mut input) {
            Ok(kind) => (kind?, self.rest.len() - input.len()),
            Err(_) => (TokenKind::Literal, self.rest.len()),
        };
        // Tokens end between characters; if one did not, the rest would be one token.
        let (token, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        Some((kind, token))
    }
}

/// The input ended inside the construct named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unterminated(pub(crate) &'static str);

/// A PostgreSQL literal that goes on after a line break (`E'a'⏎'b'`) keeps the rules of its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Continuation {
    None,
    SameLine,
    NextLine,
}

#[derive(Clone, Debug)]
pub(crate) struct Lexer {
    dialect: Dialect,
    delimiter: Vec<u8>,
    in_conditional: bool,
    escape_continuation: Continuation,
}

impl Lexer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            delimiter: Vec::new(),
            in_conditional: false,
            escape_continuation: Continuation::None,
        }
    }

    /// Sets what [`TokenKind::Delimiter`] is; empty for none.
    pub(crate) fn set_delimiter(&mut self, delimiter: &[u8]) {
        self.delimiter = delimiter.to_vec();
    }

    pub(crate) fn delimiter(&self) -> &[u8] {
        &self.delimiter
    }

    /// Whether the cursor is between `/*!` and `*/`.
    pub(crate) fn in_conditional(&self) -> bool {
        self.in_conditional
    }

    /// Moves the input over one token.
    pub(crate) fn next<I: Input>(
        &mut self,
        input: &mut I,
    ) -> Result<Option<TokenKind>, Unterminated> {
        let kind = self.scan(input)?;
        self.escape_continuation = match (self.escape_continuation, kind) {
            // Set by the literal itself, or ended by it.
            (state, Some(TokenKind::Literal)) => state,
            (state, Some(TokenKind::WhiteSpace | TokenKind::LineComment)) => state,
            _ => Continuation::None,
        };
        Ok(kind)
    }

    fn scan<I: Input>(&mut self, input: &mut I) -> Result<Option<TokenKind>, Unterminated> {
        use TokenKind::{
            ConditionalClose, LineComment, Literal, Number, QuotedName, Symbol, WhiteSpace, Word,
        };
        if self.at_delimiter(input) {
            input.advance(self.delimiter.len());
            return Ok(Some(TokenKind::Delimiter));
        }
        let window = input.window(3);
        let Some(&first) = window.first() else {
            return Ok(None);
        };
        let second = window.get(1).copied();
        let third = window.get(2).copied();
        let mysql = self.dialect == Dialect::Mysql;
        let postgres = self.dialect == Dialect::Postgres;
        let kind = match first {
            _ if is_space(first) => {
                self.white_space(input);
                WhiteSpace
            }
            b'-' if second == Some(b'-')
                && (!mysql || third.is_none_or(|byte| byte <= b' ' || byte == 0x7F)) =>
            {
                self.line_comment(input);
                LineComment
            }
            b'#' if mysql => {
                self.line_comment(input);
                LineComment
            }
            b'/' if second == Some(b'*') => return self.block_comment(input, third).map(Some),
            b'*' if self.in_conditional && second == Some(b'/') => {
                input.advance(2);
                self.in_conditional = false;
                ConditionalClose
            }
            b'\'' => {
                let escapes =
                    mysql || (postgres && self.escape_continuation == Continuation::NextLine);
                self.string(input, escapes)?;
                Literal
            }
            b'"' if mysql => {
                input.advance(1);
                quoted(input, b'"', true, "string literal")?;
                Literal
            }
            b'"' => {
                input.advance(1);
                quoted(input, b'"', false, "quoted name")?;
                QuotedName
            }
            b'`' if !postgres => {
                input.advance(1);
                quoted(input, b'`', false, "quoted name")?;
                QuotedName
            }
            b'[' if self.dialect == Dialect::Sqlite => {
                input.advance(1);
                skip_past(input, b']').ok_or(Unterminated("quoted name"))?;
                QuotedName
            }
            b'e' | b'E' if postgres && second == Some(b'\'') => {
                input.advance(1);
                self.string(input, true)?;
                Literal
            }
            b'u' | b'U' if postgres && second == Some(b'&') && third == Some(b'\'') => {
                input.advance(2);
                self.string(input, false)?;
                Literal
            }
            b'u' | b'U' if postgres && second == Some(b'&') && third == Some(b'"') => {
                input.advance(3);
                quoted(input, b'"', false, "quoted name")?;
                QuotedName
            }
            b'$' if postgres => {
                self.escape_continuation = Continuation::None;
                return self.dollar(input).map(Some);
            }
            b'0'..=b'9' => {
                self.run(input, |byte| {
                    is_word(byte) && (mysql || byte != b'$') || byte == b'.'
                });
                Number
            }
            _ if is_word(first) => {
                self.run(input, is_word);
                Word
            }
            _ => {
                input.advance(1);
                Symbol
            }
        };
        Ok(Some(kind))
    }

    fn at_delimiter<I: Input>(&self, input: &mut I) -> bool {
        !self.delimiter.is_empty()
            && input
                .window(self.delimiter.len())
                .starts_with(&self.delimiter)
    }

    fn white_space<I: Input>(&mut self, input: &mut I) {
        loop {
            let window = input.window(1);
            let length = window
                .iter()
                .position(|byte| !is_space(*byte))
                .unwrap_or(window.len());
            let done = length < window.len() || window.is_empty();
            if self.escape_continuation == Continuation::SameLine
                && window.iter().take(length).any(|byte| is_line_end(*byte))
            {
                self.escape_continuation = Continuation::NextLine;
            }
            input.advance(length);
            if done {
                return;
            }
        }
    }

    /// Up to the line end, which is not part of it. Only PostgreSQL also ends it at a lone `\r`.
    fn line_comment<I: Input>(&self, input: &mut I) {
        loop {
            let window = input.window(1);
            let end = if self.dialect == Dialect::Postgres {
                memchr2(b'\n', b'\r', window)
            } else {
                memchr(b'\n', window)
            };
            let length = end.unwrap_or(window.len());
            let done = end.is_some() || window.is_empty();
            input.advance(length);
            if done {
                return;
            }
        }
    }

    fn block_comment<I: Input>(
        &mut self,
        input: &mut I,
        third: Option<u8>,
    ) -> Result<TokenKind, Unterminated> {
        let mysql = self.dialect == Dialect::Mysql;
        if mysql && !self.in_conditional {
            let marker = match (third, input.window(4).get(3)) {
                (Some(b'!'), _) => 3,
                (Some(b'M'), Some(b'!')) => 4,
                _ => 0,
            };
            if marker > 0 {
                input.advance(marker);
                self.run(input, |byte| byte.is_ascii_digit());
                self.in_conditional = true;
                return Ok(TokenKind::ConditionalOpen);
            }
        }
        input.advance(2);
        let mut depth = 1_usize;
        while depth > 0 {
            let window = input.window(2);
            if window.len() < 2 {
                return Err(Unterminated("comment"));
            }
            match memchr2(b'*', b'/', window) {
                Some(0) if window.starts_with(b"*/") => {
                    depth -= 1;
                    input.advance(2);
                }
                Some(0) if window.starts_with(b"/*") && self.dialect == Dialect::Postgres => {
                    depth += 1;
                    input.advance(2);
                }
                Some(0) => input.advance(1),
                Some(length) => input.advance(length),
                None => {
                    let length = window.len();
                    input.advance(length);
                }
            }
        }
        Ok(if third == Some(b'+') {
            TokenKind::Hint
        } else {
            TokenKind::BlockComment
        })
    }

    /// A literal in single quotes; the cursor is on the opening quote.
    fn string<I: Input>(&mut self, input: &mut I, escapes: bool) -> Result<(), Unterminated> {
        input.advance(1);
        quoted(input, b'\'', escapes, "string literal")?;
        self.escape_continuation = if escapes {
            Continuation::SameLine
        } else {
            Continuation::None
        };
        Ok(())
    }

    /// `$1`, `$tag$ … $tag$`, or a lone `$`.
    fn dollar<I: Input>(&self, input: &mut I) -> Result<TokenKind, Unterminated> {
        let mut length = 1;
        loop {
            let window = input.window(length + 1);
            match window.get(length) {
                Some(b'$') => break,
                Some(byte) if is_word(*byte) && (length > 1 || !byte.is_ascii_digit()) => {
                    length += 1;
                }
                _ => {
                    let parameter = window.get(1).is_some_and(u8::is_ascii_digit);
                    input.advance(1);
                    if parameter {
                        self.run(input, |byte| byte.is_ascii_digit());
                        return Ok(TokenKind::Number);
                    }
                    return Ok(TokenKind::Symbol);
                }
            }
        }
        let tag = input.window(length + 1)[..=length].to_vec();
        input.advance(length + 1);
        loop {
            let window = input.window(tag.len());
            if window.len() < tag.len() {
                return Err(Unterminated("dollar-quoted string"));
            }
            if window.starts_with(&tag) {
                input.advance(tag.len());
                return Ok(TokenKind::Literal);
            }
            // On to the next `$`, which may be the one that ends a failed match.
            let next = memchr(b'$', &window[1..]).map_or(window.len(), |index| index + 1);
            input.advance(next);
        }
    }

    /// Moves over bytes that belong to a word, but not over a delimiter: the mysql client ends a
    /// statement at `END$$` too.
    fn run<I: Input>(&self, input: &mut I, belongs: impl Fn(u8) -> bool) {
        if self.delimiter.is_empty() {
            loop {
                let window = input.window(1);
                let end = window.iter().position(|byte| !belongs(*byte));
                let length = end.unwrap_or(window.len());
                let done = end.is_some() || window.is_empty();
                input.advance(length);
                if done {
                    return;
                }
            }
        }
        while !self.at_delimiter(input)
            && input.window(1).first().is_some_and(|byte| belongs(*byte))
        {
            input.advance(1);
        }
    }
}

/// Up to and including the closing quote; the cursor is after the opening one. A doubled quote
/// stands for itself, and with `escapes` so does what follows a backslash.
fn quoted<I: Input>(
    input: &mut I,
    quote: u8,
    escapes: bool,
    what: &'static str,
) -> Result<(), Unterminated> {
    let escape = if escapes { b'\\' } else { quote };
    loop {
        let window = input.window(2);
        if window.is_empty() {
            return Err(Unterminated(what));
        }
        match memchr2(quote, escape, window) {
            None => {
                let length = window.len();
                input.advance(length);
            }
            Some(0) if window[0] == quote => {
                if window.get(1) != Some(&quote) {
                    input.advance(1);
                    return Ok(());
                }
                input.advance(2);
            }
            Some(0) => {
                let length = window.len().min(2);
                input.advance(length);
            }
            Some(length) => input.advance(length),
        }
    }
}

fn skip_past<I: Input>(input: &mut I, end: u8) -> Option<()> {
    loop {
        let window = input.window(1);
        if window.is_empty() {
            return None;
        }
        let found = memchr(end, window);
        let length = found.map_or(window.len(), |index| index + 1);
        input.advance(length);
        if found.is_some() {
            return Some(());
        }
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Bytes of names without quotes; all of them also continue a name. Every byte of a character
/// outside ASCII counts, so no token ever cuts one.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}
