//! What a literal stands for.

use super::super::mysql_type::literal;
use crate::Dialect;

/// The text that a literal stands for.
pub(super) fn decoded(text: &str, dialect: Dialect) -> String {
    match (dialect, text.as_bytes()) {
        (Dialect::Mysql, _) => literal(text),
        (Dialect::Sqlite, _) => undoubled(text),
        (Dialect::Postgres, [b'$', ..]) => {
            let tag = text.split('$').nth(1).unwrap_or_default().len() + 2;
            let inner = text.get(tag..text.len().saturating_sub(tag));
            inner.unwrap_or_default().to_owned()
        }
        (Dialect::Postgres, [b'e' | b'E', ..]) => {
            unescaped(&undoubled(text.get(1..).unwrap_or_default()))
        }
        (Dialect::Postgres, [b'u' | b'U', ..]) => {
            of_code_points(&undoubled(text.get(2..).unwrap_or_default()))
        }
        (Dialect::Postgres, _) => undoubled(text),
    }
}

/// What stands between quotes, which are doubled in it.
fn undoubled(text: &str) -> String {
    let inner = text.strip_prefix('\'').unwrap_or(text);
    let inner = inner.strip_suffix('\'').unwrap_or(inner);
    inner.replace("''", "'")
}

/// A text with the escapes of PostgreSQL's `E'…'` (manual, "String Constants with C-Style Escapes").
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let escaped = characters.next();
        rest = characters.as_str();
        match escaped {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{C}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('x') => rest = push_digits(&mut out, rest, 1..=2, 16),
            Some('u') => rest = push_digits(&mut out, rest, 4..=4, 16),
            Some('U') => rest = push_digits(&mut out, rest, 8..=8, 16),
            Some('0'..='7') => {
                let digits = after;
                rest = push_digits(&mut out, digits, 1..=3, 8);
            }
            other => out.extend(other),
        }
    }
    out.push_str(rest);
    out
}

/// A text with the escapes of PostgreSQL's `U&'…'`.
fn of_code_points(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = if let Some(after) = after.strip_prefix('\\') {
            out.push('\\');
            after
        } else if let Some(digits) = after.strip_prefix('+') {
            push_digits(&mut out, digits, 6..=6, 16)
        } else {
            push_digits(&mut out, after, 4..=4, 16)
        };
    }
    out.push_str(rest);
    out
}

/// Adds the character of the digits that `text` begins with, and gives what follows them.
fn push_digits<'a>(
    out: &mut String,
    text: &'a str,
    count: std::ops::RangeInclusive<usize>,
    radix: u32,
) -> &'a str {
    let digits = text
        .bytes()
        .take(*count.end())
        .take_while(|byte| char::from(*byte).is_digit(radix));
    let (digits, rest) = text.split_at(digits.count());
    let number = u32::from_str_radix(digits, radix).ok();
    let number = number.filter(|_| count.contains(&digits.len()));
    out.extend(number.and_then(char::from_u32));
    rest
}
