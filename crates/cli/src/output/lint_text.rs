//! What `forerun migrate lint` has found, for people: each finding with its line, what happens, and what to write instead.

use std::fmt::Write;

use forerun_migrations::lint::{Finding, Report};
use forerun_sql::lint::Severity;

use super::error_text::mark_caret;
use super::excerpt;
use super::style::{BAD, DIM, STRONG, WARNING, count, paint, printable};

/// All findings, and one sentence at the end. Verbose: with the reasons of the rules.
pub fn render(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    let mut explained = std::collections::HashSet::new();
    for finding in &report.findings {
        match &finding.allowed {
            None => {
                let why = verbose && explained.insert(finding.rule.id);
                one(&mut text, finding, why);
            }
            Some(reason) => {
                let line = format!(
                    "{}: {} is allowed: {reason}",
                    finding.place(),
                    finding.rule.id
                );
                let _ = writeln!(text, "{}\n", paint(DIM, printable(&line)));
            }
        }
    }
    let _ = writeln!(text, "{}", sentence(report));
    text
}

fn one(text: &mut String, finding: &Finding, why: bool) {
    let (style, name) = severity(finding.severity);
    let _ = writeln!(
        text,
        "{}: {} {}",
        paint(STRONG, printable(&finding.place())),
        paint(style, name),
        finding.rule.id
    );
    // A finding about a file as a whole has no line of its own.
    if finding.statement > 0 || finding.end > finding.start || finding.start.line > 1 {
        let start = (finding.start.line, finding.start.column);
        let end = (finding.end.line, finding.end.column);
        let excerpt = excerpt::of_range(&finding.path, start, Some(end));
        for line in excerpt.iter().flat_map(excerpt::Excerpt::text_lines) {
            let _ = writeln!(text, "  {}", mark_caret(&line));
        }
    }
    let _ = writeln!(text, "  {}", printable(&finding.message));
    if why {
        let _ = writeln!(text, "  {}", paint(DIM, printable(finding.rule.why)));
    }
    for (number, file) in finding.instead.iter().enumerate() {
        let label = format!("{}:", finding.label(number));
        let _ = writeln!(text, "  {}", paint(DIM, label));
        for line in file.trim_end().lines() {
            let line = format!("      {}", printable(line));
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text.push('\n');
}

/// How a severity looks.
pub fn severity(severity: Severity) -> (anstyle::Style, &'static str) {
    match severity {
        Severity::Error => (BAD, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Info => (STRONG, "note"),
    }
}

fn sentence(report: &Report) -> String {
    let mut found: Vec<String> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "note"),
    ]
    .into_iter()
    .map(|(severity, name)| (report.count(severity), name))
    .filter(|(number, _)| *number > 0)
    .map(|(number, name)| count(number, name))
    .collect();
    if found.is_empty() {
        found.push("nothing found".to_owned());
    }
    let allowed = report
        .findings
        .iter()
        .filter(|finding| finding.allowed.is_some());
    match allowed.count() {
        0 => {}
        allowed => found.push(format!("{allowed} allowed")),
    }
    format!(
        "{} judged: {}.",
        count(report.judged, "file"),
        found.join(", ")
    )
}
