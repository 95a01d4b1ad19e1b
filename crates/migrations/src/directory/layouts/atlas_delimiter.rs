//! Delimiters of Atlas: `-- atlas:delimiter X` in the first line, and the `DELIMITER` command, which Atlas takes on every
//! database. What ends a statement becomes a semicolon; line ends stay.

use forerun_sql::Dialect;

use super::super::script::Edit;

/// The replacements that make native text of a file. `first` is what its first line says, with escapes.
pub(super) fn edits(
    text: &str,
    first: Option<&str>,
    dialect: Option<Dialect>,
) -> Result<Vec<Edit>, String> {
    let delimiter = first.map(unescaped).transpose()?;
    // The splitter knows the command on MySQL.
    let commands = dialect != Some(Dialect::Mysql) && has_command(text);
    if delimiter.is_none() && !commands {
        return Ok(Vec::new());
    }
    let mut scan = Scan {
        text: text.as_bytes(),
        at: 0,
        delimiter: delimiter.clone().unwrap_or_else(|| ";".to_owned()),
        edits: Vec::new(),
    };
    if delimiter.is_some() {
        scan.at = text.find('\n').map_or(text.len(), |end| end + 1);
    }
    scan.run(text)?;
    Ok(scan.edits)
}

fn unescaped(written: &str) -> Result<String, String> {
    let delimiter = written
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\t", "\t");
    if delimiter.is_empty() {
        return Err("the delimiter is empty. Write one, or remove the line".to_owned());
    }
    Ok(delimiter)
}

const COMMAND: &str = "delimiter";

/// Whether a line begins with the command.
fn has_command(text: &str) -> bool {
    let mut firsts = memchr::memchr2_iter(b'd', b'D', text.as_bytes());
    firsts.any(|at| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        let at_start = before
            .iter()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t'));
        at_start.is_none_or(|byte| *byte == b'\n')
            && is_command(text.as_bytes().get(at..).unwrap_or_default())
    })
}

fn is_command(rest: &[u8]) -> bool {
    let word = rest.get(..COMMAND.len());
    word.is_some_and(|word| word.eq_ignore_ascii_case(COMMAND.as_bytes()))
        && rest.get(COMMAND.len()) == Some(&b' ')
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    delimiter: String,
    edits: Vec<Edit>,
}

impl Scan<'_> {
    fn run(&mut self, text: &str) -> Result<(), String> {
        let (mut depth, mut in_statement) = (0_usize, false);
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(first) = rest.first() else {
                return Ok(());
            };
            if !in_statement && is_command(rest) {
                self.command(text, rest)?;
                continue;
            }
            let is_end = depth == 0 && rest.starts_with(self.delimiter.as_bytes());
            // Blanks before a statement end none.
            if is_end && (in_statement || !first.is_ascii_whitespace()) {
                self.end();
                in_statement = false;
                continue;
            }
            self.at += match rest {
                [b'-', b'-', ..] => memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1),
                [b'/', b'*', ..] => {
                    memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2)
                }
                [byte, ..] => {
                    in_statement |= !byte.is_ascii_whitespace();
                    match byte {
                        b'(' => depth += 1,
                        b')' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    match byte {
                        b'\'' | b'"' | b'`' => quoted(rest, *byte),
                        b'$' => dollar_quoted(rest),
                        _ => 1,
                    }
                }
                [] => return Ok(()),
            };
        }
    }

    /// The delimiter, here.
    fn end(&mut self) {
        let range = self.at..self.at + self.delimiter.len();
        self.at = range.end;
        if self.delimiter == ";" {
            return;
        }
        let mut with = ";".to_owned();
        let lines = self.delimiter.matches('\n').count();
        if self.delimiter.starts_with('\n') {
            // A comment may end the line before.
            with.insert(0, '\n');
            with.push_str(&"\n".repeat(lines - 1));
        } else {
            with.push_str(&"\n".repeat(lines));
        }
        self.edits.push(Edit { range, with });
    }

    /// `DELIMITER X`, which nobody else understands.
    fn command(&mut self, text: &str, rest: &[u8]) -> Result<(), String> {
        let end = self.at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let written = text
            .get(self.at + COMMAND.len()..end)
            .unwrap_or_default()
            .trim();
        let inside = written
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        self.delimiter =
            unescaped(&inside.map_or(written.to_owned(), |text| text.replace("''", "'")))?;
        self.edits.push(Edit {
            range: self.at..end,
            with: String::new(),
        });
        self.at = end;
        Ok(())
    }
}

/// Length of a quoted text; without an end it is all that is left.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let inside = rest.get(1..).unwrap_or_default();
    memchr::memchr(quote, inside).map_or(rest.len(), |end| end + 2)
}

/// Length of a text in dollar quotes, or of the dollar alone.
fn dollar_quoted(rest: &[u8]) -> usize {
    let tag = rest
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || **byte >= 0x80);
    let length = tag.count() + 2;
    let Some(quote) = rest
        .get(..length)
        .filter(|quote| quote.last() == Some(&b'$'))
    else {
        return 1;
    };
    let inside = rest.get(length..).unwrap_or_default();
    memchr::memmem::find(inside, quote).map_or(rest.len(), |end| length + end + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(text: &str, first: Option<&str>) -> String {
        let mut native = text.to_owned();
        for edit in edits(text, first, Some(Dialect::Postgres))
            .unwrap()
            .into_iter()
            .rev()
        {
            native.replace_range(edit.range, &edit.with);
        }
        native
    }

    #[test]
    fn a_delimiter_becomes_a_semicolon_and_lines_stay() {
        // Each was compared with Atlas 0.13.1.
        for (first, text, expected) in [
            (
                "//",
                "-- d\na//b (x//y) 'z//' //",
                "-- d\na;b (x//y) 'z//' ;",
            ),
            (
                "\\n\\n\\n",
                "-- d\n\n\n\na;\nb -- c\n\n\n\nc\n\n\n",
                "-- d\n\n\n\na;\nb -- c\n\n;\n\nc\n;\n\n",
            ),
            (
                "-- end",
                "-- d\na;\n-- end\nb;\n-- end",
                "-- d\na;\n;\nb;\n;",
            ),
            ("//", "-- d\nDO $x$ // $x$//", "-- d\nDO $x$ // $x$;"),
        ] {
            let expected_lines = text.matches('\n').count();
            let native = native(text, Some(first));
            assert_eq!(native, expected, "{first}");
            assert_eq!(native.matches('\n').count(), expected_lines, "{first}");
        }
    }

    #[test]
    fn the_command_works_on_every_database() {
        let text = "DELIMITER //\na;b//\nDELIMITER ;\nc;";
        assert_eq!(native(text, None), "\na;b;\n\nc;");
        assert_eq!(edits(text, None, Some(Dialect::Mysql)), Ok(Vec::new()));
        assert_eq!(
            native("select delimiter x from y;", None),
            "select delimiter x from y;"
        );
    }

    #[test]
    fn a_delimiter_has_a_text() {
        assert!(
            edits("-- d\n", Some(""), None)
                .unwrap_err()
                .contains("empty")
        );
        assert!(
            edits("DELIMITER \nx", None, None)
                .unwrap_err()
                .contains("empty")
        );
    }
}
