//! Values that may be written in more than one way: text, a whole number or a truth value; a duration; a switch
//! with a setting.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Text, or a whole number or truth value that stands for its text: `5432` is `"5432"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Text, as it is.
    Text(String),
    /// `true` or `false`.
    Switch(bool),
    /// A whole number.
    Number(i64),
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Switch(switch) => write!(formatter, "{switch}"),
            Self::Number(number) => write!(formatter, "{number}"),
        }
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Text; a whole number or a truth value stands for its text.",
            "type": ["string", "integer", "boolean"],
        })
    }
}

/// A duration in whole seconds, written as a number of seconds (`300`, `"300"`) or with units (`"5m"`,
/// `"1h30m"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Scalar")]
pub struct Seconds(pub u32);

/// A text that is no duration.
#[derive(Debug, thiserror::Error)]
#[error("not a duration: write seconds (300) or units (5m, 1h30m, 90s)")]
pub struct NotADuration;

impl TryFrom<Scalar> for Seconds {
    type Error = NotADuration;

    fn try_from(scalar: Scalar) -> Result<Self, NotADuration> {
        match scalar {
            Scalar::Text(text) => seconds(&text),
            Scalar::Number(number) => u32::try_from(number).ok(),
            Scalar::Switch(_) => None,
        }
        .map(Self)
        .ok_or(NotADuration)
    }
}

/// `300`, `5m`, `1h30m`, `90s`; nothing else.
fn seconds(text: &str) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut rest = text;
    let mut total: u32 = 0;
    // Each unit once, the longest first.
    for (unit, factor) in [("h", 3600), ("m", 60), ("s", 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(factor)?)?;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

impl JsonSchema for Seconds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: seconds (`300`) or with units (`5m`, `1h30m`).",
            "type": ["string", "integer"],
            "minimum": 0,
            "maximum": 4_294_967_295_u32,
            "pattern": "^([0-9]{1,9}|([0-9]{1,5}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?)$",
            "minLength": 1,
        })
    }
}

/// `false` or absent: no; `true`: yes, with the default; a duration: yes, this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Wait {
    /// Whether to wait at all, for the default time.
    Switch(bool),
    /// How long to wait.
    For(Seconds),
}

impl Wait {
    /// How long to wait, in seconds; `None`: not at all.
    #[must_use]
    pub fn seconds(self, default: u32) -> Option<u32> {
        match self {
            Self::Switch(false) | Self::For(Seconds(0)) => None,
            Self::Switch(true) => Some(default),
            Self::For(Seconds(seconds)) => Some(seconds),
        }
    }
}

impl JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = generator.subschema_for::<Seconds>();
        json_schema!({
            "description": "`true` (300 seconds), `false`, or a duration.",
            "anyOf": [{"type": "boolean"}, duration],
        })
    }
}

/// One text, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Texts joined by commas.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The texts joined by commas, as Helm's annotations have them.
    #[must_use]
    pub fn joined(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::Many(texts) => texts.join(","),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_seconds_and_with_units() {
        for (text, expected) in [
            ("300", Some(300)),
            ("5m", Some(300)),
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("1h1s", Some(3601)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("5 m", None),
            ("5m1h", None),
            ("1.5h", None),
            ("-1", None),
            ("99999h99999h", None),
            ("4294967296", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
