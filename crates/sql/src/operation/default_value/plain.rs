//! Literals, compared as values of a type: `t` is `true` to a boolean, and another text to a text.

use std::net::IpAddr;

use super::super::TypeName;
use super::moment::{self, Interval};
use crate::Dialect;

/// A literal, without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Text(String),
    /// With its sign, as written.
    Number(String),
    /// `x'41'`, `0x41`, `b'1'` of MySQL: a number or a text, as the type wants it.
    Bytes(Vec<u8>),
}

impl Plain {
    /// A literal with a word before it: a character set, a notation or a type.
    pub fn marked(word: &str, text: String, dialect: Dialect) -> Option<Self> {
        match (word, dialect) {
            ("not", _) => None,
            // Strings of bits to PostgreSQL.
            ("x", Dialect::Postgres) => {
                let digits = text.chars().map(|digit| digit.to_digit(16));
                let bits = digits.map(|digit| digit.map(|digit| format!("{digit:04b}")));
                Some(Self::Text(bits.collect::<Option<String>>()?))
            }
            ("x", _) => bytes_of_hexadecimal(&text).map(Self::Bytes),
            ("b", Dialect::Mysql) => {
                let number = u128::from_str_radix(&text, 2).ok()?;
                Some(Self::Bytes(number.to_be_bytes().to_vec()))
            }
            _ => Some(Self::Text(text)),
        }
    }

