//! Formatted SQL: a file becomes properties and changesets, each with the byte ranges of its SQL and of its rollback.
//!
//! Line by line, by the rules of Liquibase 4.33 and 5. A line that looks like a directive and is none is an error there
//! and here, so that nothing runs that was meant otherwise. Nothing is decided here that depends on the run.

use std::ops::Range;

use super::attributes::{Attributes, attributes, logical_path, without_quotes};
use super::conditions::{Precondition, Reaction, precondition, reaction};

/// What a file holds, in the order in which it takes effect.
#[derive(Debug, Default)]
pub(super) struct Changelog {
    pub items: Vec<Item>,
    /// `logicalFilePath` of its first line.
    pub logical_path: Option<String>,
    /// What is wrong, and at which byte.
    pub problems: Vec<(usize, String)>,
}

#[derive(Debug)]
pub(super) enum Item {
    /// A line with `--property`.
    Property {
        at: usize,
        line: String,
    },
    Changeset(Box<Changeset>),
}

#[derive(Debug, Default)]
pub(super) struct Changeset {
    /// Where it begins.
    pub at: usize,
    pub author: String,
    pub id: String,
    pub attributes: Attributes,
    pub comment: Option<String>,
    pub valid_checksums: Vec<String>,
    /// Its SQL.
    pub up: Vec<Range<usize>>,
    /// Its rollback; empty when there is none.
    pub rollback: Vec<Range<usize>>,
    pub reaction: Reaction,
    pub preconditions: Vec<(usize, Precondition)>,
}

/// Whether Java's regular expressions see white space in it.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Whether a file is formatted SQL: its first line that is not empty says so.
pub(super) fn is_formatted(text: &str) -> bool {
    text.lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(is_header)
}

fn is_header(line: &str) -> bool {
    let after = comment(line).and_then(|text| keyword(text, "liquibase"));
    after.is_some_and(|after| keyword(trim_start(after), "formatted").is_some())
}

/// Takes a file apart.
pub(super) fn parse(text: &str) -> Changelog {
    let mut parser = Parser {
        text,
        changelog: Changelog::default(),
        current: None,
    };
    let mut lines = Lines { text, at: 0 };
    while let Some((range, whole)) = lines.next() {
        let line = text.get(range.clone()).unwrap_or_default();
        // All directives begin with a dash, but for the block of a rollback.
        match line.bytes().find(|byte| !is_blank(*byte)) {
            Some(b'-') => parser.dashes(line, range, whole, &mut lines),
            Some(b'/') if is_rollback_block(line) => parser.block(range.start, &mut lines),
            _ => parser.sql(whole),
        }
    }
    parser.finish();
    parser.changelog
}

/// Lines, with and without their ends: LF, CR LF or CR.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<(Range<usize>, Range<usize>)> {
        let rest = self
            .text
            .as_bytes()
            .get(self.at..)
            .filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let end = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |end| end);
        self.at += match rest.get(end..end + 2) {
            Some(b"\r\n") => end + 2,
            _ => (end + 1).min(rest.len()),
        };
        Some((start..start + end, start..self.at))
    }
}

struct Parser<'a> {
    text: &'a str,
    changelog: Changelog,
    current: Option<Box<Changeset>>,
}

