//! Values and names written into SQL text.
//!
//! Bookkeeping uses simple queries, since these work behind every pooler. The literals are therefore made to mean
//! the same whatever a script did to the session: `E'…'` does not depend on `standard_conforming_strings`.

use std::time::Duration;

use serde_json::Value;

/// A text literal. NUL cannot be stored by PostgreSQL and becomes U+FFFD.
pub(super) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 3);
    literal.push_str("E'");
    for character in value.chars() {
        match character {
            '\'' => literal.push_str("''"),
            '\\' => literal.push_str("\\\\"),
            '\0' => literal.push('\u{fffd}'),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// A text literal cut to the width of its column, so that a long host name never fails a run.
pub(super) fn limited(value: &str, characters: usize) -> String {
    match value.char_indices().nth(characters) {
        Some((end, _)) => text(&value[..end]),
        None => text(value),
    }
}

/// The same, or NULL.
pub(super) fn optional(value: Option<&str>, characters: usize) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| limited(value, characters))
}

/// A number, or NULL.
pub(super) fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

/// A quoted identifier.
pub(super) fn identifier(name: &str) -> String {
    format!(
        "\"{}\"",
        name.replace('"', "\"\"").replace('\0', "\u{fffd}")
    )
}

/// An interval.
pub(super) fn interval(duration: Duration) -> String {
    format!("interval '{} milliseconds'", duration.as_millis())
}

/// JSON. PostgreSQL's `jsonb` refuses `\u0000`.
pub(super) fn json(value: &Value) -> String {
    format!("{}::jsonb", text(&without_nul(value).to_string()))
}

fn without_nul(value: &Value) -> Value {
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(values) => Value::Array(values.iter().map(without_nul).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (clean(key), without_nul(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_do_not_end_a_literal() {
        assert_eq!(text(r"it's \ here"), r"E'it''s \\ here'");
        assert_eq!(identifier(r#"a"b"#), r#""a""b""#);
        assert_eq!(limited("abc", 2), "E'ab'");
    }

    #[test]
    fn json_has_no_nul() {
        assert_eq!(
            json(&serde_json::json!({"a": "x\0y"})),
            "E'{\"a\":\"x\u{fffd}y\"}'::jsonb"
        );
    }
}
