//! The checksum of Flyway: CRC-32 (IEEE 802.3) over the lines of a script without their ends, as a signed number.
//!
//! Line ends are `\n`, `\r\n` and `\r`, and a byte order mark in front is left out, so that the number stays the same
//! whichever of them an editor writes. For a repeatable migration Flyway takes the text after values were put in place
//! of placeholders, and accepts the number of the text before that as well.

use crc32fast::Hasher;

/// The checksum of a script's text.
pub(super) fn checksum(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut hasher = Hasher::new();
    let mut rest = text.as_bytes();
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        let (line, tail) = rest.split_at(end);
        hasher.update(line);
        rest = tail.get(1..).unwrap_or_default();
    }
    hasher.update(rest);
    hasher.finalize().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `flyway migrate` 10.21.0 wrote into its history for files with these bytes.
    #[test]
    fn numbers_of_flyway_itself() {
        let cases = [
            ("CREATE TABLE t(a int);\n", 962_658_605),
            (
                "CREATE TABLE t2(a int);\r\nSELECT 1;\rSELECT 2;\n\nSELECT 3;",
                547_622_834,
            ),
            (
                "\u{feff}CREATE TABLE t3(a text); -- été 😀\n",
                -2_054_198_134,
            ),
            ("\r\n\r\nSELECT 4;\r\r\nSELECT 5;\r", -1_562_992_519),
            ("CREATE TABLE u(a int);\n", 773_461_358),
            // Recorded for `VALUES (${n})` in a repeatable migration, n being 42.
            ("INSERT INTO u VALUES (42); -- x\n", -540_309_310),
            ("create table v1(a); create table v2(a);\n", 257_372_835),
            ("", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(checksum(text), expected, "{text:?}");
        }
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_do_not_count() {
        for text in [
            "CREATE TABLE t(a int);",
            "CREATE TABLE t(a int);\r\n",
            "CREATE TABLE t(a int);\r",
            "\u{feff}CREATE TABLE t(a int);\n",
            "CREATE TABLE\n t(a int);",
        ] {
            assert_eq!(checksum(text), 962_658_605, "{text:?}");
        }
    }
}
