//! What is wrong with values although they fit the schema: references that lead nowhere, names that occur twice,
//! combinations that Kubernetes or the migrations would refuse, and text that YAML reads as something else.
//!
//! One file per part of the values. Each check says what is wrong at a path; the tree knows where that is.

mod command;
mod config;
mod container;
mod deployment;
mod metadata;
mod migration;
mod quantity;
mod service;
mod volume;
mod written;

use super::{
    Values,
    problem::Severity,
    report::{Report, span_of_key, span_of_value},
    schema::{OwnedStep, nearest},
};
use crate::yaml::{At, Node, Step};

pub(super) use written::written_values;

/// Checks values that fit the schema. `spoiled` are the paths that did not and were left out.
pub(super) fn check(
    values: &Values,
    tree: &Node,
    spoiled: &[Vec<OwnedStep>],
    report: &mut Report<'_>,
) {
    let mut check = Check {
        values,
        tree,
        spoiled,
        report,
    };
    config::check(&mut check);
    metadata::check(&mut check);
    service::check(&mut check);
    for (app, deployment) in &values.deployments {
        deployment::check(
            &mut check,
            app,
            deployment,
            &At::ROOT.key("deployments").key(app),
        );
    }
}

/// The values, and where to report.
struct Check<'a, 'text> {
    values: &'a Values,
    tree: &'a Node,
    spoiled: &'a [Vec<OwnedStep>],
    report: &'a mut Report<'text>,
}

impl Check<'_, '_> {
    /// An error in the value at a path.
    fn error(&mut self, at: &At<'_>, message: impl Into<String>, help: impl Into<Help>) {
        let span = span_of_value(self.tree, at);
        self.report.add(
            Severity::Error,
            at.to_string(),
            &span,
            message.into(),
            help.into().0,
        );
    }

    /// An error in the key at a path, or in all that stands below it.
    fn error_in_key(&mut self, at: &At<'_>, message: impl Into<String>, help: impl Into<Help>) {
        let span = span_of_key(self.tree, at);
        self.report.add(
            Severity::Error,
            at.to_string(),
            &span,
            message.into(),
            help.into().0,
        );
    }

    /// A warning about the value at a path.
    fn warn(&mut self, at: &At<'_>, message: impl Into<String>, help: impl Into<Help>) {
        let span = span_of_value(self.tree, at);
        self.report.add(
            Severity::Warning,
            at.to_string(),
            &span,
            message.into(),
            help.into().0,
        );
    }

    /// An error in a reference to something that is not there, unless what should hold it was left out for
    /// another error.
    fn no_such(&mut self, at: &At<'_>, name: &str, holder: &At<'_>, known: &[&str], what: &str) {
        if self.is_left_out(&holder.key(name)) {
            return;
        }
        let help = match nearest(name, known, 3) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("`{holder}` is empty or missing"),
            None if known.len() <= 12 => format!("there are: {}", known.join(", ")),
            None => String::new(),
        };
        self.error(at, format!("{what} `{name}` is not in `{holder}`"), help);
    }

    /// A text in quotes, unless it may be secret.
    fn quoted(&self, at: &At<'_>, text: &str) -> String {
        match self.report.is_hidden(&span_of_value(self.tree, at)) {
            true => "…".to_owned(),
            false => format!("{text:?}"),
        }
    }

    /// An error in a text that is none of those that Kubernetes knows.
    fn one_of(&mut self, at: &At<'_>, text: &str, known: &[&str]) {
        if known.contains(&text) {
            return;
        }
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let help = nearest(text, known, 3)
            .map(|near| format!("did you mean `{near}`?"))
            .unwrap_or_default();
        self.error(
            at,
            format!("expected one of {}, found {text:?}", names.join(", ")),
            help,
        );
    }

    /// Whether what stands at a path was left out for another error.
    fn is_left_out(&self, at: &At<'_>) -> bool {
        let steps = at.steps();
        self.spoiled
            .iter()
            .any(|spoiled| spoiled.len() <= steps.len() && is_same_way(spoiled, &steps))
    }

    /// Whether something at a path, above or below it was left out for another error.
    fn is_spoiled(&self, at: &At<'_>) -> bool {
        let steps = at.steps();
        self.spoiled
            .iter()
            .any(|spoiled| is_same_way(spoiled, &steps))
    }
}

/// Whether one path is the beginning of the other.
fn is_same_way(one: &[OwnedStep], other: &[Step<'_>]) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| match (one, other) {
            (OwnedStep::Key(one), Step::Key(other)) => one == other,
            (OwnedStep::Index(one), Step::Index(other)) => one == other,
            _ => false,
        })
}

/// What to do about a problem; empty is nothing.
struct Help(Option<String>);

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Help((!text.is_empty()).then_some(text))
    }
}

/// The positions in a list of names of those that occurred before, with the position of the first.
fn repeated<T: Ord>(names: impl IntoIterator<Item = T>) -> Vec<(usize, usize)> {
    let mut first = std::collections::BTreeMap::new();
    let mut repeated = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        match first.get(&name) {
            Some(first) => repeated.push((index, *first)),
            None => {
                first.insert(name, index);
            }
        }
    }
    repeated
}
