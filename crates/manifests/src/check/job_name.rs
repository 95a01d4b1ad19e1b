//! What the name of a Job tells about how it was made.

/// Fewest characters of a part of a name that are taken for a stamp or a hash.
const STAMP: usize = 8;

/// The name is another one at each deployment: it ends in a stamp, a hash, something random or a version.
pub fn is_unique(name: &str) -> bool {
    let Some((_, last)) = name.rsplit_once(['-', '.']) else {
        return false;
    };
    let bytes = last.as_bytes();
    let digits = bytes.iter().all(u8::is_ascii_digit);
    let hash = bytes.len() >= STAMP
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    (digits && !bytes.is_empty()) || hash || is_version(last) || is_random(bytes)
}

/// `v2`.
fn is_version(part: &str) -> bool {
    let number = part.strip_prefix(['v', 'r']).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Letters and digits in turns, as no word has them: `x7k2p`.
fn is_random(part: &[u8]) -> bool {
    let turns = part
        .windows(2)
        .filter(|pair| match pair {
            [left, right] => left.is_ascii_digit() != right.is_ascii_digit(),
            _ => false,
        })
        .count();
    part.len() >= 5 && turns >= 2
}

#[cfg(test)]
mod tests {
    use super::is_unique;

    #[test]
    fn names() {
        for name in [
            "m-1763770000",
            "m-20261122014900",
            "m-3f9a1c7e42",
            "m-x7k2p",
            "m-12",
            "m-v2",
            "m-1.2.3",
            "m-0123456789",
        ] {
            assert!(is_unique(name), "{name}");
        }
        for name in [
            "shop-migrations",
            "shop",
            "1763770000",
            "shop-migrations-schema",
            "app-oauth2",
            "m-deface",
            "",
        ] {
            assert!(!is_unique(name), "{name}");
        }
    }
}
