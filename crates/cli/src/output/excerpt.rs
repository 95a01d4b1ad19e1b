//! The lines of a script around a place, with a caret under it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use forerun_sql::Position;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of text that are shown of a line.
const WIDTH: usize = 100;
/// Lines that are shown before the one with the place, or of a statement without one.
const LINES: usize = 3;
/// Columns of a tab.
const TAB: usize = 4;
/// Longest line that is read from a file for showing it.
const LINE_BYTES: u64 = 64 * 1024;

/// Lines of text with a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Number of the first line.
    first: u64,
    /// Lines as they are shown.
    lines: Vec<String>,
    /// Columns before the caret under the last line.
    caret: Option<usize>,
    /// Carets, from there on.
    carets: usize,
    /// There is more of the statement after the last line.
    more: bool,
}

/// The place at a byte offset of a statement that starts at `start`; without an offset, the start of the statement.
pub fn of_statement(start: Position, sql: &str, offset: Option<usize>) -> Option<Excerpt> {
    if sql.is_empty() {
        return None;
    }
    let Some((offset, before, rest)) =
        offset.and_then(|offset| Some((offset, sql.get(..offset)?, sql.get(offset..)?)))
    else {
        let lines: Vec<String> = sql
            .lines()
            .take(LINES)
            .map(|line| shown(line, 0).0)
            .collect();
        return Some(Excerpt {
            first: start.line,
            more: sql.lines().count() > lines.len(),
            lines,
            caret: None,
            carets: 1,
        });
    };
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = offset + rest.find('\n').unwrap_or(rest.len());
    let line = sql.get(line_start..line_end)?;
    let (last, caret) = shown(line, offset - line_start);
    let number = start.after(before.as_bytes()).line;
    let head = sql
        .get(..line_start.saturating_sub(1))
        .filter(|_| line_start > 0);
    let mut lines: Vec<String> = head
        .map(|head| {
            head.lines()
                .rev()
                .take(LINES - 1)
                .map(|line| shown(line, 0).0)
                .collect()
        })
        .unwrap_or_default();
    lines.reverse();
    let first = number.saturating_sub(lines.len() as u64);
    lines.push(last);
    Some(Excerpt {
        first,
        lines,
        caret: Some(caret),
        carets: 1,
        more: false,
    })
}

/// The line of a file at a position.
pub fn of_file(path: &Path, position: Position) -> Option<Excerpt> {
    of_range(path, (position.line, position.column), None)
}

/// The line of a file at which something begins, with a caret under each character of it there. Places are lines and
/// columns, from 1; without an end only the first character is meant.
pub fn of_range(path: &Path, start: (u64, u64), end: Option<(u64, u64)>) -> Option<Excerpt> {
    let (number, column) = start;
    let mut reader = BufReader::new(File::open(path).ok()?);
    let mut line = Vec::new();
    for _ in 0..number {
        line.clear();
        reader
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)
            .ok()?;
    }
    let text = String::from_utf8_lossy(&line);
    let text = text.trim_end_matches(['\n', '\r']);
    let text = text
        .strip_prefix('\u{feff}')
        .filter(|_| number == 1)
        .unwrap_or(text);
    let offset_of = |column: u64| {
        let characters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        text.char_indices()
            .nth(characters)
            .map_or(text.len(), |(offset, _)| offset)
    };
    let (line, caret) = shown(text, offset_of(column));
    let until = match end {
        Some((last, column)) if last == number => offset_of(column),
        // It goes on in the lines after this one.
        Some((last, _)) if last > number => text.trim_end().len(),
        _ => 0,
    };
    let meant = text.get(offset_of(column)..until).unwrap_or_default();
    let space = line.width().saturating_sub(caret);
    let carets = columns(meant, caret).min(space).max(1);
    Some(Excerpt {
        first: number,
        lines: vec![line],
        caret: Some(caret),
        carets,
        more: false,
    })
}

/// Columns that a text takes from a column on, as [`shown`] shows it.
fn columns(text: &str, from: usize) -> usize {
    let mut column = from;
    for character in text.chars() {
        column += match character {
            '\t' => TAB - column % TAB,
            control if control.is_control() => 1,
            other => other.width().unwrap_or(0),
        };
    }
    column - from
}

