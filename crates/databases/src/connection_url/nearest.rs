//! The known word that is most like a mistyped one.

/// The candidate with the fewest edits, if it is near enough to be meant.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer than any candidate can match; also keeps hostile input cheap.
    if word.len() > 64 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            *edits <= candidate.len().max(word.len()) / 3 + 1 && *edits < candidate.len()
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, left_character) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut previous = line + 1;
        for (cell, right_character) in row.iter_mut().skip(1).zip(&right) {
            let changed = diagonal + usize::from(left_character != *right_character);
            diagonal = *cell;
            previous = changed.min(diagonal + 1).min(previous + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_word_that_was_meant() {
        assert_eq!(nearest("postgre", ["mysql", "postgres"]), Some("postgres"));
        assert_eq!(nearest("sslmod", ["sslmode", "sslcert"]), Some("sslmode"));
        assert_eq!(nearest("oracle", ["mysql", "postgres", "sqlite"]), None);
    }
}
