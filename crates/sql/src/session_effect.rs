//! What a statement leaves behind in the session, as far as later statements rely on it.
//!
//! A script that is resumed runs in a new session. Settings that were made before can be made again; the value of a
//! MySQL user variable cannot, when it came from the data or from the moment.

use crate::{Classification, Dialect, LockClass};

/// What a statement leaves behind in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEffect {
    /// Nothing that is known.
    None,
    /// A setting; making it again has the same effect.
    Setting,
    /// Values of these user variables (without `@`), which cannot be had again.
    Variables(Vec<String>),
}

/// What a statement leaves behind in its session.
pub fn session_effect(
    dialect: Dialect,
    text: &str,
    classification: &Classification,
) -> SessionEffect {
    let plain = classification.lock == LockClass::Other;
    match (dialect, classification.verb.as_str()) {
        (_, "USE" | "PRAGMA") if plain => SessionEffect::Setting,
        (_, "ATTACH" | "DETACH" | "ATTACH DATABASE" | "DETACH DATABASE") => SessionEffect::Setting,
        (Dialect::Postgres, "SET" | "RESET") if plain => SessionEffect::Setting,
        (Dialect::Postgres, "SELECT") if text.contains("set_config(") => SessionEffect::Setting,
        (Dialect::Mysql, verb) => {
            let variables = user_variables(text);
            let upper = text.to_ascii_uppercase();
            let assigns = verb == "SET" || text.contains(":=") || upper.contains("INTO");
            if variables.is_empty() || !assigns {
                return if verb == "SET" && plain {
                    SessionEffect::Setting
                } else {
                    SessionEffect::None
                };
            }
            if verb == "SET" && plain && only_literals(text) {
                return SessionEffect::Setting;
            }
            SessionEffect::Variables(variables)
        }
        _ => SessionEffect::None,
    }
}

/// MySQL user variables that a statement mentions, in lower case, without `@`, each once.
pub fn user_variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in Code::new(text).filter_map(|part| match part {
        Part::Variable(name) => Some(name.to_lowercase()),
        Part::Other(_) => None,
    }) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether `SET @a = …, @b = …` gives nothing but literals and system variables to its variables: no functions, no
/// queries, no other user variables.
fn only_literals(text: &str) -> bool {
    let mut variables = 0_usize;
    let mut assignments = 0_usize;
    for part in Code::new(text) {
        match part {
            Part::Variable(_) => variables += 1,
            Part::Other('=') => assignments += 1,
            Part::Other('(' | ')' | '+' | '*' | '/') => return false,
            Part::Other(_) => {}
        }
    }
    variables <= assignments
}

enum Part<'a> {
    Variable(&'a str),
    Other(char),
}

/// A statement without its comments, strings and quoted names.
struct Code<'a> {
    rest: &'a str,
}

impl<'a> Code<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Skips `count` bytes, or to the end.
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// Skips what `quote` opened, the closing quote included.
    fn skip_quoted(&mut self, quote: char) {
        let mut characters = self.rest.char_indices();
        while let Some((index, character)) = characters.next() {
            if character == '\\' && quote != '`' {
                characters.next();
            } else if character == quote {
                return self.skip(index + 1);
            }
        }
        self.rest = "";
    }
}

impl<'a> Iterator for Code<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            let first = self.rest.chars().next()?;
            if self.rest.starts_with("/*") && !self.rest.starts_with("/*!") {
                let end = self.rest.find("*/").map_or(self.rest.len(), |end| end + 2);
                self.skip(end);
            } else if first == '#' || self.rest.starts_with("-- ") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.skip(end);
            } else if matches!(first, '\'' | '"' | '`') {
                self.skip(1);
                self.skip_quoted(first);
            } else if self.rest.starts_with("@@") {
                self.skip(2);
            } else if first == '@' {
                self.skip(1);
                if let Some(quote) = self
                    .rest
                    .chars()
                    .next()
                    .filter(|next| matches!(next, '\'' | '"' | '`'))
                {
                    self.skip(1);
                    let name = self.rest.split(quote).next().unwrap_or_default();
                    self.skip_quoted(quote);
                    return Some(Part::Variable(name));
                }
                let end = self
                    .rest
                    .find(|next: char| !(next.is_alphanumeric() || matches!(next, '_' | '.' | '$')))
                    .unwrap_or(self.rest.len());
                let name = &self.rest[..end];
                self.skip(end);
                if !name.is_empty() {
                    return Some(Part::Variable(name));
                }
            } else {
                self.skip(first.len_utf8());
                return Some(Part::Other(first));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify;

    fn effect(dialect: Dialect, text: &str) -> SessionEffect {
        session_effect(dialect, text, &classify(dialect, text))
    }

    fn variables(names: &[&str]) -> SessionEffect {
        SessionEffect::Variables(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn settings_can_be_made_again() {
        for text in [
            "SET foreign_key_checks = 0",
            "SET NAMES utf8mb4",
            "USE shop",
            "SET @x = 5, @y = 'a (b'",
            "SET @old = @@sql_mode",
        ] {
            assert_eq!(
                effect(Dialect::Mysql, text),
                SessionEffect::Setting,
                "{text}"
            );
        }
        for text in [
            "SET search_path = a",
            "RESET search_path",
            "SELECT pg_catalog.set_config('search_path', '', false)",
        ] {
            assert_eq!(
                effect(Dialect::Postgres, text),
                SessionEffect::Setting,
                "{text}"
            );
        }
        for text in [
            "PRAGMA foreign_keys = off",
            "ATTACH 'a.db' AS a",
            "ATTACH DATABASE 'a.db' AS a",
            "DETACH a",
        ] {
            assert_eq!(
                effect(Dialect::Sqlite, text),
                SessionEffect::Setting,
                "{text}"
            );
        }
    }

    #[test]
    fn values_from_the_data_cannot() {
        assert_eq!(
            effect(Dialect::Mysql, "SET @id = LAST_INSERT_ID()"),
            variables(&["id"])
        );
        assert_eq!(
            effect(Dialect::Mysql, "SET @a = @B"),
            variables(&["a", "b"])
        );
        assert_eq!(
            effect(Dialect::Mysql, "SELECT max(id) INTO @id FROM t"),
            variables(&["id"])
        );
        assert_eq!(
            effect(Dialect::Mysql, "SELECT @n := count(*) FROM t"),
            variables(&["n"])
        );
    }

    #[test]
    fn other_statements_leave_nothing() {
        assert_eq!(
            effect(
                Dialect::Mysql,
                "INSERT INTO t VALUES ('me@example.com', '@x')"
            ),
            SessionEffect::None
        );
        assert_eq!(
            effect(Dialect::Mysql, "CREATE TABLE t (a int) -- @x"),
            SessionEffect::None
        );
        assert_eq!(
            effect(
                Dialect::Mysql,
                "SET STATEMENT max_statement_time = 1 FOR DROP TABLE t"
            ),
            SessionEffect::None
        );
        assert_eq!(effect(Dialect::Postgres, "SELECT 1"), SessionEffect::None);
        assert_eq!(
            user_variables("SELECT `a@b`, @`odd name`, @@global.x, @y.z"),
            ["odd name", "y.z"]
        );
    }
}
