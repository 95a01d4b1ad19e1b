//! Collects problems, and shows their lines without secrets.

use std::sync::Arc;

use super::problem::{Place, Problem, Severity};
use crate::yaml::{At, Node, Point, Span, Step, lines};

/// Longest line that is shown as a whole, in characters.
const LINE_LENGTH: usize = 140;
/// What stands for a value that is not shown.
const MASK: char = '…';

/// The texts that values came from, what of them must not be shown, and the problems found so far.
pub(super) struct Report<'text> {
    sources: Vec<(Arc<str>, &'text str)>,
    secret: Vec<Span>,
    problems: Vec<(usize, Point, Problem)>,
}

impl<'text> Report<'text> {
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            secret: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A text that later spans point into. They must share the name that is returned.
    pub(super) fn source(&mut self, name: &str, text: &'text str) -> Arc<str> {
        let name: Arc<str> = Arc::from(name);
        self.sources.push((Arc::clone(&name), text));
        name
    }

    /// Never shows this stretch.
    pub(super) fn hide(&mut self, span: Span) {
        self.secret.push(span);
    }

    /// Whether a value is never shown.
    pub(super) fn is_hidden(&self, span: &Span) -> bool {
        self.secret.iter().any(|secret| {
            Arc::ptr_eq(&secret.source, &span.source)
                && secret.start < span.end
                && span.start < secret.end
        })
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems
            .iter()
            .any(|(_, _, problem)| problem.severity == Severity::Error)
    }

    /// The problems in the order of the text.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.0, problem.1));
        self.problems.dedup_by(|a, b| a.2 == b.2);
        self.problems
            .into_iter()
            .map(|(_, _, problem)| problem)
            .collect()
    }

    /// Adds a problem at a stretch of text.
    pub(super) fn add(
        &mut self,
        severity: Severity,
        path: String,
        span: &Span,
        message: String,
        help: Option<String>,
    ) {
        let place = self.place(span);
        self.push(severity, path, span, place, message, help);
    }

    /// Adds an error about text that could not be read, whose parts nobody knows: no value of the line is shown.
    pub(super) fn add_unreadable(&mut self, span: &Span, message: String, help: Option<String>) {
        let place = self.place_of(span, |line| mask_all_values(&line));
        self.push(Severity::Error, String::new(), span, place, message, help);
    }

    fn push(
        &mut self,
        severity: Severity,
        path: String,
        span: &Span,
        place: Option<Place>,
        message: String,
        help: Option<String>,
    ) {
        let source = self
            .sources
            .iter()
            .position(|(name, _)| Arc::ptr_eq(name, &span.source));
        let order = source.unwrap_or(usize::MAX);
        self.problems.push((
            order,
            span.start,
            Problem {
                severity,
                path,
                place,
                message,
                help,
            },
        ));
    }

    fn place(&self, span: &Span) -> Option<Place> {
        self.place_of(span, |line| self.mask_secrets(line, span))
    }

    fn place_of(
        &self,
        span: &Span,
        mask: impl FnOnce(Vec<Option<char>>) -> Vec<Option<char>>,
    ) -> Option<Place> {
        let (_, text) = self
            .sources
            .iter()
            .find(|(name, _)| Arc::ptr_eq(name, &span.source))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line = lines(text)
            .nth(span.start.line as usize - 1)
            .unwrap_or_default();
        let line: Vec<Option<char>> = line.chars().map(Some).collect();
        let (text, caret) = excerpt(&mask(line), span.start.column as usize - 1);
        let Point { line, column } = span.start;
        Some(Place {
            source: span.source.to_string(),
            line,
            column,
            text,
            caret,
        })
    }

    /// Replaces what must not be shown by nothing; [`excerpt`] writes one `…` for each gap.
    fn mask_secrets(&self, mut line: Vec<Option<char>>, span: &Span) -> Vec<Option<char>> {
        let number = span.start.line;
        for secret in &self.secret {
            let here = Arc::ptr_eq(&secret.source, &span.source)
                && (secret.start.line..=secret.end.line).contains(&number);
            if !here {
                continue;
            }
            let first = if secret.start.line == number {
                secret.start.column as usize - 1
            } else {
                0
            };
            let behind = if secret.end.line == number {
                secret.end.column as usize - 1
            } else {
                line.len()
            };
            for character in line.iter_mut().take(behind).skip(first) {
                *character = None;
            }
        }
        line
    }
}

