//! What ends a statement for Liquibase becomes what ends one everywhere: a semicolon.
//!
//! Liquibase cuts at `;`, and at `GO` or `/` at the start of a line, or at the delimiter that a changeset names. With
//! such a delimiter a semicolon inside of a statement is just text there; the splitter of forerun knows compound
//! bodies, so that nothing has to be done about it. Comments that the changeset lets Liquibase strip never reach the
//! database, not even those that MySQL would run (`/*! … */`).

use std::ops::Range;

use super::super::super::script::Edit;
use super::attributes::Splitting;

/// What ends a statement.
#[derive(Debug, PartialEq, Eq)]
enum Delimiter {
    /// `GO` or `/` at the very start of a line.
    Usual,
    /// This text, wherever it is a token of its own.
    Text(String),
    /// This text at the start of a line, which blanks may precede if `indented`.
    Line { text: String, indented: bool },
}

/// The replacements that make native text of the parts `keep`.
///
/// # Errors
/// When the delimiter is a pattern that has no equal here.
pub(super) fn edits(
    text: &str,
    keep: &[Range<usize>],
    splitting: &Splitting,
) -> Result<Vec<Edit>, String> {
    let delimiter = match &splitting.delimiter {
        _ if !splitting.split => None,
        Some(delimiter) => delimiter_of(delimiter)?,
        None => has_usual(text, keep).then_some(Delimiter::Usual),
    };
    let strip = splitting.strip_comments && may_run_comments(text, keep);
    if delimiter.is_none() && !strip {
        return Ok(Vec::new());
    }
    let mut scan = Scan {
        text: text.as_bytes(),
        state: State::Code,
        edits: Vec::new(),
        delimiter,
        strip,
    };
    for range in keep {
        scan.part(range);
    }
    Ok(scan.edits)
}

/// A delimiter as a changeset writes it. Liquibase compares it as text and, if it is longer than a character, as a
/// pattern; of patterns those are known that mean a line.
fn delimiter_of(written: &str) -> Result<Option<Delimiter>, String> {
    // In a master changelog it can hold line ends as such.
    let escaped = written.replace("\r\n", "\\n").replace('\n', "\\n");
    let refuse = || {
        Err(format!(
            "the delimiter `{escaped}` is a pattern that forerun does not know. Use a plain text such as `//`, or \
             `\\nGO` for a line of its own"
        ))
    };
    let mut rest = escaped.as_str();
    let (mut line, mut indented) = (false, false);
    loop {
        if let Some(after) = ["\\r?\\n", "\\r\\n", "\\n"]
            .iter()
            .find_map(|start| rest.strip_prefix(start))
        {
            // Blanks before the line end may always stand there.
            (rest, line, indented) = (after, true, false);
        } else if let Some(after) = ["\\s*", "[\\s]*", "\\s+", "[ \\t]*"]
            .iter()
            .find_map(|start| rest.strip_prefix(start))
        {
            (rest, indented) = (after, true);
        } else {
            break;
        }
    }
    if line {
        for end in ["\\s*$", "\\s*", "$", "\\n"] {
            rest = rest.strip_suffix(end).unwrap_or(rest);
        }
        // `\s*$` may leave a `\s*` behind a `\n`.
        rest = rest.strip_suffix("\\n").unwrap_or(rest);
    } else if indented {
        return refuse();
    }
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(next) if !next.is_ascii_alphanumeric() => text.push(next),
                _ => return refuse(),
            },
            '[' | '(' | '{' | '*' | '+' | '?' | '.' if line => return refuse(),
            char => text.push(char),
        }
    }
    if text.contains(['\'', '"', '`']) || text.chars().any(char::is_whitespace) {
        return refuse();
    }
    Ok(match text.as_str() {
        "" | ";" => None,
        // A division sign is none: it has to stand at the very start of a line.
        "/" if !line => Some(Delimiter::Line {
            text,
            indented: false,
        }),
        _ if line => Some(Delimiter::Line { text, indented }),
        _ => Some(Delimiter::Text(text)),
    })
}

fn has_usual(text: &str, keep: &[Range<usize>]) -> bool {
    let is_usual = |rest: &[u8]| matches!(rest, [b'/', ..] | [b'g' | b'G', b'o' | b'O', ..]);
    keep.iter()
        .filter_map(|range| text.as_bytes().get(range.clone()))
        .any(|kept| {
            let mut starts = memchr::memchr_iter(b'\n', kept).map(|end| end + 1);
            is_usual(kept) || starts.any(|start| kept.get(start..).is_some_and(is_usual))
        })
}

