//! An error for people: what happened, where, details, the state of things, and last what to do.

use std::fmt::Write;

use super::style::{BAD, DIM, STRONG, paint, printable};
use crate::command_error::{Explanation, Problem};

/// Columns of the labels.
const LABEL: usize = 12;

/// Several lines, ending in a newline. The last one says what to do.
pub fn render(explanation: &Explanation) -> String {
    let mut text = String::new();
    for problem in &explanation.problems {
        let _ = writeln!(text, "{}\n", printable(problem.trim_end()));
    }
    let _ = writeln!(
        text,
        "{} {}",
        paint(BAD, "error:"),
        paint(STRONG, printable(&explanation.message))
    );
    if let Some(place) = &explanation.place {
        let place = format!("{}:{}:{}", place.file.display(), place.line, place.column);
        let _ = writeln!(text, "\n  {}", printable(&place));
    }
    if let Some(excerpt) = &explanation.excerpt {
        for line in excerpt.text_lines() {
            let _ = writeln!(text, "  {}", mark_caret(&line));
        }
    }
    if !explanation.details.is_empty() || explanation.state.is_some() {
        text.push('\n');
    }
    for (label, detail) in &explanation.details {
        labelled(&mut text, label, detail);
    }
    if let Some(state) = &explanation.state {
        labelled(&mut text, "state", state);
    }
    for advice in &explanation.advice {
        let _ = writeln!(text, "\n{}", printable(advice));
    }
    text
}

/// One problem of `validate`.
pub fn render_problem(problem: &Problem) -> String {
    let mut text = String::new();
    let mut place = problem
        .file
        .as_ref()
        .map(|file| file.display().to_string())
        .unwrap_or_default();
    if let (Some(line), Some(column)) = (problem.line, problem.column) {
        let _ = write!(place, ":{line}:{column}");
    }
    let separator = if place.is_empty() { "" } else { ": " };
    let _ = writeln!(
        text,
        "{} {}{separator}{}",
        paint(BAD, "✗"),
        printable(&place),
        printable(&problem.message)
    );
    if let Some(excerpt) = &problem.excerpt {
        for line in excerpt.text_lines() {
            let _ = writeln!(text, "    {}", mark_caret(&line));
        }
    }
    text
}

fn labelled(text: &mut String, label: &str, detail: &str) {
    let detail = printable(detail);
    let mut lines = detail.lines();
    // A space also after the longest one.
    let label = paint(DIM, format!("{:<LABEL$}", format!("{label} ")));
    let _ = writeln!(text, "  {label}{}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(text, "  {:LABEL$}{line}", "");
    }
}

/// A line of an excerpt, with its carets in colour.
pub fn mark_caret(line: &str) -> String {
    let head = line.trim_end_matches('^');
    let is_mark = head.len() < line.len() && head.trim().trim_matches('│').trim().is_empty();
    if is_mark {
        let carets = line.strip_prefix(head).unwrap_or_default();
        format!("{head}{}", paint(BAD, carets))
    } else {
        printable(line)
    }
}