/// Leaves the indentation, dashes and the first key of a line, or of a `--set`.
fn mask_all_values(line: &[Option<char>]) -> Vec<Option<char>> {
    let is = |place: usize, expected: char| line.get(place) == Some(&Some(expected));
    let mut begin = 0;
    while is(begin, ' ') || is(begin, '\t') || (is(begin, '-') && is(begin + 1, ' ')) {
        begin += 1;
    }
    let word = |character: &Option<char>| {
        character
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '[' | ']'))
    };
    let length = line[begin..]
        .iter()
        .take_while(|character| word(character))
        .count();
    let end = begin + length;
    let is_blank = |place: usize| is(place, ' ') || is(place, '\t');
    let is_option = length > 4 && is(begin, '-') && is(begin + 1, '-') && is(end, ' ');
    let keep = if is_option {
        // `--set key=value`
        line.iter()
            .position(|character| *character == Some('='))
            .map_or(end + 1, |equals| equals + 1)
    } else if is(end, ':') && is_blank(end + 1) {
        end + 2
    } else if is(end, ':') && end + 1 == line.len() {
        end + 1
    } else {
        begin
    };
    line.iter()
        .enumerate()
        .map(|(place, c)| if place < keep { *c } else { None })
        .collect()
}

/// The text to show, and the characters in it before the column.
fn excerpt(line: &[Option<char>], column: usize) -> (String, usize) {
    let column = column.min(line.len());
    let first = if line.len() <= LINE_LENGTH {
        0
    } else {
        column.saturating_sub(LINE_LENGTH / 2)
    };
    let behind = line.len().min(first + LINE_LENGTH);
    let mut text = String::new();
    let mut caret = None;
    if first > 0 {
        text.push(MASK);
    }
    let mut gap = false;
    for (place, character) in line.iter().enumerate().take(behind).skip(first) {
        if place == column {
            // Under the mark that stands for what is there.
            caret = Some(text.chars().count() - usize::from(gap && character.is_none()));
        }
        match character {
            Some('\t') => text.push(' '),
            Some(character) => text.push(*character),
            None if !gap => text.push(MASK),
            None => {}
        }
        gap = character.is_none();
    }
    if behind < line.len() {
        text.push(MASK);
    }
    let caret = caret.unwrap_or_else(|| text.chars().count());
    (text, caret)
}

/// The value at a path, or the nearest thing around it that was written.
pub(super) fn span_of_value(tree: &Node, at: &At<'_>) -> Span {
    walk(tree, at).1
}

/// The key at a path (the value, for an item of a list), or the nearest thing around it that was written.
pub(super) fn span_of_key(tree: &Node, at: &At<'_>) -> Span {
    walk(tree, at).0
}

fn walk(tree: &Node, at: &At<'_>) -> (Span, Span) {
    let mut here = tree;
    let mut spans = (tree.span.clone(), tree.span.clone());
    for step in at.steps() {
        let next = match step {
            Step::Key(key) => here
                .entry(key)
                .map(|entry| (entry.key_span.clone(), &entry.value)),
            Step::Index(_) => here.step(step).map(|item| (item.span.clone(), item)),
        };
        let Some((key, value)) = next else {
            return (spans.0.clone(), spans.0); // Missing: what should hold it is the place to look at.
        };
        spans = (key, value.span.clone());
        here = value;
    }
    spans
}