    /// Whether both are the same value to a type; `None` where that takes the server.
    pub fn is_same(
        &self,
        other: &Self,
        data_type: Option<&TypeName>,
        dialect: Dialect,
    ) -> Option<bool> {
        if self == other {
            return Some(true);
        }
        if [self, other].contains(&&Self::Null) {
            return Some(false);
        }
        let both = (self, other);
        let data_type = match data_type {
            Some(data_type) if data_type.array => return arrays(both, data_type, dialect),
            Some(data_type) => data_type,
            None => return of_unknown(both),
        };
        let postgres = dialect == Dialect::Postgres;
        let scale = |place| data_type.number(place).unwrap_or_default();
        match data_type.name.as_str() {
            "smallint" | "integer" | "bigint" | "numeric" | "oid" if postgres => {
                numbers(both, None)
            }
            "real" | "double precision" if postgres => floats(both, 1e-6),
            "boolean" if postgres => by(both, Self::truth),
            "bytea" if postgres => by(both, Self::escaped_bytes),
            "uuid" => by(both, |plain| plain.hexadecimal("{}-", 32)),
            "macaddr" if postgres => by(both, |plain| plain.hexadecimal(":-.", 12)),
            "inet" | "cidr" if postgres => by(both, Self::address),
            "jsonb" if postgres => documents(both),
            "interval" if postgres => by(both, |plain| Interval::of(plain.text()?)),
            "\"char\"" | "name" | "citext" | "json" | "xml" | "bit" | "varbit" if postgres => {
                texts(both, str::to_owned)
            }
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => numbers(both, Some(0)),
            "bit" => numbers(both, None),
            "decimal" => numbers(both, Some(scale(1))),
            "float" => floats(both, 1e-5),
            "double" => floats(both, 1e-14),
            "year" => by(both, Self::year),
            "enum" => texts(both, str::to_lowercase),
            "set" => texts(both, |text| {
                let mut members: Vec<String> = text.split(',').map(str::to_lowercase).collect();
                members.sort_unstable();
                members.dedup();
                members.join(",")
            }),
            "char" => texts(both, |text| text.trim_end_matches(' ').to_owned()),
            "varchar" | "text" | "tinytext" | "mediumtext" | "longtext" | "json" => {
                texts(both, str::to_owned)
            }
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                bytes(both, data_type.name == "binary")
            }
            "date" | "time" | "timetz" | "timestamp" | "timestamptz" | "datetime" => {
                moment::same(self.moment()?, other.moment()?, data_type, dialect)
            }
            _ => of_unknown(both),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A date or time as it is written; MySQL takes numbers as well.
    fn moment(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    fn decimal(&self) -> Option<String> {
        match self {
            Self::Number(text) | Self::Text(text) => decimal(text.trim()),
            Self::Bytes(bytes) => {
                let start = bytes.iter().take_while(|byte| **byte == 0).count();
                let bytes = bytes.get(start..).filter(|bytes| bytes.len() <= 16)?;
                let number = bytes
                    .iter()
                    .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
                Some(number.to_string())
            }
            Self::Null => None,
        }
    }

    /// What PostgreSQL reads as a boolean: the words, or enough of them.
    fn truth(&self) -> Option<bool> {
        let text = self.text()?.trim().to_ascii_lowercase();
        let begins = |words: &[&str]| words.iter().any(|word| word.starts_with(&text));
        match text.as_str() {
            "" | "o" => None,
            "1" | "on" => Some(true),
            "0" => Some(false),
            _ if begins(&["true", "yes"]) => Some(true),
            _ if begins(&["false", "no", "off"]) => Some(false),
            _ => None,
        }
    }

    /// A year of MySQL; `0` is another one as a text.
    fn year(&self) -> Option<u32> {
        match self.decimal()?.parse().ok()? {
            0 => None,
            year @ 1..70 => Some(2000 + year),
            year @ 70..100 => Some(1900 + year),
            year => Some(year),
        }
    }

    /// The bytes of a `bytea` (PostgreSQL manual, "Binary Data Types").
    fn escaped_bytes(&self) -> Option<Vec<u8>> {
        let text = self.text()?;
        if let Some(digits) = text.strip_prefix("\\x") {
            return bytes_of_hexadecimal(&digits.replace([' ', '\n', '\t'], ""));
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte != b'\\' {
                bytes.push(*byte);
            } else if let Some(after) = after.strip_prefix(b"\\") {
                bytes.push(b'\\');
                rest = after;
            } else {
                let (octal, after) = after.split_at_checked(3)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok()?);
                rest = after;
            }
        }
        Some(bytes)
    }

    /// Digits with separators that do not count.
    fn hexadecimal(&self, separators: &str, length: usize) -> Option<String> {
        let digits: String = self
            .text()?
            .chars()
            .filter(|character| !separators.contains(*character))
            .map(|character| character.to_ascii_lowercase())
            .collect();
        let is_whole =
            digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then_some(digits)
    }

    /// An address and how many bits of it name the network.
    fn address(&self) -> Option<(IpAddr, u8)> {
        let text = self.text()?.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        Some((address, bits.unwrap_or(all)))
    }
}

type Both<'a> = (&'a Plain, &'a Plain);

/// Compares what is read of both.
fn by<T: PartialEq>(both: Both<'_>, read: impl Fn(&Plain) -> Option<T>) -> Option<bool> {
    Some(read(both.0)? == read(both.1)?)
}

/// Numbers, of which MySQL rounds what has more digits after the point than the type.
fn numbers(both: Both<'_>, scale: Option<u64>) -> Option<bool> {
    let (own, others) = (both.0.decimal()?, both.1.decimal()?);
    let digits = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let longest = digits(&own).max(digits(&others));
    match scale.filter(|scale| u64::try_from(longest).unwrap_or(u64::MAX) > *scale) {
        Some(scale) => {
            let step = 0.1_f64.powi(i32::try_from(scale).unwrap_or(i32::MAX));
            let apart = (own.parse::<f64>().ok()? - others.parse::<f64>().ok()?).abs();
            Some(apart <= step * 0.500_001)
        }
        None => Some(own == others),
    }
}

/// Numbers that are kept with so many digits.
fn floats(both: Both<'_>, precision: f64) -> Option<bool> {
    let read = |plain: &Plain| plain.decimal()?.parse::<f64>().ok();
    let (own, others) = (read(both.0)?, read(both.1)?);
    Some((own - others).abs() <= precision * own.abs().max(others.abs()))
}

/// Texts as a type keeps them.
fn texts(both: Both<'_>, kept: impl Fn(&str) -> String) -> Option<bool> {
    let read = |plain: &Plain| match plain {
        Plain::Text(text) | Plain::Number(text) => Some(kept(text)),
        Plain::Bytes(bytes) => Some(kept(std::str::from_utf8(bytes).ok()?)),
        Plain::Null => None,
    };
    let is_number = |plain: &Plain| matches!(plain, Plain::Number(_));
    let same = read(both.0)? == read(both.1)?;
    // How a number is written as text is up to the server.
    let as_number = || is_number(both.0) || is_number(both.1);
    Some(same || (as_number() && numbers(both, None) == Some(true)))
}

/// Bytes; those of a `BINARY` are filled up with zeros.
fn bytes(both: Both<'_>, filled: bool) -> Option<bool> {
    let read = |plain: &Plain| {
        let mut bytes = match plain {
            // As MySQL 8 tells them.
            Plain::Text(text) => text
                .strip_prefix("0x")
                .and_then(bytes_of_hexadecimal)
                .unwrap_or_else(|| text.clone().into_bytes()),
            Plain::Number(text) => text.clone().into_bytes(),
            Plain::Bytes(bytes) => bytes.clone(),
            Plain::Null => return None,
        };
        while filled && bytes.last() == Some(&0) {
            bytes.pop();
        }
        Some(bytes)
    };
    let (own, others) = (read(both.0)?, read(both.1)?);
    // The catalog of MariaDB shows `?` for a byte that is no character.
    let is_lossy = |bytes: &[u8]| bytes.contains(&b'?') || !bytes.is_ascii();
    match own == others {
        true => Some(true),
        false if is_lossy(&own) || is_lossy(&others) => None,
        false => Some(false),
    }
}

/// Documents of which the server sorts the members.
fn documents(both: Both<'_>) -> Option<bool> {
    let (own, others) = (both.0.text()?, both.1.text()?);
    let (mut own, mut others) = (document(own)?, document(others)?);
    if own == others {
        return Some(true);
    }
    own.sort_unstable();
    others.sort_unstable();
    // The same parts may be in other places.
    (own != others).then_some(false)
}

/// The strings, numbers, words and signs of a document; `None` where one of them may have several spellings.
fn document(text: &str) -> Option<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    let (mut in_string, mut goes_on) = (false, false);
    for character in text.chars() {
        match character {
            '\\' => return None,
            '"' if in_string => in_string = false,
            '"' => {
                in_string = true;
                parts.push(String::new());
            }
            _ if in_string => {}
            _ if character.is_whitespace() => {
                goes_on = false;
                continue;
            }
            '{' | '}' | '[' | ']' | ',' | ':' => {
                goes_on = false;
                parts.push(character.to_string());
                continue;
            }
            _ if !goes_on => {
                goes_on = true;
                parts.push(String::new());
            }
            _ => {}
        }
        parts.last_mut()?.push(character);
    }
    let has_exponent = |part: &String| {
        part.starts_with(|first: char| first.is_ascii_digit() || first == '-')
            && part.contains(['e', 'E'])
    };
    (!parts.iter().any(has_exponent)).then_some(parts)
}

