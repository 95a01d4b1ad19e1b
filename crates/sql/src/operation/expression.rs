//! Expressions, as far as rules look into them.

use std::ops::Range;

use crate::Dialect;
use crate::lexer::{TokenKind, Tokens};

/// An expression, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
}

impl Expression {
    /// The functions that it calls, in lower case, without schema: names with `(` after them, and the words that are
    /// functions without it, such as `current_timestamp`.
    pub fn functions(&self, dialect: Dialect) -> Vec<String> {
        let mut functions = Vec::new();
        let mut before: Option<String> = None;
        for (kind, text) in Tokens::new(dialect, &self.text) {
            match kind {
                kind if kind.is_trivia() => continue,
                TokenKind::Symbol if text == "(" => functions.extend(before.take()),
                _ => {}
            }
            before = match kind {
                TokenKind::Word => {
                    let word = text.to_ascii_lowercase();
                    if is_function_word(&word) {
                        functions.push(word);
                        None
                    } else {
                        Some(word)
                    }
                }
                TokenKind::QuotedName => Some(text.trim_matches(['"', '`', '[', ']']).to_owned()),
                _ => None,
            };
        }
        functions
    }

    /// Whether it is one literal or `NULL`, `TRUE`, `FALSE`, possibly with a sign, a cast or in parentheses.
    pub fn is_constant(&self, dialect: Dialect) -> bool {
        let mut casting = false;
        for (kind, text) in Tokens::new(dialect, &self.text) {
            match kind {
                kind if kind.is_trivia() => {}
                TokenKind::Literal | TokenKind::Number => casting = false,
                TokenKind::Symbol if text == ":" => casting = true,
                TokenKind::Symbol if "()+-.,[]".contains(text) => {}
                TokenKind::Word if casting => {}
                TokenKind::Word
                    if matches!(
                        text.to_ascii_lowercase().as_str(),
                        "null" | "true" | "false"
                    ) => {}
                _ => return false,
            }
        }
        true
    }

    /// The column of a check that is nothing but `column IS NOT NULL`.
    pub fn not_null_column(&self, dialect: Dialect) -> Option<String> {
        let words: Vec<&str> = Tokens::new(dialect, &self.text)
            .filter(|(kind, text)| !kind.is_trivia() && !"()".contains(text))
            .map(|(_, text)| text)
            .collect();
        match words.as_slice() {
            [column, is, not, null]
                if is.eq_ignore_ascii_case("is")
                    && not.eq_ignore_ascii_case("not")
                    && null.eq_ignore_ascii_case("null") =>
            {
                let plain = column.trim_matches(['"', '`', '[', ']']);
                Some(
                    match plain.len() == column.len() && dialect == Dialect::Postgres {
                        true => plain.to_ascii_lowercase(),
                        false => plain.to_owned(),
                    },
                )
            }
            _ => None,
        }
    }

    /// The conditions that all must be true for it to be: what stands between the `AND`s that are in no parentheses. It
    /// itself when there are none, or an `OR`.
    pub fn conjuncts(&self, dialect: Dialect) -> Vec<Self> {
        let mut parts = vec![String::new()];
        let mut depth = 0_usize;
        for (kind, text) in Tokens::new(dialect, &self.text) {
            match text {
                "(" if kind == TokenKind::Symbol => depth += 1,
                ")" if kind == TokenKind::Symbol => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is =
                |word| depth == 0 && kind == TokenKind::Word && text.eq_ignore_ascii_case(word);
            if is("or") || is("case") {
                return vec![self.clone()];
            }
            if is("and") {
                parts.push(String::new());
            } else if let Some(last) = parts.last_mut() {
                last.push_str(text);
            }
        }
        let parts = parts.into_iter().map(|text| Self {
            text: text.trim().to_owned(),
            span: self.span.clone(),
        });
        parts.collect()
    }

    /// Whether it names this column as a word of its own.
    pub fn names(&self, dialect: Dialect, column: &str) -> bool {
        Tokens::new(dialect, &self.text).any(|(kind, text)| match kind {
            TokenKind::Word => text.eq_ignore_ascii_case(column),
            TokenKind::QuotedName => text.trim_matches(['"', '`', '[', ']']) == column,
            _ => false,
        })
    }
}

/// Words that call a function without parentheses.
fn is_function_word(word: &str) -> bool {
    matches!(
        word,
        "current_timestamp"
            | "current_date"
            | "current_time"
            | "localtime"
            | "localtimestamp"
            | "current_user"
            | "session_user"
            | "current_role"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Expression {
        Expression {
            text: text.to_owned(),
            span: 0..text.len(),
        }
    }

    #[test]
    fn functions_are_what_is_called() {
        let functions =
            expression("coalesce(now(), pg_catalog.clock_timestamp()) + CURRENT_DATE - a")
                .functions(Dialect::Postgres);
        assert_eq!(
            functions,
            ["coalesce", "now", "clock_timestamp", "current_date"]
        );
    }

    #[test]
    fn constants_are_literals_with_signs_and_casts() {
        for constant in [
            "1",
            "-1.5",
            "'x'",
            "'{}'::jsonb",
            "(NULL)",
            "true",
            "'x'::varchar(5)",
        ] {
            assert!(
                expression(constant).is_constant(Dialect::Postgres),
                "{constant}"
            );
        }
        for other in [
            "now()",
            "a",
            "1 + b",
            "gen_random_uuid()",
            "CURRENT_TIMESTAMP",
        ] {
            assert!(!expression(other).is_constant(Dialect::Postgres), "{other}");
        }
    }

    #[test]
    fn conditions_are_told_apart_where_all_must_be_true() {
        let parts = |text| {
            let parts = expression(text).conjuncts(Dialect::Postgres);
            parts.into_iter().map(|part| part.text).collect::<Vec<_>>()
        };
        assert_eq!(
            parts("a > 0 AND (b OR c) and d"),
            ["a > 0", "(b OR c)", "d"]
        );
        assert_eq!(parts("a AND b OR c"), ["a AND b OR c"]);
    }

    #[test]
    fn a_not_null_check_tells_its_column() {
        let column = |text| expression(text).not_null_column(Dialect::Postgres);
        assert_eq!(column("(Email IS NOT NULL)").as_deref(), Some("email"));
        assert_eq!(column("\"Email\" is not null").as_deref(), Some("Email"));
        assert_eq!(column("a IS NOT NULL AND b IS NOT NULL"), None);
        assert_eq!(column("a > 0"), None);
    }
}
