//! Durations as people type them: `300` (seconds), `500ms`, `5m`, `1h30m`.

use std::time::Duration;

use thiserror::Error;

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "\"{text}\" is not a duration: {reason}; write seconds (300) or numbers with units (500ms, 30s, 5m, 1h30m, 2d)"
)]
pub struct DurationError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A hundred years: beyond any use, and far below where adding to a clock overflows.
const LONGEST_MILLISECONDS: u64 = 36_500 * 86_400_000;

/// Reads a duration: a whole number of seconds, or whole numbers each followed by a unit
/// (`d`, `h`, `m`, `s`, `ms`), from the largest unit to the smallest, without spaces between.
/// Space around it is ignored; units may be in capitals.
///
/// # Errors
/// Says what is wrong and shows the accepted forms.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let fail = |reason| DurationError {
        text: text.chars().take(64).collect(),
        reason,
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail("it is empty"));
    }
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest
            .parse::<u64>()
            .ok()
            .and_then(|seconds| seconds.checked_mul(1_000))
            .and_then(within_limit)
            .ok_or_else(|| fail("the number is too large"));
    }
    let mut total: u64 = 0;
    let mut allowed = &UNITS[..];
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(fail(match rest.chars().next() {
                Some('-') => "it must not be negative",
                Some('.' | ',') => "only whole numbers are accepted",
                _ => "a number is expected before each unit",
            }));
        }
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        if unit.is_empty() {
            return Err(fail(match after.chars().next() {
                Some('.' | ',') => "only whole numbers are accepted",
                _ => "each number needs a unit",
            }));
        }
        if !UNITS
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(unit))
        {
            return Err(fail("the units are d, h, m, s and ms"));
        }
        let Some(index) = allowed
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(unit))
        else {
            return Err(fail("units go from the largest to the smallest, each once"));
        };
        let (_, milliseconds) = allowed.get(index).copied().unwrap_or(("", 0));
        allowed = allowed.get(index + 1..).unwrap_or_default();
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(milliseconds))
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| fail("the number is too large"))?;
        rest = after;
    }
    within_limit(total).ok_or_else(|| fail("the number is too large"))
}

fn within_limit(milliseconds: u64) -> Option<Duration> {
    (milliseconds <= LONGEST_MILLISECONDS).then(|| Duration::from_millis(milliseconds))
}

/// Writes a duration so that [`parse_duration`] reads it back: `1h30m`, `500ms`, `0s`.
/// What is below a millisecond is dropped.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (name, milliseconds) in UNITS {
        let count = rest / u128::from(milliseconds);
        rest %= u128::from(milliseconds);
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(name);
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for (text, milliseconds) in [
            ("300", 300_000),
            ("0", 0),
            (" 5m ", 300_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1H", 3_600_000),
            ("1m500ms", 60_500),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_millis(milliseconds),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, reason) in [
            ("", "empty"),
            ("-5s", "negative"),
            ("1.5s", "whole numbers"),
            ("5 m", "needs a unit"),
            ("5x", "the units are"),
            ("1m1h", "largest to the smallest"),
            ("1m1m", "each once"),
            ("m", "a number is expected"),
            ("5m3", "needs a unit"),
            ("99999999999999999999", "too large"),
            ("99999999999999998", "too large"),
            ("18446744073709551615d", "too large"),
            ("36500d1ms", "too large"),
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(error.contains("1h30m"), "{error}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["1h30m", "500ms", "0s", "2d1ms", "59s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(format_duration(Duration::from_secs(300)), "5m");
        assert_eq!(format_duration(Duration::from_micros(1500)), "1ms");
    }
}