fn may_run_comments(text: &str, keep: &[Range<usize>]) -> bool {
    keep.iter()
        .filter_map(|range| text.as_bytes().get(range.clone()))
        .any(|kept| {
            let mut comments = memchr::memmem::find_iter(kept, b"/*");
            comments.any(|at| is_run_comment(kept.get(at..).unwrap_or_default()))
        })
}

/// `/*!`, `/*M!` and `/*+`.
fn is_run_comment(rest: &[u8]) -> bool {
    matches!(rest.get(2..), Some([b'!' | b'+', ..] | [b'M', b'!', ..]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Quoted(u8),
    LineComment,
    /// A comment from here on; whether it is left out.
    Comment(usize, bool),
}

struct Scan<'a> {
    text: &'a [u8],
    state: State,
    edits: Vec<Edit>,
    delimiter: Option<Delimiter>,
    strip: bool,
}

impl Scan<'_> {
    /// Goes through one part; a quoted text or a comment may go on in the next one.
    fn part(&mut self, range: &Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let rest = self.text.get(at..range.end).unwrap_or_default();
            at += match self.state {
                State::Code => self.code(at, range.start, rest),
                State::Quoted(quote) => self.quoted(quote, rest),
                State::LineComment => match memchr::memchr2(b'\n', b'\r', rest) {
                    Some(end) => {
                        self.state = State::Code;
                        end
                    }
                    None => rest.len(),
                },
                State::Comment(start, left_out) => match memchr::memmem::find(rest, b"*/") {
                    Some(end) => {
                        self.state = State::Code;
                        // A comment that goes over a directive stays: an edit lies in one part.
                        if left_out && start >= range.start {
                            let comment = self.text.get(start..at + end + 2).unwrap_or_default();
                            self.edits.push(Edit {
                                range: start..at + end + 2,
                                // A comment separates words.
                                with: format!(" {}", lines_of(comment)),
                            });
                        }
                        end + 2
                    }
                    None => rest.len(),
                },
            };
        }
    }

    /// Bytes that were looked at.
    fn code(&mut self, at: usize, start: usize, rest: &[u8]) -> usize {
        if let Some(length) = self.delimiter_here(at, start, rest) {
            self.edits.push(Edit {
                range: at..at + length,
                with: ";".to_owned(),
            });
            return length;
        }
        match rest {
            [quote @ (b'\'' | b'"' | b'`'), ..] => self.state = State::Quoted(*quote),
            [b'-', b'-', ..] => {
                self.state = State::LineComment;
                return 2;
            }
            [b'/', b'*', ..] => {
                self.state = State::Comment(at, self.strip && is_run_comment(rest));
                return 2;
            }
            [b'0'..=b'9', ..] => {
                return rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            }
            // A word is looked at as a whole.
            [first, ..] if is_word(*first) => {
                return rest.iter().take_while(|byte| is_word(**byte)).count();
            }
            _ => {}
        }
        1
    }

    fn quoted(&mut self, quote: u8, rest: &[u8]) -> usize {
        match rest {
            [b'\\', _, ..] if quote != b'`' => 2,
            [first, ..] if *first == quote => {
                self.state = State::Code;
                1
            }
            _ => 1,
        }
    }

    fn delimiter_here(&self, at: usize, start: usize, rest: &[u8]) -> Option<usize> {
        let before = self.text.get(start..at).unwrap_or_default();
        let at_line_start = before
            .last()
            .is_none_or(|byte| *byte == b'\n' || *byte == b'\r');
        match self.delimiter.as_ref()? {
            Delimiter::Usual => {
                let length = [&b"go"[..], b"/"]
                    .into_iter()
                    .find_map(|text| token(rest, text))?;
                at_line_start.then_some(length)
            }
            Delimiter::Text(text) => token(rest, text.as_bytes()),
            Delimiter::Line { text, indented } => {
                let length = token(rest, text.as_bytes())?;
                let blanks = before
                    .iter()
                    .rev()
                    .take_while(|byte| **byte == b' ' || **byte == b'\t')
                    .count();
                let line_start = before
                    .get(..before.len() - blanks)
                    .and_then(|before| before.last())
                    .is_none_or(|byte| *byte == b'\n' || *byte == b'\r');
                (at_line_start || *indented && line_start).then_some(length)
            }
        }
    }
}