/// A line as it is shown, and the columns before the character at `offset`: tabs as spaces, control characters as
/// dots, and of a long line only what is around the offset.
fn shown(line: &str, offset: usize) -> (String, usize) {
    let line = line.trim_end_matches('\r');
    let mut cells: Vec<(char, usize)> = Vec::new();
    let mut caret = 0;
    let mut column = 0;
    for (at, character) in line.char_indices() {
        if at <= offset {
            caret = column;
        }
        match character {
            '\t' => {
                let width = TAB - column % TAB;
                cells.extend(std::iter::repeat_n((' ', 1), width));
                column += width;
            }
            control if control.is_control() => {
                cells.push(('·', 1));
                column += 1;
            }
            other => {
                let width = other.width().unwrap_or(0);
                cells.push((other, width));
                column += width;
            }
        }
    }
    if offset >= line.len() {
        caret = column;
    }
    if column <= WIDTH {
        return (
            cells.into_iter().map(|(character, _)| character).collect(),
            caret,
        );
    }
    // A window with the caret in its middle.
    let from = caret.saturating_sub(WIDTH / 2);
    let mut text = String::new();
    let mut start = None;
    let mut at = 0;
    for (character, width) in cells {
        if at >= from && at + width <= from + WIDTH {
            start.get_or_insert(at);
            text.push(character);
        }
        at += width;
    }
    let start = start.unwrap_or(at);
    let (head, head_width) = if start > 0 { ("…", 1) } else { ("", 0) };
    let tail = if at > from + WIDTH { "…" } else { "" };
    (
        format!("{head}{text}{tail}"),
        caret.saturating_sub(start) + head_width,
    )
}

impl Excerpt {
    /// As lines of text: number, bar, text; the caret below.
    pub fn text_lines(&self) -> Vec<String> {
        let last = self.first + self.lines.len() as u64 - 1;
        let width = last.to_string().len();
        let mut text: Vec<String> = Vec::with_capacity(self.lines.len() + 1);
        for (number, line) in (self.first..).zip(&self.lines) {
            text.push(format!("{number:>width$} │ {line}").trim_end().to_owned());
        }
        if self.more {
            text.push(format!("{:width$} │ …", ""));
        }
        if let Some(caret) = self.caret {
            let carets = "^".repeat(self.carets);
            text.push(format!("{:width$} │ {:caret$}{carets}", "", ""));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(excerpt: Option<Excerpt>) -> String {
        excerpt.unwrap().text_lines().join("\n")
    }

    fn at(line: u64, column: u64) -> Position {
        Position {
            offset: 0,
            line,
            column,
        }
    }

    #[test]
    fn the_caret_is_under_the_place() {
        let sql = "CREATE TABLE a (\n\tid int,\n\tname textt\n)";
        let offset = sql.find("textt").unwrap();
        insta::assert_snapshot!(text(of_statement(at(9, 1), sql, Some(offset))), @r"
         9 │ CREATE TABLE a (
        10 │     id int,
        11 │     name textt
           │          ^
        ");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let sql = "SELECT '日本', x";
        insta::assert_snapshot!(text(of_statement(at(1, 1), sql, sql.find('x'))), @r"
        1 │ SELECT '日本', x
          │                ^
        ");
    }

    #[test]
    fn an_offset_at_the_end_or_outside_is_no_problem() {
        insta::assert_snapshot!(text(of_statement(at(1, 1), "SELECT", Some(6))), @r"
        1 │ SELECT
          │       ^
        ");
        insta::assert_snapshot!(text(of_statement(at(1, 1), "SELECT\n1\n2\n3\n4", Some(99))), @r"
        1 │ SELECT
        2 │ 1
        3 │ 2
          │ …
        ");
        assert_eq!(of_statement(at(1, 1), "", Some(0)), None);
        assert!(of_statement(at(1, 1), "é", Some(1)).is_some());
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let sql = format!("SELECT {}here{}", "a, ".repeat(200), ", b".repeat(200));
        let shown = text(of_statement(at(1, 1), &sql, sql.find("here")));
        let [line, caret] = shown.lines().collect::<Vec<_>>()[..] else {
            panic!("{shown}")
        };
        let place = caret
            .chars()
            .position(|character| character == '^')
            .unwrap();
        assert!(
            line.chars()
                .skip(place)
                .collect::<String>()
                .starts_with("here"),
            "{shown}"
        );
        assert!(
            line.chars().count() < 110 && line.ends_with('…') && line.contains("│ …"),
            "{shown}"
        );
    }

    #[test]
    fn a_line_of_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sql");
        std::fs::write(&path, "\u{feff}-- x\r\n  -- forerun:dta\r\n").unwrap();
        insta::assert_snapshot!(text(of_file(&path, at(2, 6))), @r"
        2 │   -- forerun:dta
          │      ^
        ");
        assert_eq!(of_file(&directory.path().join("missing"), at(1, 1)), None);
        insta::assert_snapshot!(text(of_range(&path, (2, 6), Some((2, 13)))), @r"
        2 │   -- forerun:dta
          │      ^^^^^^^
        ");
        insta::assert_snapshot!(text(of_range(&path, (1, 4), Some((2, 13)))), @r"
        1 │ -- x
          │    ^
        ");
    }
}
