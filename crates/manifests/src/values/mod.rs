//! The values file: from text to the typed model, with everything that is wrong reported at once.
//!
//! Each source becomes a tree with positions; the trees are merged as Helm merges values; the result is checked
//! against the schema, read into the model, and checked for what a schema cannot say. No I/O.

#[cfg(test)]
mod agreement_tests;
mod check;
mod merge;
mod model;
mod overrides;
mod problem;
mod reference;
mod report;
mod schema;
mod secret;

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;

pub use model::*;
pub use overrides::Override;
pub use problem::{Place, Problem, Problems, Severity};
pub use reference::reference;
pub use schema::schema;

use crate::yaml::{Data, Error, Map, Node, Point, Span, Strictness, read_all};
use report::Report;
use schema::{Finding, OwnedStep};

/// A values file.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: its path, or `-`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The text may hold secrets: not shown.
impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Source({})", self.name)
    }
}

impl Source {
    /// A source from the bytes of a file. Errors on bytes that are not UTF-8, with their place.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Problems> {
        let error = match String::from_utf8(bytes) {
            Ok(text) => {
                return Ok(Self {
                    name: name.to_owned(),
                    text,
                });
            }
            Err(error) => error,
        };
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
        let column = before
            .chars()
            .rev()
            .take_while(|character| *character != '\n')
            .count();
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = Place {
            source: name.to_owned(),
            line: small(before.matches('\n').count() + 1),
            column: small(column + 1),
            text: String::new(),
            caret: 0,
        };
        Err(Problems(vec![Problem {
            severity: Severity::Error,
            path: String::new(),
            place: Some(place),
            message: "this byte is not UTF-8".to_owned(),
            help: Some(
                "save the file as UTF-8; binary data goes into binaryData, in base64".to_owned(),
            ),
        }]))
    }
}

/// Values that can be used.
#[derive(Clone)]
pub struct Loaded {
    /// The values.
    pub values: Values,
    /// What can be used, but is hardly meant.
    pub warnings: Vec<Problem>,
}

/// The values hold secrets: not shown.
impl std::fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Loaded")
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Reads, merges and checks values: later sources win over earlier ones, overrides over all of them.
///
/// Errors with everything that is wrong, at least one error, in the order of the text.
pub fn read(sources: &[Source], overrides: &[Override]) -> Result<Loaded, Problems> {
    let texts: Vec<String> = overrides.iter().map(Override::text).collect();
    let mut report = Report::new();
    let Some(mut tree) = merged(sources, overrides, &texts, &mut report) else {
        return Err(Problems(report.into_problems()));
    };
    check::written_values(&tree, &mut report);
    merge::without_nulls(&mut tree);

    let findings = findings(&tree, &report);
    let spoiled: Vec<Vec<OwnedStep>> = findings
        .iter()
        .map(|finding| finding.steps.clone())
        .collect();
    let sound = without(&tree, &spoiled, &report);
    for finding in findings {
        if let Some(value) = finding.hide {
            report.hide(value);
        }
        report.add(
            Severity::Error,
            finding.path,
            &finding.span,
            finding.message,
            finding.help,
        );
    }
    let values = match Values::deserialize(sound.to_json()) {
        Ok(values) => values,
        Err(error) => {
            // A test proves that what passes the schema can be read; this is for what the test did not find.
            if !report.has_errors() {
                let message = format!("the values cannot be read: {error}");
                report.add(Severity::Error, String::new(), &tree.span, message, None);
            }
            return Err(Problems(report.into_problems()));
        }
    };
    check::check(&values, &tree, &spoiled, &mut report);
    let failed = report.has_errors();
    let problems = report.into_problems();
    if failed {
        Err(Problems(problems))
    } else {
        Ok(Loaded {
            values,
            warnings: problems,
        })
    }
}

