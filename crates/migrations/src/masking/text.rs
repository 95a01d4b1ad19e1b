//! SQL, and sentences that quote it: `IDENTIFIED BY '…'`, `PASSWORD '…'`, `password=…`, `scheme://user:…@host`.

use super::{HIDDEN, is_secret, without_password};

/// What may stand between the word and the literal, or between two literals of which the second is secret as well.
const FILLERS: [&str; 13] = [
    "by",
    "with",
    "as",
    "using",
    "for",
    "to",
    "via",
    "or",
    "and",
    "replace",
    "encrypted",
    "unencrypted",
    "hash",
];
/// What follows `IDENTIFIED`, however that is spelled.
const AFTER_IDENTIFIED: [&str; 4] = ["by", "with", "via", "as"];
/// A secret that is shorter is not looked for elsewhere: too much else is spelled like it.
const SHORTEST: usize = 3;

/// The text with secrets hidden.
pub fn mask_text(text: &str) -> String {
    Scan::of(text).masked
}

/// The same for what a server says about `sql`: it may quote a secret of it without the word that tells.
pub fn mask_text_about(text: &str, sql: &str) -> String {
    let mut masked = mask_text(text);
    for secret in Scan::of(sql).secrets {
        if secret.chars().count() >= SHORTEST && secret != HIDDEN {
            masked = masked.replace(secret, HIDDEN);
        }
    }
    masked
}

#[derive(Default)]
struct Scan<'a> {
    masked: String,
    secrets: Vec<&'a str>,
}

