//! Comparing words with keywords without regard to case.

/// Longer words are no keyword that anyone here asks for.
const LONGEST: usize = 20;

/// A word in capitals, or empty when it is too long or not ASCII to be a keyword.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keyword {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Keyword {
    pub(crate) fn new(word: &[u8]) -> Self {
        let mut keyword = Self::default();
        if word.is_ascii()
            && let Some(bytes) = keyword.bytes.get_mut(..word.len())
        {
            bytes.copy_from_slice(word);
            bytes.make_ascii_uppercase();
            keyword.length = word.len();
        }
        keyword
    }

    pub(crate) fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}