/// One tree of all sources. `None` where one cannot be read; the report says why.
fn merged<'text>(
    sources: &'text [Source],
    overrides: &[Override],
    texts: &'text [String],
    report: &mut Report<'text>,
) -> Option<Node> {
    let mut tree: Option<Node> = None;
    let mut readable = true;
    for source in sources {
        match read_source(source, report) {
            Some(node) => match &mut tree {
                None => tree = Some(node),
                Some(tree) => merge::overlay(tree, node),
            },
            None => readable = false,
        }
    }
    let mut tree = tree.unwrap_or_else(|| empty(report.source("values", "")));
    for (option, text) in overrides.iter().zip(texts) {
        let name = report.source(&option.name(), text);
        let assignments = match overrides::parse(option, text, &name) {
            Ok(assignments) => assignments,
            Err(refused) => {
                report.add_unreadable(
                    &refused.span,
                    refused.message,
                    Some(refused.help.to_owned()),
                );
                readable = false;
                continue;
            }
        };
        for assignment in assignments {
            let mut alone = empty(Arc::clone(&name));
            let refused = overrides::apply(&mut alone, assignment.clone())
                .and_then(|()| overrides::apply(&mut tree, assignment));
            secret::hide_secrets(&alone, report);
            if let Err(refused) = refused {
                report.add_unreadable(
                    &refused.span,
                    refused.message,
                    Some(refused.help.to_owned()),
                );
                readable = false;
            }
        }
    }
    readable.then_some(tree)
}

fn read_source<'text>(source: &'text Source, report: &mut Report<'text>) -> Option<Node> {
    let name = report.source(&source.name, &source.text);
    let mut documents = match read_all(&name, &source.text, Strictness::Strict) {
        Ok(documents) => documents,
        Err(errors) => {
            for Error {
                span,
                message,
                help,
            } in errors
            {
                report.add_unreadable(&span, message, help);
            }
            return None;
        }
    };
    if let Some(second) = documents.get(1) {
        let message = "a values file is one document, but a second one begins here".to_owned();
        let help = "put it in a file of its own and give both, each with -f".to_owned();
        report.add_unreadable(&second.span, message, Some(help));
        return None;
    }
    let tree = documents.pop().unwrap_or_else(|| empty(Arc::clone(&name)));
    match tree.data {
        Data::Map(_) => {}
        Data::Null => return Some(empty(name)),
        _ => {
            let message = format!("values are a map, but this is {}", tree.kind());
            report.add_unreadable(
                &tree.span,
                message,
                Some("begin with a key such as `deployments:`".to_owned()),
            );
            return None;
        }
    }
    secret::hide_secrets(&tree, report);
    Some(tree)
}

fn empty(source: Arc<str>) -> Node {
    let start = Point { line: 1, column: 1 };
    Node {
        span: Span {
            source,
            start,
            end: start,
        },
        data: Data::Map(Map::new()),
        written: None,
    }
}

fn findings(tree: &Node, report: &Report<'_>) -> Vec<Finding> {
    schema::validate(tree, schema::typed(), &|span| report.is_hidden(span))
}

/// The tree without what does not fit the schema, so that the rest can be checked further. Items of lists keep
/// their numbers: a list with a bad item that cannot be mended by leaving out a key goes as a whole.
fn without<'a>(tree: &'a Node, spoiled: &[Vec<OwnedStep>], report: &Report<'_>) -> Cow<'a, Node> {
    if spoiled.is_empty() {
        return Cow::Borrowed(tree);
    }
    let mut tree = tree.clone();
    let mut spoiled = spoiled.to_vec();
    while !spoiled.is_empty() {
        for steps in &spoiled {
            // The last step that is a key.
            let Some(last) = steps
                .iter()
                .rposition(|step| matches!(step, OwnedStep::Key(_)))
            else {
                return Cow::Owned(empty(tree.span.source));
            };
            remove(&mut tree, &steps[..=last]);
        }
        let next: Vec<_> = findings(&tree, report)
            .into_iter()
            .map(|finding| finding.steps)
            .collect();
        // A required key was left out: the map goes, too.
        spoiled = next;
    }
    Cow::Owned(tree)
}

fn remove(tree: &mut Node, steps: &[OwnedStep]) {
    match (steps, &mut tree.data) {
        ([OwnedStep::Key(key)], Data::Map(map)) => {
            map.remove(key);
        }
        ([OwnedStep::Key(key), rest @ ..], Data::Map(map)) => {
            if let Some(entry) = map.get_mut(key) {
                remove(&mut entry.value, rest);
            }
        }
        ([OwnedStep::Index(index), rest @ ..], Data::List(items)) => {
            if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}