/// Arrays of one dimension, element by element.
fn arrays(both: Both<'_>, data_type: &TypeName, dialect: Dialect) -> Option<bool> {
    let (own, others) = (elements(both.0.text()?)?, elements(both.1.text()?)?);
    if own.len() != others.len() {
        return Some(false);
    }
    let element = TypeName {
        array: false,
        ..data_type.clone()
    };
    let mut known = true;
    for (own, others) in own.iter().zip(&others) {
        match own.is_same(others, Some(&element), dialect) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// The elements of `{a,"b",NULL}`.
fn elements(text: &str) -> Option<Vec<Plain>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.contains(['{', '}', '\\']) {
        return None;
    }
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut elements = vec![String::new()];
    let mut in_quotes = false;
    for character in inner.chars() {
        match (character, elements.last_mut()) {
            (',', _) if !in_quotes => elements.push(String::new()),
            ('"', Some(last)) => {
                in_quotes = !in_quotes;
                last.push('"');
            }
            (_, Some(last)) => last.push(character),
            (_, None) => return None,
        }
    }
    let plain = elements.iter().map(|element| match element.trim() {
        "" => None,
        null if null.eq_ignore_ascii_case("null") => Some(Plain::Null),
        text => Some(Plain::Text(text.trim_matches('"').to_owned())),
    });
    plain.collect()
}

/// Literals of a type of which nothing is known: a label of an enumeration, a domain, a type of an extension. What the
/// server makes of signs and digits only it can say.
fn of_unknown(both: Both<'_>) -> Option<bool> {
    if let (Some(own), Some(others)) = (both.0.decimal(), both.1.decimal()) {
        return Some(own == others);
    }
    let is_word = |plain: &Plain| {
        plain.text().is_some_and(|text| {
            text.starts_with(char::is_alphabetic)
                && !text.contains(|sign: char| "()[]{}<>=,:'\"|&\\/".contains(sign))
        })
    };
    (is_word(both.0) && is_word(both.1)).then_some(false)
}

/// A number in its one spelling: `0` for `-0.00`, `1000` for `1e3`.
pub(super) fn decimal(text: &str) -> Option<String> {
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || exponent.abs() > 400 {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let padded = match usize::try_from(point) {
        Ok(point) => format!("{all:0<point$}"),
        Err(_) => format!("{}{all}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    let (whole, fraction) = padded.split_at_checked(usize::try_from(point.max(0)).ok()?)?;
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let plain = match fraction {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    };
    Some(match negative && plain != "0" {
        true => format!("-{plain}"),
        false => plain,
    })
}

pub(super) fn bytes_of_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = match digits.len() % 2 {
        0 => digits.to_owned(),
        _ => format!("0{digits}"),
    };
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect()
}
