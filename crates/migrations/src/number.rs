//! Numbers in sentences.

use std::fmt::Display;

/// `1 migration`, `2 migrations`: for nouns whose plural is an `s` more.
pub fn count<T: Copy + Display + PartialEq + From<u8>>(number: T, noun: &str) -> String {
    let plural = if number == T::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!(count(0_usize, "version"), "0 versions");
        assert_eq!(count(1_i64, "version"), "1 version");
        assert_eq!(count(2_usize, "version"), "2 versions");
    }
}