impl Parser<'_> {
    /// A line of SQL; one before the first changeset is not run by Liquibase either.
    fn sql(&mut self, whole: Range<usize>) {
        if let Some(changeset) = &mut self.current {
            extend(&mut changeset.up, whole);
        }
    }

    fn problem(&mut self, at: usize, message: impl Into<String>) {
        self.changelog.problems.push((at, message.into()));
    }

    fn misspelt(&mut self, at: usize, right: &str) {
        let message = format!(
            "this line looks like a directive of Liquibase and is none, which Liquibase refuses. Write `{right}`, or \
             begin the comment with another word"
        );
        self.problem(at, message);
    }

    fn dashes(
        &mut self,
        line: &str,
        range: Range<usize>,
        whole: Range<usize>,
        lines: &mut Lines<'_>,
    ) {
        let at = range.start;
        let own = comment(line);
        if self.changelog.logical_path.is_none() && is_header(line) {
            self.changelog.logical_path = logical_path(line);
        }
        // What Liquibase looks for in any line, in its order.
        if let Some(after) = own.and_then(|text| keyword(text, "property"))
            && begins_blank(after)
            && after.matches(':').count() >= 2
        {
            let line = line.to_owned();
            self.changelog.items.push(Item::Property { at, line });
            return;
        }
        let dashed = trim_start(line).trim_start_matches('-');
        if keyword(trim_start(dashed), "property").is_some_and(begins_blank) {
            return self.misspelt(at, "--property name:<name> value:<value>");
        }
        if let Some(after) = unindented(line, "ignoreLines:") {
            return self.ignore_lines(at, after, lines);
        }
        if one_dash(line, "ignoreLines:")
            .or_else(|| one_dash(line, "ignore:"))
            .is_some_and(|after| !after.is_empty())
        {
            return self.misspelt(at, "--ignoreLines:<number|start>");
        }
        if let Some(after) = own.and_then(|text| keyword(text, "changeset")) {
            return match header(after) {
                Some((author, id)) => self.begin(at, line, &author, &id),
                None => self.misspelt(at, "--changeset <author>:<id>"),
            };
        }
        if one_dash(line, "changeset").is_some_and(begins_blank) {
            return self.misspelt(at, "--changeset <author>:<id>");
        }
        if unindented(line, "comment").is_some_and(|after| value_after(after).is_some())
            && self.current.is_none()
        {
            return self.problem(
                at,
                "Liquibase allows `--comment` in a changeset only. Move it below its `--changeset`, or begin the \
                 comment with another word",
            );
        }
        if self.current.is_some() {
            self.in_changeset(line, range, whole);
        }
    }

    fn in_changeset(&mut self, line: &str, range: Range<usize>, whole: Range<usize>) {
        let at = range.start;
        let own = comment(line);
        let named = |name: &str| own.and_then(|text| keyword(text, name));
        if let Some(value) = unindented(line, "comment").and_then(value_after) {
            let value = value.trim().to_owned();
            return self.change(|changeset| changeset.comment = Some(value));
        }
        if one_dash(line, "comment")
            .or_else(|| unindented(line, "comments"))
            .is_some_and(|after| value_after(after).is_some())
        {
            return self.misspelt(at, "--comment: <comment>");
        }
        if let Some(value) = unindented(line, "validCheckSum").and_then(value_after) {
            let value = value.trim().to_owned();
            return self.change(|changeset| changeset.valid_checksums.push(value));
        }
        if one_dash(line, "validCheckSum").is_some() {
            return self.misspelt(at, "--validCheckSum: <checksum>");
        }
        if let Some(sql) = named("rollback").and_then(|after| after.strip_prefix(' ')) {
            let start = range.end - sql.len();
            return self.change(|changeset| extend(&mut changeset.rollback, start..whole.end));
        }
        if one_dash(trim_start(line), "rollback").is_some_and(begins_blank) {
            return self.misspelt(at, "--rollback <SQL>");
        }
        if let Some(text) = named("preconditions") {
            return match reaction(text) {
                Ok(reaction) => self.change(|changeset| changeset.reaction = reaction),
                Err(message) => self.problem(at, message),
            };
        }
        if one_dash(trim_start(line), "preconditions").is_some_and(begins_blank) {
            return self.misspelt(at, "--preconditions onFail:<reaction> onError:<reaction>");
        }
        if let Some(text) = named("precondition-") {
            return match precondition(text) {
                Ok(found) => self.change(|changeset| changeset.preconditions.push((at, found))),
                Err(message) => self.problem(at, message),
            };
        }
        if one_dash(trim_start(line), "precondition").is_some() {
            return self.misspelt(
                at,
                "--precondition-sql-check expectedResult:<value> <query>",
            );
        }
        for (name, needs) in [
            ("rollbackSqlFile", ""),
            ("tagDatabase:", ""),
            ("include", "file:"),
            ("includeAll", ""),
        ] {
            let found = named(name).filter(|after| begins_blank(after));
            if found.is_some_and(|after| keyword(trim_start(after), needs).is_some()) {
                let name = name.trim_end_matches(':');
                return self.problem(
                    at,
                    format!(
                        "`--{name}` works with a licence of Liquibase only and cannot be carried over. Write out what \
                         it stands for, or begin the comment with another word"
                    ),
                );
            }
        }
        self.sql(whole);
    }

    fn change(&mut self, change: impl FnOnce(&mut Changeset)) {
        if let Some(changeset) = &mut self.current {
            change(changeset);
        }
    }

    fn begin(&mut self, at: usize, line: &str, author: &str, id: &str) {
        self.finish();
        if id.bytes().all(|byte| byte == b':' || byte == b' ') {
            self.problem(
                at,
                "the changeset has no id. Write `--changeset <author>:<id>`",
            );
        }
        self.current = Some(Box::new(Changeset {
            at,
            author: author.to_owned(),
            id: id.to_owned(),
            attributes: attributes(line),
            ..Changeset::default()
        }));
    }

    fn finish(&mut self) {
        let Some(changeset) = self.current.take() else {
            return;
        };
        let mut sql = changeset
            .up
            .iter()
            .filter_map(|range| self.text.get(range.clone()));
        if sql.all(|sql| sql.trim().is_empty()) {
            let message = format!(
                "the changeset {}:{} has no SQL, which Liquibase refuses. Write some, or remove the changeset",
                changeset.author, changeset.id
            );
            self.problem(changeset.at, message);
            return;
        }
        self.changelog.items.push(Item::Changeset(changeset));
    }

    /// `--ignoreLines:start` up to `--ignoreLines:end`, or a number of lines.
    fn ignore_lines(&mut self, at: usize, what: &str, lines: &mut Lines<'_>) {
        if what == "start" {
            while let Some((range, _)) = lines.next() {
                let line = self.text.get(range.clone()).unwrap_or_default();
                if unindented(line, "ignoreLines:") == Some("end") {
                    return;
                }
                if one_dash(line, "ignoreLines:").is_some() {
                    self.misspelt(range.start, "--ignoreLines:end");
                }
            }
            return;
        }
        match what.parse::<u64>() {
            Ok(count) => {
                for _ in 0..count {
                    if lines.next().is_none() {
                        return;
                    }
                }
            }
            Err(_) => self.misspelt(at, "--ignoreLines:<number|start>"),
        }
    }

    /// `/* liquibase rollback` up to a line that ends in `*/`.
    fn block(&mut self, at: usize, lines: &mut Lines<'_>) {
        if self.current.is_none() {
            return;
        }
        while let Some((range, whole)) = lines.next() {
            let line = self.text.get(range.clone()).unwrap_or_default();
            let Some(last) = line.trim_end().strip_suffix("*/") else {
                self.change(|changeset| extend(&mut changeset.rollback, whole));
                continue;
            };
            if !last.trim().is_empty() {
                let end = range.start + last.len();
                self.change(|changeset| extend(&mut changeset.rollback, range.start..end));
            }
            return;
        }
        self.problem(
            at,
            "this rollback is never closed: `*/` is missing at the end of its last line",
        );
    }
}

