//! Where in a statement a syntax error is.
//!
//! The server does not send an offset. Its message quotes the text from the error to the end of the
//! statement, shortened to 80 characters, and gives a line; together they identify the place.

/// `ER_PARSE_ERROR`.
const SYNTAX_ERROR: u16 = 1064;

/// Byte offset in `sql` that the message of a syntax error means; `None` for other errors.
pub(super) fn error_position(code: u16, message: &str, sql: &str) -> Option<usize> {
    if code != SYNTAX_ERROR {
        return None;
    }
    let (before, line) = message.rsplit_once("' at line ")?;
    let line: usize = line.trim().parse().ok()?;
    let (_, near) = before.split_once("near '")?;
    let end = sql.trim_end();
    if end.ends_with(near) {
        return Some(end.len() - near.len());
    }
    // MariaDB marks what it has shortened.
    let near = near.strip_suffix("...").unwrap_or(near);
    // The server drops white space before a statement, and counts lines from what is left.
    let skipped = sql.len() - sql.trim_start().len();
    let line_start = skipped + start_of_line(&sql[skipped..], line);
    let after = sql
        .get(line_start..)?
        .find(near)
        .map(|offset| line_start + offset);
    // The quoted text begins a line earlier when the error was noticed at its second word.
    after.or_else(|| sql.rfind(near))
}

/// Byte offset of the start of a line, from 1; the last line when there are fewer.
fn start_of_line(text: &str, line: usize) -> usize {
    let mut start = 0;
    for (offset, _) in text.match_indices('\n').take(line.saturating_sub(1)) {
        start = offset + 1;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(near: &str, line: usize, sql: &str) -> Option<usize> {
        let message = format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server \
             version for the right syntax to use near '{near}' at line {line}"
        );
        error_position(1064, &message, sql)
    }

    #[test]
    fn the_quoted_text_is_found() {
        assert_eq!(
            position("TABEL t (a int)", 1, "CREATE TABEL t (a int)"),
            Some(7)
        );
        assert_eq!(position(")", 2, "CREATE TABLE t (a int,\n)"), Some(23));
    }

    #[test]
    fn text_up_to_the_end_is_the_end_even_if_it_occurs_before() {
        assert_eq!(
            position("x", 5, "INSERT INTO t VALUES\n(1),\nx\n(1),\nx"),
            Some(33)
        );
    }

    #[test]
    fn the_line_decides_between_repetitions_of_shortened_text() {
        let sql = "SELECT 1,\n ,2\n ,2\n ,2";
        assert_eq!(position(",2\n", 2, sql), Some(11));
        assert_eq!(position(",2\n", 3, sql), Some(15));
    }

    #[test]
    fn shortened_text_may_be_marked() {
        assert_eq!(position("b c...", 2, "b c d\nb c d e"), Some(6));
        assert_eq!(position("b c...", 1, "a b c..."), Some(2));
    }

    #[test]
    fn the_end_and_leading_lines_are_counted_as_the_server_does() {
        assert_eq!(position("", 1, "CREATE TABLE t (a int"), Some(21));
        assert_eq!(position("x y", 1, "\n\nx y\nx y z"), Some(2));
        assert_eq!(position("x y", 2, "\n\nx y\nx y z"), Some(6));
    }

    #[test]
    fn quotes_in_the_text_do_no_harm() {
        assert_eq!(
            position("'near ' at line 7' x", 1, "SELECT 'near ' at line 7' x"),
            Some(7)
        );
        assert_eq!(error_position(1146, "near 'x' at line 1", "x"), None);
        assert_eq!(error_position(1064, "nonsense", "x"), None);
    }
}
