//! SQL text with values in it.
//!
//! Bookkeeping runs between the statements of a script, which may have changed `sql_mode` or the character
//! set of the session. Text is therefore written so that it means the same under every setting and cannot be
//! broken out of: as `_utf8mb4'…'` where it is of plain characters only, else as `_utf8mb4 X'…'`. (Manual:
//! "Character Set Introducers", "Hexadecimal Literals".)

/// A text literal.
pub(super) fn text(value: &str) -> String {
    // Neither a quote nor a backslash, and the same bytes in every character set that a client may have.
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\'' && byte != b'\\';
    if value.bytes().all(plain) {
        return format!("_utf8mb4'{value}'");
    }
    let mut literal = String::with_capacity(value.len() * 2 + 12);
    literal.push_str("_utf8mb4 X'");
    for byte in value.bytes() {
        for nibble in [byte >> 4, byte & 15] {
            literal.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    literal.push('\'');
    literal
}

/// A text literal, or `NULL`.
pub(super) fn optional_text(value: Option<&str>) -> String {
    value.map_or_else(null, text)
}

/// A number, or `NULL`.
pub(super) fn optional_number(value: Option<i64>) -> String {
    value.map_or_else(null, |number| number.to_string())
}

/// A `DATETIME(6)` literal from RFC 3339 in UTC; the column refuses what is not one.
pub(super) fn time(rfc3339: &str) -> String {
    text(rfc3339.trim_end_matches('Z').replace('T', " ").trim())
}

/// An identifier in backquotes, which every `sql_mode` understands.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn null() -> String {
    "NULL".to_owned()
}

/// Puts values (finished literals) where `template` has their names in braces. In one pass, so that a value
/// is never searched for names.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after.split_once('}').and_then(|(name, tail)| {
            Some((&values.iter().find(|(known, _)| *known == name)?.1, tail))
        });
        if let Some((value, tail)) = found {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_out() {
        assert_eq!(text("a'"), "_utf8mb4 X'6127'");
        assert_eq!(text("a\\"), "_utf8mb4 X'615c'");
        assert_eq!(text("é\n"), "_utf8mb4 X'c3a90a'");
        assert_eq!(text("a {b} \"c\""), "_utf8mb4'a {b} \"c\"'");
        assert_eq!(text(""), "_utf8mb4''");
        assert_eq!(identifier("we`ird"), "`we``ird`");
        assert_eq!(optional_text(None), "NULL");
    }

    #[test]
    fn templates_are_filled_once() {
        let values = [("a", "{b}".to_owned()), ("b", "2".to_owned())];
        assert_eq!(fill("x {a} {b} {c} {", &values), "x {b} 2 {c} {");
    }

    #[test]
    fn times_lose_their_letters() {
        assert_eq!(
            time("2026-11-21T22:30:33.123456Z"),
            text("2026-11-21 22:30:33.123456")
        );
    }
}
