//! What a scalar without quotes means.
//!
//! The rules of the YAML library behind Helm and kubectl (sigs.k8s.io/yaml 1.6 on go.yaml.in/yaml/v2, file
//! `resolve.go`), not those of a YAML specification: booleans and octal numbers of YAML 1.1, `0o` and `_` in
//! numbers, dates that stay text, no numbers to the base 60.

use serde_json::Number;

use super::Data;

/// A number that JSON, and so Kubernetes, has no way to write: `.inf` or `.nan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotFinite;

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Result<Data, NotFinite> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Data::Boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Data::Boolean(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return Err(NotFinite),
        _ => match number(text) {
            Some(number) => Data::Number(number),
            None => Data::Text(text.to_owned()),
        },
    })
}

/// The number that a plain scalar is, if it is one.
fn number(text: &str) -> Option<Number> {
    match text.bytes().next()? {
        // Here an underscore may only stand between digits; below, anywhere.
        b'.' => float(&without_single_underscores(text)?),
        b'0'..=b'9' | b'+' | b'-' => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain))
        }
        _ => None,
    }
}

/// `None` where an underscore stands elsewhere than between digits.
fn without_single_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |place: Option<usize>| {
        place
            .and_then(|place| bytes.get(place))
            .is_some_and(u8::is_ascii_digit)
    };
    let misplaced = (0..bytes.len()).any(|place| {
        bytes[place] == b'_' && !(is_digit(place.checked_sub(1)) && is_digit(Some(place + 1)))
    });
    (!misplaced).then(|| text.replace('_', ""))
}

/// As Go's `ParseInt` and then `ParseUint` with base 0: `0x`, `0o`, `0b`, and `0` for octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match lower.as_deref() {
        Some("0x") if digits.len() > 2 => (16, &digits[2..]),
        Some("0o") if digits.len() > 2 => (8, &digits[2..]),
        Some("0b") if digits.len() > 2 => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None; // Rust would take a second sign.
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(size).map(Number::from);
    }
    // `ParseUint` takes no sign.
    if text.starts_with('+') && i64::try_from(size).is_err() {
        return None;
    }
    Some(Number::from(size))
}

/// A decimal number with or without a fraction and an exponent.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = match fraction {
        Some("") | None => digits(whole),
        Some(fraction) => digits(fraction) && (whole.is_empty() || digits(whole)),
    };
    let exponent_well_formed = exponent
        .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !well_formed || !exponent_well_formed {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| as_json(value))?
}

/// On its way through JSON, a number without a fraction loses its point and exponent.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "guarded by the limits"
)]
fn as_json(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
