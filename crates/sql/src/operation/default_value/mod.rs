//! Whether two defaults of a column are the same value.
//!
//! A server does not keep a default as it was written: PostgreSQL tells `'01:30:00'::interval` of `interval '90 minutes'`,
//! MariaDB `b'1'` of `TRUE`. Literals are therefore compared as values of the type of the column. Nothing here computes
//! an expression: two of them are the same when their words are, and with a server in between nobody can say more.

use super::{Expression, TypeName};
use crate::Dialect;
use crate::lexer::{TokenKind, Tokens};

mod escape;
mod moment;
mod plain;
#[cfg(test)]
mod tests;

use escape::decoded;
use plain::Plain;

impl Expression {
    /// Whether this default stores the same value in a column of this type as another one does; `None` where that
    /// cannot be told from their texts.
    pub fn is_same_default(
        &self,
        other: &Self,
        data_type: Option<&TypeName>,
        dialect: Dialect,
    ) -> Option<bool> {
        let (own, others) = (Value::of(self, dialect), Value::of(other, dialect));
        match (&own, &others) {
            (Value::Plain(own), Value::Plain(others)) => own.is_same(others, data_type, dialect),
            (Value::Computed { words: own, .. }, Value::Computed { words: others, .. }) => {
                (own == others).then_some(true)
            }
            (Value::Computed { calls, .. }, Value::Plain(_))
            | (Value::Plain(_), Value::Computed { calls, .. }) => calls.then_some(false),
        }
    }
}

/// What a default comes to.
enum Value {
    /// One literal.
    Plain(Plain),
    /// Anything else, in words that are the same for all spellings; whether it calls a function.
    Computed { words: Vec<String>, calls: bool },
}

type Token<'a> = (TokenKind, &'a str);

impl Value {
    fn of(expression: &Expression, dialect: Dialect) -> Self {
        let tokens: Vec<Token<'_>> = Tokens::new(dialect, &expression.text)
            .filter(|(kind, _)| !kind.is_trivia())
            .collect();
        let tokens = without_casts(&tokens, dialect);
        let tokens = bare(&tokens);
        match plain(tokens, dialect) {
            Some(plain) => Self::Plain(plain),
            None => Self::Computed {
                words: words(tokens, dialect),
                calls: !expression.functions(dialect).is_empty(),
            },
        }
    }
}

fn is_symbol(token: Option<&Token<'_>>, symbol: &str) -> bool {
    token.is_some_and(|(kind, text)| *kind == TokenKind::Symbol && *text == symbol)
}

fn is_word(token: Option<&Token<'_>>, words: &[&str]) -> bool {
    token.is_some_and(|(kind, text)| {
        *kind == TokenKind::Word && words.iter().any(|word| text.eq_ignore_ascii_case(word))
    })
}

fn is_name(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|(kind, _)| matches!(kind, TokenKind::Word | TokenKind::QuotedName))
}

/// The tokens without `::type` (PostgreSQL).
fn without_casts<'a>(tokens: &[Token<'a>], dialect: Dialect) -> Vec<Token<'a>> {
    let mut left = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let is_cast = is_symbol(Some(token), ":") && is_symbol(after.first(), ":");
        rest = match is_cast && dialect == Dialect::Postgres {
            true => after_type(after.get(1..).unwrap_or_default()),
            false => {
                left.push(*token);
                after
            }
        };
    }
    left
}

/// What follows the name of a type.
fn after_type<'a, 'b>(tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let mut place = usize::from(is_name(tokens.first()));
    while is_symbol(tokens.get(place), ".") && is_name(tokens.get(place + 1)) {
        place += 2;
    }
    loop {
        let rest = tokens.get(place..).unwrap_or_default();
        let arguments = |open, close| {
            let end = rest.iter().position(|token| is_symbol(Some(token), close));
            end.filter(|_| is_symbol(rest.first(), open))
        };
        if let Some(end) = arguments("(", ")").or_else(|| arguments("[", "]")) {
            place += end + 1;
        } else if is_word(rest.first(), &["varying", "precision"]) {
            place += 1;
        } else if is_word(rest.first(), &["with", "without"])
            && is_word(rest.get(1), &["time"])
            && is_word(rest.get(2), &["zone"])
        {
            place += 3;
        } else {
            return rest;
        }
    }
}