impl<'a> Scan<'a> {
    fn of(text: &'a str) -> Self {
        let mut scan = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if !starts_word(first) {
                rest = scan.keep(rest, first.len_utf8());
                continue;
            }
            let word = word(rest);
            let after = rest.get(word.len()..).unwrap_or_default();
            if after.starts_with("://") {
                let end = rest.find(ends_value).unwrap_or(rest.len());
                let url = rest.get(..end).unwrap_or_default();
                let hidden = without_password(url);
                if hidden == url {
                    // Parameters of it are looked at as words.
                    rest = scan.keep(rest, word.len() + 3);
                } else {
                    let host = url.rfind('@').unwrap_or_default();
                    let shown = hidden.rfind('@').unwrap_or_default();
                    scan.masked
                        .push_str(hidden.get(..shown).unwrap_or_default());
                    let between = word.len() + 3..host;
                    let user = url.get(between).and_then(|user| user.split_once(':'));
                    scan.secrets.extend(user.map(|(_, password)| password));
                    rest = rest.get(host..).unwrap_or_default();
                }
                continue;
            }
            rest = scan.keep(rest, word.len());
            if tells(word, rest) {
                rest = scan.value(rest);
            }
        }
        scan
    }

    /// Takes over what is not secret, and returns the rest.
    fn keep(&mut self, rest: &'a str, bytes: usize) -> &'a str {
        let (kept, rest) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
        self.masked.push_str(kept);
        rest
    }

    /// Hides what follows a word that tells, and returns the rest.
    fn value(&mut self, mut rest: &'a str) -> &'a str {
        // Set apart from the word: a quote right after it ends a quoted name.
        let mut apart = false;
        let mut assigned = false;
        if let Some(after) = rest.strip_prefix(['\'', '"', '`'])
            && after.trim_start().starts_with(['=', ':'])
        {
            rest = self.keep(rest, 1);
        }
        while let Some(first) = rest.chars().next() {
            match first {
                _ if first.is_whitespace() => {
                    apart = true;
                    rest = self.keep(rest, first.len_utf8());
                }
                '=' => {
                    assigned = true;
                    apart = true;
                    rest = self.keep(rest, 1);
                }
                '(' | ':' | '@' if !assigned || first == '(' => {
                    apart = true;
                    rest = self.keep(rest, 1);
                }
                '\'' | '"' if apart => {
                    rest = self.hide(rest, literal(rest, first), 1);
                    (apart, assigned) = (false, false);
                }
                '$' if apart && let Some(length) = dollar_quoted(rest) => {
                    rest = self.hide(rest, length, 2);
                    (apart, assigned) = (false, false);
                }
                _ if starts_word(first) => {
                    let next = word(rest);
                    let after = rest.get(next.len()..).unwrap_or_default();
                    let lower = next.to_ascii_lowercase();
                    let prefix = is_prefix(&lower) && after.starts_with(['\'', '"'])
                        || lower == "u" && after.starts_with("&'");
                    let filler = FILLERS.contains(&lower.as_str()) || is_secret(&lower);
                    if prefix || (filler && !after.starts_with(ends_filler)) {
                        apart = true;
                        let ampersand = usize::from(prefix && after.starts_with('&'));
                        rest = self.keep(rest, next.len() + ampersand);
                    } else if assigned {
                        return self.hide_plain(rest);
                    } else {
                        return rest;
                    }
                }
                _ if assigned && !ends_value(first) => return self.hide_plain(rest),
                _ => return rest,
            }
        }
        rest
    }

    /// Hides a literal of this length; `quote` is the length of a quote.
    fn hide(&mut self, rest: &'a str, length: usize, quote: usize) -> &'a str {
        let (literal, mut rest) = rest.split_at_checked(length).unwrap_or((rest, ""));
        // Quotes inside of quotes can end it too early.
        if rest.starts_with(char::is_alphanumeric) {
            let more = rest.find(ends_value).unwrap_or(rest.len());
            rest = rest.get(more..).unwrap_or_default();
        }
        let inside = literal.get(quote..literal.len().saturating_sub(quote));
        self.secrets.extend(inside.filter(|text| !text.is_empty()));
        self.masked.push('\'');
        self.masked.push_str(HIDDEN);
        self.masked.push('\'');
        rest
    }

    /// Hides a value without quotes.
    fn hide_plain(&mut self, rest: &'a str) -> &'a str {
        let end = rest.find(ends_value).unwrap_or(rest.len());
        let (value, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        self.secrets.push(value);
        self.masked.push_str(HIDDEN);
        rest
    }
}

/// Whether a secret may follow this word.
fn tells(word: &str, rest: &str) -> bool {
    let word = word.to_ascii_lowercase();
    if word.contains("entif") {
        let next = self::word(rest.trim_start()).to_ascii_lowercase();
        return AFTER_IDENTIFIED.contains(&next.as_str());
    }
    // What is no password is quoted in sentences, too (`Token "x" is invalid`), unless it is assigned.
    let named = ["pass", "pasw", "pwd", "secret"];
    let assigned = rest
        .trim_start_matches(['\'', '"', '`', ' '])
        .starts_with('=');
    named.iter().any(|name| word.contains(name)) || (assigned && is_secret(&word))
}

fn starts_word(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn word(text: &str) -> &str {
    let inside = |character: char| character.is_alphanumeric() || "_-".contains(character);
    let end = text.find(|character| !inside(character));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn ends_value(character: char) -> bool {
    character.is_whitespace() || "'\"`,;&)".contains(character)
}

/// A filler that is the name of something: `for.x`, `and-so-on`.
fn ends_filler(character: char) -> bool {
    character == '.'
}

/// `E'…'`, `N'…'`, `X'…'`, `U&'…'`, `_utf8mb4'…'`.
fn is_prefix(lower: &str) -> bool {
    matches!(lower, "e" | "n" | "b" | "x" | "u") || lower.starts_with('_')
}

/// Length of the literal at the start, with its quotes. One that does not end goes to the end of the text.
fn literal(text: &str, quote: char) -> usize {
    // Within another literal quotes are doubled: `'password=''a b'' user=u'`.
    let doubled = if quote == '"' { "\"\"" } else { "''" };
    if let Some(inside) = text.strip_prefix(doubled)
        && inside.starts_with(|first| !ends_value(first))
    {
        return inside
            .find(doubled)
            .map_or(text.len(), |end| end + 2 * doubled.len());
    }
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((offset, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return offset + 1;
        }
    }
    text.len()
}

/// Length of the `$tag$…$tag$` at the start.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..tag_end)?;
    let plain = |character: char| character.is_alphanumeric() || "_$".contains(character);
    if !tag.chars().all(plain) {
        return None;
    }
    let end = text.get(tag_end..)?.find(tag);
    Some(end.map_or(text.len(), |end| tag_end + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_sql_are_hidden() {
        for (text, expected) in [
            (
                "create user x identified by 'a b'",
                "create user x identified by '***'",
            ),
            (
                "near 'identifed by 'Leak1'' at line 1",
                "near 'identifed by '***'",
            ),
            (
                "create user x identified with mysql_native_password by 'a' replace 'b' require ssl",
                "create user x identified with mysql_native_password by '***' replace '***' require ssl",
            ),
            (
                "create user x identified via 'plugin' using PASSWORD('a')",
                "create user x identified via '***' using PASSWORD('***')",
            ),
            (
                "set password for 'u'@'h' = 'x';",
                "set password for '***'@'***' = '***';",
            ),
            (
                "set password = password('x')",
                "set password = password('***')",
            ),
            (
                "begin; select 1; alter user postgres password 'Leak'; select 'x'",
                "begin; select 1; alter user postgres password '***'; select 'x'",
            ),
            (
                "create role r with encrypted password E'a\\'b' login",
                "create role r with encrypted password E'***' login",
            ),
            (
                "alter role r password $a$x$a$ login",
                "alter role r password '***' login",
            ),
            (
                "alter role r password U&'x'",
                "alter role r password U&'***'",
            ),
            (
                "connection 'host=h password=x user=u' publication p",
                "connection 'host=h password=*** user=u' publication p",
            ),
            (
                "options (user 'u', password 'p''q')",
                "options (user 'u', password '***')",
            ),
            (
                "dblink('password=''a b'' host=h')",
                "dblink('password='***' host=h')",
            ),
            (
                "ATTACH 'postgres://u:p@ss@h/d?password=x&a=b'",
                "ATTACH 'postgres://u:***@h/d?password=***&a=b'",
            ),
            (
                "update t set \"password\" = 'x' where a = 'b'",
                "update t set \"password\" = '***' where a = 'b'",
            ),
            (
                "{\"password\": \"x\", \"a\": \"b\"}",
                "{\"password\": '***', \"a\": \"b\"}",
            ),
            (
                "alter user x password 'cut of",
                "alter user x password '***'",
            ),
            ("set api_token = 'x'", "set api_token = '***'"),
        ] {
            assert_eq!(mask_text(text), expected);
        }
    }

    #[test]
    fn sentences_stay_as_they_are() {
        for text in [
            "password authentication failed for user \"bob\"",
            "column \"password\" of relation \"users\" does not exist",
            "null value in column password violates a constraint",
            "Unknown column 'password' in 'field list'",
            "Access denied for user 'x'@'localhost' (using password: YES)",
            "Token \"abc\" is invalid.",
            "identifier \"too_long\" will be truncated to \"too\"",
            "syntax error at or near \"passwrd\"",
            "select 'a' from users where id = 5 -- https://example.com/a:b",
            "alter user x password expire interval 90 day",
            "日本 password",
            "",
        ] {
            assert_eq!(mask_text(text), text);
        }
    }

    #[test]
    fn a_secret_of_the_statement_is_hidden_wherever_it_is_quoted() {
        let sql = "alter user x password \"hunter2\"";
        assert_eq!(
            mask_text_about("syntax error at or near \"\"hunter2\"\"", sql),
            "syntax error at or near \"\"***\"\""
        );
        assert_eq!(
            mask_text_about("type \"x\" does not exist", sql),
            "type \"x\" does not exist"
        );
    }
}
