//! What `forerun check` has found as SARIF 2.1.0 (OASIS, sarif-v2.1.0-os), which code hosts show beside the lines.

use forerun_manifests::check::{self, Finding, Report, Rule};
use serde_json::{Value, json};

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One log with one run.
pub fn render(report: &Report) -> String {
    let open = report.findings.iter().map(|finding| result(finding, None));
    let silenced = report
        .silenced
        .iter()
        .map(|silenced| result(&silenced.finding, Some(&silenced.reason)));
    let results: Vec<Value> = open.chain(silenced).collect();
    let rules: Vec<Value> = check::all().iter().map(rule).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "forerun",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": format!("{}.", rule.title)},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": format!("{}\n\n{}", rule.fix, rule.yaml),
            "markdown": format!("{}\n\n```yaml\n{}\n```", rule.fix, rule.yaml),
        },
        "defaultConfiguration": {"level": rule.severity.name()},
    })
}

fn result(finding: &Finding, silenced: Option<&str>) -> Value {
    let object = format!("{}/{}", finding.object.kind, finding.object.name);
    let mut physical = json!({"artifactLocation": {"uri": uri(&finding.file)}});
    // What came through a pipe is no file; the template is the nearest that is one, with lines of its own.
    if finding.file == "-" {
        let template = finding.template.as_deref().unwrap_or("standard-input.yaml");
        physical["artifactLocation"]["uri"] = uri(template).into();
    } else {
        physical["region"] = json!({"startLine": finding.line, "startColumn": finding.column});
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": finding.severity.name(),
        "message": {"text": format!("{object}: {}.", finding.message)},
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{"fullyQualifiedName": format!("{object}/{}", finding.path), "kind": "object"}],
        }],
        "partialFingerprints": {"objectAndPath/v1": format!("{object}/{}", finding.path)},
    });
    if let Some(index) = check::all().iter().position(|rule| rule.id == finding.rule) {
        result["ruleIndex"] = index.into();
    }
    if let Some(reason) = silenced {
        result["suppressions"] = json!([{"kind": "inSource", "justification": reason}]);
    }
    result
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("out/my job.yaml"), "out/my%20job.yaml");
        assert_eq!(uri("é:1"), "%C3%A9%3A1");
    }
}