/// The length of a token at the start of `rest`, in any case of letters.
fn token(rest: &[u8], text: &[u8]) -> Option<usize> {
    let found = rest.get(..text.len())?.eq_ignore_ascii_case(text);
    let next = rest.get(text.len());
    let goes_on =
        text.last().is_some_and(|byte| is_word(*byte)) && next.is_some_and(|byte| is_word(*byte));
    let is_comment = text == b"/" && next == Some(&b'*');
    (found && !goes_on && !is_comment).then_some(text.len())
}

/// What Liquibase reads as one word; `$$` is one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_$@#".contains(&byte) || byte >= 0x80
}

/// The line ends in a text.
fn lines_of(text: &[u8]) -> String {
    "\n".repeat(memchr::memchr_iter(b'\n', text).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_all(text: &str, splitting: &Splitting) -> Result<Vec<Edit>, String> {
        edits(text, std::slice::from_ref(&(0..text.len())), splitting)
    }

    fn native(text: &str, delimiter: Option<&str>, strip_comments: bool) -> String {
        let splitting = Splitting {
            split: true,
            delimiter: delimiter.map(str::to_owned),
            strip_comments,
        };
        let mut native = text.to_owned();
        for edit in of_all(text, &splitting).unwrap().into_iter().rev() {
            native.replace_range(edit.range, &edit.with);
        }
        native
    }

    #[test]
    fn go_and_slash_at_the_start_of_a_line_end_a_statement() {
        let text = "SELECT 3\nGO\nSELECT 4 / 2\n/\nSELECT 5\n  /\n2;\n-- a\n/* b\nGO\n*/\nSELECT 'a\nGO\n'";
        let expected =
            "SELECT 3\n;\nSELECT 4 / 2\n;\nSELECT 5\n  /\n2;\n-- a\n/* b\nGO\n*/\nSELECT 'a\nGO\n'";
        assert_eq!(native(text, None, false), expected);
        assert_eq!(native("good\ngo_on", None, false), "good\ngo_on");
    }

    #[test]
    fn a_delimiter_becomes_a_semicolon() {
        // Each was compared with Liquibase 4.33.
        for (delimiter, text, expected) in [
            ("//", "SELECT 1//\nSELECT '//'//", "SELECT 1;\nSELECT '//';"),
            ("$$", "END $$\nSELECT 2$$\nEND$$", "END ;\nSELECT 2;\nEND$$"),
            (
                "/",
                "SELECT 1;\n/\nSELECT 4 / 2\n /",
                "SELECT 1;\n;\nSELECT 4 / 2\n /",
            ),
            (
                "\\n/",
                "SELECT 1\n/\nSELECT 4\n /",
                "SELECT 1\n;\nSELECT 4\n /",
            ),
            ("\\nGO", "x\nGO\ny\n go\nz", "x\n;\ny\n go\nz"),
            ("\\n\\s*GO\\s*$", "x\nGO\ny\n go\nz", "x\n;\ny\n ;\nz"),
            (";", "a; b", "a; b"),
            ("@@", "a @@ b @@@ c", "a ; b @@@ c"),
            ("\\|\\|", "a || b", "a ; b"),
        ] {
            assert_eq!(
                native(text, Some(delimiter), false),
                expected,
                "{delimiter}"
            );
        }
    }

    #[test]
    fn a_pattern_without_an_equal_is_refused() {
        for delimiter in ["\\nGO|X\\d", "\\w+", "\\s*GO", "\\n.*"] {
            let splitting = Splitting {
                delimiter: Some(delimiter.to_owned()),
                ..Splitting::default()
            };
            let refused = of_all("x", &splitting).unwrap_err();
            assert!(refused.contains("is a pattern"), "{delimiter}: {refused}");
        }
    }

    #[test]
    fn comments_that_mysql_would_run_are_stripped_with_the_others() {
        let text = "/*!40101 SET\nNAMES utf8 */;\nSELECT /*+ X */ 1; -- /*! c */\nSELECT '/*! */' /* d */;";
        let expected = " \n;\nSELECT   1; -- /*! c */\nSELECT '/*! */' /* d */;";
        assert_eq!(native(text, None, true), expected);
        assert_eq!(native(text, None, false), text);
    }

    #[test]
    fn a_text_that_is_not_split_stays() {
        let splitting = Splitting {
            split: false,
            delimiter: Some("//".to_owned()),
            strip_comments: false,
        };
        assert_eq!(of_all("a//\nGO\n", &splitting), Ok(Vec::new()));
    }
}
