//! Findings as code hosts show them beside the lines: SARIF 2.1.0 (OASIS, sarif-v2.1.0-os), and the annotations of
//! GitHub Actions ("Workflow commands for GitHub Actions"). The same for everything in forerun that has rules.

use std::fmt::Write;
use std::path::Path;

use forerun_manifests::check;
use forerun_migrations::lint;
use forerun_sql::lint::Severity as LintSeverity;
use serde_json::{Value, json};

use super::repository::Repository;
use crate::reference::lint_rules;

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The form that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeHost {
    /// SARIF.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// A rule.
struct Described {
    id: &'static str,
    title: &'static str,
    why: &'static str,
    help: String,
    help_markdown: String,
    level: &'static str,
}

/// A finding.
struct Reported {
    rule: &'static str,
    /// `error`, `warning` or `note`.
    level: &'static str,
    message: String,
    file: String,
    /// Line and column, from 1.
    start: Option<(u64, u64)>,
    end: Option<(u64, u64)>,
    /// What it is about, where that is more than a place in a file.
    object: Option<String>,
    /// What stays the same when lines move.
    fingerprint: (&'static str, String),
    /// Why it does not count.
    silenced: Option<String>,
}

/// What `forerun check` has found.
pub fn of_check(report: &check::Report, host: CodeHost) -> String {
    let repository = Repository::here();
    let open = report.findings.iter().map(|finding| (finding, None));
    let silenced = report
        .silenced
        .iter()
        .map(|silenced| (&silenced.finding, Some(silenced.reason.clone())));
    let results = open.chain(silenced).map(|(finding, silenced)| {
        let object = format!("{}/{}", finding.object.kind, finding.object.name);
        let place = format!("{object}/{}", finding.path);
        // What came through a pipe is no file; the template is the nearest that is one, with lines of its own.
        let (file, start) = if finding.file == "-" {
            let template = finding.template.as_deref();
            let template = template.unwrap_or("standard-input.yaml");
            (template.to_owned(), None)
        } else {
            let start = (finding.line.into(), finding.column.into());
            (repository.path(Path::new(&finding.file)), Some(start))
        };
        Reported {
            rule: finding.rule,
            level: finding.severity.name(),
            message: format!("{object}: {}.", finding.message),
            file,
            start,
            end: None,
            object: Some(place.clone()),
            fingerprint: ("objectAndPath/v1", place),
            silenced,
        }
    });
    let rules = check::all().iter().map(|rule| Described {
        id: rule.id,
        title: rule.title,
        why: rule.why,
        help: format!("{}\n\n{}", rule.fix, rule.yaml),
        help_markdown: format!("{}\n\n```yaml\n{}\n```", rule.fix, rule.yaml),
        level: rule.severity.name(),
    });
    write(
        host,
        &rules.collect::<Vec<_>>(),
        &results.collect::<Vec<_>>(),
    )
}

/// With a capital letter.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// What `forerun migrate lint` has found.
pub fn of_lint(report: &lint::Report, host: CodeHost) -> String {
    let repository = Repository::here();
    let results = report.findings.iter().map(|finding| {
        let mut message = finding.message.clone();
        for (number, file) in finding.instead.iter().enumerate() {
            let label = capitalized(&finding.label(number));
            let _ = write!(message, "\n\n{label}:\n\n{}", file.trim_end());
        }
        let start = (finding.start.line, finding.start.column);
        let end = (finding.end.line, finding.end.column);
        Reported {
            rule: finding.rule.id,
            level: level(finding.severity),
            fingerprint: (
                "fileAndMessage/v1",
                format!("{}/{}", finding.script, finding.message),
            ),
            message,
            file: repository.path(&finding.path),
            start: Some(start),
            end: (end > start).then_some(end),
            object: None,
            silenced: finding.allowed.clone(),
        }
    });
    let rules = forerun_sql::lint::ALL.iter().map(|rule| Described {
        id: rule.id,
        title: rule.summary,
        why: rule.why,
        help: lint_rules::example_text(rule),
        help_markdown: lint_rules::examples(rule),
        level: level(rule.severity),
    });
    write(
        host,
        &rules.collect::<Vec<_>>(),
        &results.collect::<Vec<_>>(),
    )
}

/// Severities have other names there.
fn level(severity: LintSeverity) -> &'static str {
    match severity {
        LintSeverity::Error => "error",
        LintSeverity::Warning => "warning",
        LintSeverity::Info => "note",
    }
}

fn write(host: CodeHost, rules: &[Described], results: &[Reported]) -> String {
    match host {
        CodeHost::Sarif => sarif(rules, results),
        CodeHost::Github => annotations(results),
    }
}

/// One log with one run.
fn sarif(rules: &[Described], results: &[Reported]) -> String {
    let of_rules = rules.iter().map(sarif_rule).collect::<Vec<Value>>();
    let results = results.iter().map(|result| {
        let mut value = sarif_result(result);
        if let Some(index) = rules.iter().position(|rule| rule.id == result.rule) {
            value["ruleIndex"] = index.into();
        }
        value
    });
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "forerun",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": of_rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<Value>>(),
        }],
    });
    format!("{log:#}\n")
}