/// Author and id behind `--changeset`.
fn header(after: &str) -> Option<(String, String)> {
    if !begins_blank(after) {
        return None;
    }
    let text = trim_start(after);
    let (author, rest) = quoted_part(text, ":").or_else(|| {
        let (author, _) = text.split_once(':')?;
        (!author.is_empty()).then(|| text.split_at(author.len()))
    })?;
    let rest = rest.strip_prefix(':')?;
    let (id, _) = quoted_part(rest, "").or_else(|| {
        let end = rest.bytes().take_while(|byte| !is_blank(*byte)).count();
        (end > 0).then(|| rest.split_at_checked(end))?
    })?;
    Some((
        without_quotes(author).to_owned(),
        without_quotes(id).to_owned(),
    ))
}

/// A part in double quotes, with them, that `next` follows.
fn quoted_part<'a>(text: &'a str, next: &str) -> Option<(&'a str, &'a str)> {
    let (inside, _) = text.strip_prefix('"')?.split_once('"')?;
    let (quoted, rest) = text.split_at_checked(inside.len() + 2)?;
    (!inside.is_empty() && rest.starts_with(next)).then_some((quoted, rest))
}

/// What a line says behind `--` and white space.
fn comment(line: &str) -> Option<&str> {
    trim_start(line).strip_prefix("--").map(trim_start)
}

/// The same for what has to stand at the very start of its line, with a name.
fn unindented<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    keyword(trim_start(line.strip_prefix("--")?), name)
}

/// What follows a name after a single dash at the start of a line.
fn one_dash<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    keyword(trim_start(line.strip_prefix('-')?), name)
}

/// What follows a name, in any case.
fn keyword<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

/// What follows a space, or a colon and a space.
fn value_after(text: &str) -> Option<&str> {
    text.strip_prefix(':').unwrap_or(text).strip_prefix(' ')
}

fn begins_blank(text: &str) -> bool {
    text.bytes().next().is_some_and(is_blank)
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches(|char: char| u8::try_from(char).is_ok_and(is_blank))
}

fn is_rollback_block(line: &str) -> bool {
    let after = trim_start(line).strip_prefix("/*").map(trim_start);
    let after = after
        .and_then(|text| keyword(text, "liquibase"))
        .map(trim_start);
    after
        .and_then(|text| keyword(text, "rollback"))
        .is_some_and(|rest| rest.trim().is_empty())
}

/// Adds a range, as one with the last when nothing is between them.
fn extend(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
#[path = "formatted_tests.rs"]
mod tests;
