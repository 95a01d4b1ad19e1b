//! What `forerun check` has found, for people: by object, each with its place, reason and remedy.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use forerun_manifests::check::{Finding, ObjectName, Report, Severity};
use forerun_sql::Position;

use super::excerpt;
use super::style::{BAD, DIM, STRONG, WARNING, count, paint, printable};

/// Columns of running text.
const WIDTH: usize = 96;

/// All findings, and one sentence at the end. Verbose: with an example of each remedy.
pub fn render(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    let mut explained = HashSet::new();
    let mut order = Vec::new();
    let mut by_object: HashMap<&ObjectName, Vec<&Finding>> = HashMap::new();
    for finding in &report.findings {
        let findings = by_object.entry(&finding.object).or_insert_with(|| {
            order.push(&finding.object);
            Vec::new()
        });
        findings.push(finding);
    }
    for name in order {
        if let Some(findings) = by_object.get(name) {
            object(&mut text, name, findings, &mut explained, verbose);
        }
    }
    for silenced in &report.silenced {
        let finding = &silenced.finding;
        let _ = writeln!(
            text,
            "{}",
            paint(
                DIM,
                printable(&format!(
                    "{} {}: {} is silenced: {}",
                    finding.object.kind, finding.object.name, finding.rule, silenced.reason
                ))
            )
        );
    }
    let _ = writeln!(text, "{}", sentence(report));
    text
}

/// One object with all of its findings.
fn object<'r>(
    text: &mut String,
    name: &ObjectName,
    findings: &[&'r Finding],
    explained: &mut HashSet<&'r str>,
    verbose: bool,
) {
    let title = format!("{} {}", name.kind, name.name);
    let template = findings
        .first()
        .and_then(|first| first.template.as_deref())
        .map(|template| format!("  {template}"))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{}{}\n",
        paint(STRONG, printable(&title)),
        paint(DIM, printable(&template))
    );
    for finding in findings {
        one(text, finding, explained.insert(finding.rule), verbose);
    }
}

fn one(text: &mut String, finding: &Finding, explain: bool, verbose: bool) {
    let style = match finding.severity {
        Severity::Error => BAD,
        Severity::Warning => WARNING,
        Severity::Note => STRONG,
    };
    let _ = writeln!(
        text,
        "  {} {}: {}",
        paint(style, finding.severity.name()),
        finding.rule,
        printable(&finding.message)
    );
    let place = format!(
        "{}:{}:{}  {}",
        finding.file, finding.line, finding.column, finding.path
    );
    let _ = writeln!(text, "    {}", printable(&place));
    let start = Position {
        offset: 0,
        line: finding.line.into(),
        column: 1,
    };
    let excerpt = excerpt::of_statement(start, &finding.excerpt.text, Some(finding.excerpt.offset));
    for line in excerpt.iter().flat_map(excerpt::Excerpt::text_lines) {
        let _ = writeln!(text, "    {}", printable(&line));
    }
    // Said once: the second finding of a rule has the same reason.
    if explain {
        labelled(text, "why", finding.why);
        labelled(text, "fix", finding.fix);
        for line in finding.example.lines().filter(|_| verbose) {
            let _ = writeln!(text, "          {line}");
        }
    }
    text.push('\n');
}

fn labelled(text: &mut String, label: &str, sentence: &str) {
    let mut line = format!("    {label}");
    let mut used = line.len();
    for word in sentence.split_whitespace() {
        if used + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(7);
            used = line.len();
        }
        line.push(' ');
        line.push_str(word);
        used += 1 + word.chars().count();
    }
    let _ = writeln!(text, "{line}");
}

fn sentence(report: &Report) -> String {
    let found: Vec<String> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ]
    .into_iter()
    .map(|(severity, name)| (report.count(severity), name))
    .filter(|(number, _)| *number > 0)
    .map(|(number, name)| count(number, name))
    .collect();
    let found = if found.is_empty() {
        "nothing found".to_owned()
    } else {
        found.join(", ")
    };
    format!(
        "{} in {}: {found}.",
        count(report.jobs.len(), "migration Job"),
        count(report.objects, "object")
    )
}