fn sarif_rule(rule: &Described) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": format!("{}.", rule.title)},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.help, "markdown": rule.help_markdown},
        "defaultConfiguration": {"level": rule.level},
    })
}

fn sarif_result(result: &Reported) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(&result.file)}});
    if let Some((line, column)) = result.start {
        physical["region"] = json!({"startLine": line, "startColumn": column});
        if let Some((line, column)) = result.end {
            physical["region"]["endLine"] = line.into();
            physical["region"]["endColumn"] = column.into();
        }
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(object) = &result.object {
        location["logicalLocations"] = json!([{"fullyQualifiedName": object, "kind": "object"}]);
    }
    let (name, fingerprint) = &result.fingerprint;
    let mut value = json!({
        "ruleId": result.rule,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [location],
        "partialFingerprints": {*name: fingerprint},
    });
    if let Some(reason) = &result.silenced {
        value["suppressions"] = json!([{"kind": "inSource", "justification": reason}]);
    }
    value
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// One line for each finding that counts.
fn annotations(results: &[Reported]) -> String {
    let mut text = String::new();
    for result in results.iter().filter(|result| result.silenced.is_none()) {
        let command = match result.level {
            "note" => "notice",
            level => level,
        };
        let _ = write!(text, "::{command} file={}", property(&result.file));
        if let Some((line, column)) = result.start {
            let _ = write!(text, ",line={line},col={column}");
            // The runner drops columns of what is longer than a line.
            if let Some((last, column)) = result.end {
                let _ = write!(text, ",endLine={last}");
                if last == line {
                    let _ = write!(text, ",endColumn={column}");
                }
            }
        }
        let title = property(result.rule);
        let _ = writeln!(text, ",title={title}::{}", data(&result.message));
    }
    text
}

/// The text of a command, which ends with its line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which also ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("out/my job.yaml"), "out/my%20job.yaml");
        assert_eq!(uri("é:1"), "%C3%A9%3A1");
    }

    #[test]
    fn nothing_in_a_finding_ends_its_annotation() {
        let result = Reported {
            rule: "a-rule",
            level: "note",
            message: "100% of\r\nit: a, b::error::x".to_owned(),
            file: "a,b:c.sql".to_owned(),
            start: Some((3, 1)),
            end: Some((3, 9)),
            object: None,
            fingerprint: ("x/v1", String::new()),
            silenced: None,
        };
        assert_eq!(
            annotations(&[result]),
            "::notice file=a%2Cb%3Ac.sql,line=3,col=1,endLine=3,endColumn=9,title=a-rule::100%25 of%0D%0Ait: a, b::error::x\n"
        );
    }
}
