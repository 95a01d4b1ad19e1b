//! Checksums of sqlx: SHA-384 of the bytes of the file (`sqlx-core/src/migrate`).

use sha2::{Digest, Sha384};

use crate::directory::hex;

/// What sqlx records for a file of these bytes, lower-case hex.
pub(super) fn checksum(bytes: &[u8]) -> String {
    hex(&Sha384::digest(bytes))
}

/// The same for what the file may have been where it was applied: git changes line ends on some machines, and
/// `ignored-chars` of sqlx.toml leaves characters out.
pub(super) fn matches(bytes: &[u8], recorded: &str) -> bool {
    if checksum(bytes) == recorded {
        return true;
    }
    let without = |left_out: &[u8]| -> Vec<u8> {
        let kept = bytes.iter().filter(|byte| !left_out.contains(byte));
        kept.copied().collect()
    };
    let unix = without(b"\r");
    let mut windows = Vec::with_capacity(unix.len() + unix.len() / 32);
    for byte in &unix {
        if *byte == b'\n' {
            windows.push(b'\r');
        }
        windows.push(*byte);
    }
    [unix, windows, without(b"\r\n"), without(b" \t\r\n")]
        .iter()
        .any(|variant| checksum(variant) == recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = "3c743858889d8eea789588481287e0aa6822e6d31425718f2fb1b19f78b35efec20ffe40a3bac25de359c7e8e7bcd544";

    #[test]
    fn of_bytes() {
        assert_eq!(checksum(b"CREATE TABLE t(a int);\n"), RECORDED);
    }

    #[test]
    fn line_ends_that_git_changed_are_no_change() {
        assert!(matches(b"CREATE TABLE t(a int);\n", RECORDED));
        assert!(matches(b"CREATE TABLE t(a int);\r\n", RECORDED));
        let windows = checksum(b"a;\r\nb;\r\n");
        assert!(matches(b"a;\nb;\n", &windows));
        assert!(!matches(b"CREATE TABLE t(a bigint);\n", RECORDED));
    }

    #[test]
    fn characters_that_sqlx_was_told_to_ignore_are_no_change() {
        assert!(matches(b"a b;\r\n", &checksum(b"ab;")));
        assert!(matches(b"a b;\r\n", &checksum(b"a b;")));
    }
}
