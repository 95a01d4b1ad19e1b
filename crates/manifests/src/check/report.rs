//! What a check has found, joined with the places in the files.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use super::field::Path;
use super::object::{Object, Source};
use super::release::Release;
use super::rule::{Hit, Rule, Severity};
use super::secrets;
use crate::yaml::Span;

/// One thing that a rule has found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The object.
    #[serde(flatten)]
    pub object: ObjectName,
    /// Where in the object; what is not there: where it would stand.
    pub path: String,
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// The template of the chart, where Helm says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Why that is a mistake.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The same as YAML.
    pub example: &'static str,
    /// The line with what is secret in it masked.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

/// Which object is meant.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// `Job`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, where the manifest says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// The text, with `***` for what is secret.
    pub text: String,
    /// The place of the finding, in bytes of the text.
    pub offset: usize,
}

/// A finding that the object silences.
#[derive(Debug, Clone, Serialize)]
pub struct Silenced {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is to be left alone.
    pub reason: String,
}

/// What a check has found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Objects that were read.
    pub objects: usize,
    /// The migration Jobs among them.
    pub jobs: Vec<ObjectName>,
    /// What was found, by place.
    pub findings: Vec<Finding>,
    /// What was found and is silenced by an annotation.
    pub silenced: Vec<Silenced>,
}

impl Report {
    /// How many findings of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

impl From<&Object> for ObjectName {
    fn from(object: &Object) -> Self {
        Self {
            kind: object.kind.clone(),
            name: object.name.clone(),
            namespace: object.namespace.clone(),
        }
    }
}

/// Columns that must not be shown, by source and line: from, and up to but not including.
type Masked = HashMap<(Arc<str>, u32), Vec<(u32, u32)>>;

/// Joins hits with their places.
pub(super) struct Places<'a> {
    lines: HashMap<&'a str, Vec<&'a str>>,
    masked: Masked,
}

impl<'a> Places<'a> {
    pub(super) fn new(sources: &'a [Source], release: &Release) -> Self {
        let mut lines: HashMap<&str, Vec<&str>> = HashMap::new();
        for source in sources {
            lines
                .entry(&source.name)
                .or_insert_with(|| source.text.lines().collect());
        }
        let mut masked = Masked::new();
        for span in release.objects.iter().flat_map(secrets::spans) {
            let last = lines
                .get(&*span.source)
                .map_or(0, |lines| u32::try_from(lines.len()).unwrap_or(u32::MAX));
            for line in span.start.line..=span.end.line.min(last) {
                let from = if line == span.start.line {
                    span.start.column
                } else {
                    1
                };
                let to = if line == span.end.line {
                    span.end.column
                } else {
                    u32::MAX
                };
                masked
                    .entry((Arc::clone(&span.source), line))
                    .or_default()
                    .push((from, to));
            }
        }
        Self { lines, masked }
    }

    pub(super) fn finding(&self, rule: &'static Rule, hit: Hit, object: &Object) -> Finding {
        let span = span(object, &hit.path, hit.at_key);
        Finding {
            rule: rule.id,
            severity: hit.severity,
            message: secrets::redact(hit.message),
            object: object.into(),
            path: secrets::redact(hit.path.to_string()),
            file: span.source.to_string(),
            line: span.start.line,
            column: span.start.column,
            template: object.template.clone(),
            why: rule.why,
            fix: rule.fix,
            example: rule.yaml,
            excerpt: self.excerpt(span),
        }
    }

    fn excerpt(&self, span: &Span) -> Excerpt {
        let index = usize::try_from(span.start.line)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let line = self
            .lines
            .get(&*span.source)
            .and_then(|lines| lines.get(index));
        let masked = self
            .masked
            .get(&(Arc::clone(&span.source), span.start.line));
        let masked = masked.map(Vec::as_slice).unwrap_or_default();
        let line = line.filter(|line| line.len() <= LONGEST_LINE);
        line.map(|line| mask(line, masked, span.start.column))
            .unwrap_or_default()
    }
}

fn span<'o>(object: &'o Object, path: &Path, at_key: bool) -> &'o Span {
    if at_key {
        object.key_span(path)
    } else {
        object.span(path)
    }
}

/// Longest line of which a part is shown, in bytes: all of a manifest may stand on one line.
const LONGEST_LINE: usize = 100_000;
/// Longest part of a line that is looked at, in characters.
const LONGEST: u32 = 2_000;

/// A line without its masked columns.
fn mask(line: &str, masked: &[(u32, u32)], column: u32) -> Excerpt {
    let mut excerpt = Excerpt::default();
    let mut hidden = false;
    let first = column.saturating_sub(LONGEST).max(1);
    let masked: Vec<_> = masked
        .iter()
        .filter(|(from, to)| *to >= first && *from <= column.saturating_add(LONGEST))
        .collect();
    for (number, character) in (1..).zip(line.chars()) {
        if number >= column.saturating_add(LONGEST) {
            break;
        }
        if number < first {
            continue;
        }
        let hide = masked
            .iter()
            .any(|(from, to)| (*from..*to).contains(&number));
        if number == column {
            // Within a masked part: its beginning.
            excerpt.offset = if hide && hidden {
                excerpt.text.len().saturating_sub(3)
            } else {
                excerpt.text.len()
            };
        }
        if hide && !hidden {
            excerpt.text.push_str("***");
        } else if !hide {
            excerpt.text.push(character);
        }
        hidden = hide;
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_masked() {
        let excerpt = mask("value: hunter2 # é", &[(8, 15)], 8);
        assert_eq!(
            excerpt,
            Excerpt {
                text: "value: *** # é".to_owned(),
                offset: 7
            }
        );
        let excerpt = mask("{a: x, b: y}", &[(5, 6)], 8);
        assert_eq!(
            excerpt,
            Excerpt {
                text: "{a: ***, b: y}".to_owned(),
                offset: 9
            }
        );
        assert_eq!(mask("secret", &[(1, u32::MAX)], 1).text, "***");
        assert_eq!(mask("", &[], 1), Excerpt::default());
    }
}
