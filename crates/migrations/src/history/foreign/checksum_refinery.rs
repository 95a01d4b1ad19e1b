//! The checksum of refinery: SipHash-1-3 with keys of zero over a migration's name, version and text, as Rust's `Hash`
//! feeds them.
//!
//! refinery is built with versions of 32 or of 64 bits, and the number differs with that; which of them wrote a history
//! cannot be told from its table, so both are right.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The checksums of a migration: of a build with versions of 32 bits, if the version fits, and of 64 bits.
///
/// `name` is what stands between `__` and the ending of the file name; `text` is the file as it is, with any byte order
/// mark and line ends.
pub(super) fn checksums(name: &str, version: i64, text: &str) -> (Option<u64>, u64) {
    let narrow = i32::try_from(version)
        .ok()
        .map(|version| checksum(name, &version.to_le_bytes(), text));
    (narrow, checksum(name, &version.to_le_bytes(), text))
}

fn checksum(name: &str, version: &[u8], text: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    // A text ends with a byte that is in no UTF-8.
    hasher.write(name.as_bytes());
    hasher.write(&[0xff]);
    hasher.write(version);
    hasher.write(text.as_bytes());
    hasher.write(&[0xff]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_builds() {
        assert_eq!(
            checksums("initial", 1, "CREATE TABLE t(a int);\n"),
            (Some(10_497_821_094_466_315_700), 8_889_820_346_209_406_360)
        );
    }

    #[test]
    fn a_long_version_is_of_a_wide_build() {
        assert_eq!(checksums("x", 20_260_131_120_000, "").0, None);
    }

    #[test]
    fn every_byte_counts() {
        let own = checksums("initial", 1, "SELECT 1;\n");
        for other in [
            checksums("initia", 1, "lSELECT 1;\n"),
            checksums("initial", 2, "SELECT 1;\n"),
            checksums("initial", 1, "SELECT 1;\r\n"),
        ] {
            assert_ne!(other, own);
        }
    }
}
