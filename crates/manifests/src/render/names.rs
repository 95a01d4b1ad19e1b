//! Names of at most 63 characters.

use sha2::{Digest, Sha256};

/// Longest name of a Job: its pods carry it as a label, and label values end at 63 characters.
const LONGEST: usize = 63;
/// Characters of the hash in a name that was cut.
const HASH: usize = 8;

/// The base followed by the suffix. When that is too long, the base is cut and a hash of the whole of it takes the
/// place of what is missing; the suffix stays.
pub fn limited(base: &str, suffix: &str) -> String {
    if base.len() + suffix.len() <= LONGEST {
        return format!("{base}{suffix}");
    }
    let room = LONGEST.saturating_sub(suffix.len() + HASH + 1);
    let cut: String = base.chars().take(room).collect();
    let cut = cut.trim_end_matches(['-', '.']);
    format!("{cut}-{}{suffix}", &hexadecimal(base.as_bytes())[..HASH])
}

/// SHA-256 in hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_where_it_is_too_long_and_stays_different() {
        let long = "a".repeat(60);
        assert_eq!(
            limited("shop-migrations", "-1700000000"),
            "shop-migrations-1700000000"
        );
        let one = limited(&format!("{long}-migrations"), "-1700000000");
        let two = limited(&format!("{long}b-migrations"), "-1700000000");
        assert_eq!(one.len(), LONGEST);
        assert!(one.ends_with("-1700000000"));
        assert_ne!(one, two);
        assert_eq!(limited(&"b".repeat(63), "").len(), 63);
    }

    #[test]
    fn no_name_has_a_dot_before_a_dash() {
        let base = format!("{}.{}", "a".repeat(53), "b".repeat(20));
        assert!(!limited(&base, "").contains(".-"), "{}", limited(&base, ""));
    }
}