/// What is within the parentheses, the `CAST` and before the `COLLATE` around all of it.
fn bare<'a, 'b>(mut tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    loop {
        if let [inner @ .., collate, _] = tokens
            && is_word(Some(collate), &["collate"])
        {
            tokens = inner;
        } else if closes_at_end(tokens) {
            tokens = tokens.get(1..tokens.len() - 1).unwrap_or_default();
        } else if is_word(tokens.first(), &["cast"])
            && let Some(call) = tokens.get(1..).filter(|call| closes_at_end(call))
            && let Some(end) = call.iter().rposition(|token| is_word(Some(token), &["as"]))
        {
            tokens = call.get(1..end).unwrap_or_default();
        } else {
            return tokens;
        }
    }
}

/// Whether the first token opens a parenthesis and the last one closes it.
fn closes_at_end(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        if is_symbol(Some(token), "(") {
            depth += 1;
        } else if is_symbol(Some(token), ")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return place > 0 && place + 1 == tokens.len();
        }
    }
    false
}

/// The one literal that the tokens are.
fn plain(tokens: &[Token<'_>], dialect: Dialect) -> Option<Plain> {
    let before = tokens
        .iter()
        .position(|(kind, _)| *kind == TokenKind::Literal);
    let Some(before) = before else {
        return number(tokens, dialect);
    };
    let (before, literals) = tokens.split_at(before);
    let count = literals
        .iter()
        .take_while(|(kind, _)| *kind == TokenKind::Literal)
        .count();
    let (literals, after) = literals.split_at(count);
    let text: String = literals
        .iter()
        .map(|(_, text)| decoded(text, dialect))
        .collect();
    match (before, after) {
        ([], []) => Some(Plain::Text(text)),
        // `INTERVAL '1' DAY`
        ([(_, interval)], [(TokenKind::Word, unit)])
            if interval.eq_ignore_ascii_case("interval") && dialect == Dialect::Postgres =>
        {
            Some(Plain::Text(format!("{text} {unit}")))
        }
        // `B'101'`, `x'1F'`, `N'a'`, `_utf8mb4'a'`, `date '2020-01-01'`, `own.type 'a'`
        ([(TokenKind::Word, word)], []) => Plain::marked(&word.to_ascii_lowercase(), text, dialect),
        (words, []) if is_name(words.first()) && after_type(words).is_empty() => {
            Some(Plain::Text(text))
        }
        _ => None,
    }
}

/// A number with its sign, or one of the words that are values.
fn number(tokens: &[Token<'_>], dialect: Dialect) -> Option<Plain> {
    if let [(TokenKind::Word, word)] = tokens {
        let word = word.to_ascii_lowercase();
        return match (word.as_str(), dialect) {
            ("null", _) => Some(Plain::Null),
            ("true", Dialect::Mysql) => Some(Plain::Number("1".to_owned())),
            ("false", Dialect::Mysql) => Some(Plain::Number("0".to_owned())),
            ("true" | "false", _) => Some(Plain::Text(word)),
            _ => None,
        };
    }
    // The lexer cuts `1e-3` and `.5`.
    let text: String = tokens.iter().map(|(_, text)| *text).collect();
    let is_number = tokens.iter().all(|(kind, text)| match kind {
        TokenKind::Number => true,
        TokenKind::Symbol => matches!(*text, "+" | "-" | "."),
        _ => false,
    });
    if let Some(digits) = text.strip_prefix("0x").filter(|_| is_number) {
        return plain::bytes_of_hexadecimal(digits).map(Plain::Bytes);
    }
    (is_number && plain::decimal(&text).is_some()).then_some(Plain::Number(text))
}

/// Words in one spelling: small letters, literals as what they stand for, the name that a function is known by.
fn words(tokens: &[Token<'_>], dialect: Dialect) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(tokens.len());
    for (place, (kind, text)) in tokens.iter().enumerate() {
        let word = match kind {
            TokenKind::Literal => format!("'{}", decoded(text, dialect)),
            TokenKind::QuotedName => text.trim_matches(['"', '`']).to_owned(),
            _ => text.to_ascii_lowercase(),
        };
        let is_empty_call = word == ")" && words.last().is_some_and(|word| word == "(");
        if is_empty_call && place > 1 {
            words.pop();
            continue;
        }
        if word == "." && words.last().is_some_and(|word| word == "pg_catalog") {
            words.pop();
            continue;
        }
        words.push(match (word.as_str(), dialect) {
            ("now" | "transaction_timestamp", Dialect::Postgres)
            | ("now" | "localtime" | "localtimestamp", Dialect::Mysql) => {
                "current_timestamp".to_owned()
            }
            ("curdate", Dialect::Mysql) => "current_date".to_owned(),
            ("curtime", Dialect::Mysql) => "current_time".to_owned(),
            _ => word,
        });
    }
    words
}
