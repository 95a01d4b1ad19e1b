//! Why something does not go on: pure functions from what the cluster says to what a person needs to know.
//!
//! Inputs are objects of the API; nothing is read here. Every reason has: what, where to look, what to do, and whether
//! waiting can help.

mod creation;
mod exit;
mod image;
mod job;
mod pod;

use std::time::Duration;

use serde::Serialize;

use crate::report::{Outcome, Report};

pub(crate) use creation::refused as creation_refused;
pub(crate) use exit::{Ended, ended, of_ended};
pub(crate) use job::{JobState, failure as job_failure, state as job_state, untouched};
pub(crate) use pod::{crash_loop, of_pod};

/// Whether waiting can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It cannot: the deploy stops at once.
    Fatal,
    /// It can, as long as there is time.
    Heals,
    /// It can for this long: something else may be about to put it right.
    HealsFor(Duration),
}

/// Why something does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Stable word.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The object that shows it: `Pod shop-migrations-x7k2p`.
    pub object: String,
    /// The command that shows more.
    pub look: String,
    /// More.
    pub details: Vec<Detail>,
    /// What to do.
    pub advice: String,
    /// Whether waiting can help.
    #[serde(skip)]
    pub verdict: Verdict,
    /// What it means when the deploy ends with it.
    #[serde(skip)]
    pub outcome: Outcome,
}

/// A label and a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Label.
    pub label: &'static str,
    /// Text.
    pub text: String,
}

impl Diagnosis {
    pub(crate) fn detail(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.details.push(Detail {
            label,
            text: text.into(),
        });
        self
    }

    /// As the end of a deploy.
    pub(crate) fn report(&self) -> Report {
        let mut report = Report::new(self.outcome, self.code, self.message.clone());
        report = report.detail("object", self.object.clone());
        for detail in &self.details {
            report = report.detail(detail.label, detail.text.clone());
        }
        report
            .detail("look", self.look.clone())
            .advise(self.advice.clone())
    }
}

/// What pods have in common in a diagnosis.
pub(crate) struct Place<'a> {
    pub namespace: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
}

impl Place<'_> {
    pub(crate) fn diagnosis(
        &self,
        code: &'static str,
        (verdict, outcome): (Verdict, Outcome),
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Diagnosis {
        Diagnosis {
            code,
            message: message.into(),
            object: format!("{} {}", self.kind, self.name),
            look: format!(
                "kubectl describe {} {} -n {}",
                self.kind.to_lowercase(),
                self.name,
                self.namespace
            ),
            details: Vec::new(),
            advice: advice.into(),
            verdict,
            outcome,
        }
    }
}

/// Configuration that no waiting changes.
const WRONG: (Verdict, Outcome) = (Verdict::Fatal, Outcome::Configuration);
/// Something that passes.
const PASSES: (Verdict, Outcome) = (Verdict::Heals, Outcome::Temporary);

/// The text between the first two quotes `"`.
pub(crate) fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

#[cfg(test)]
mod tests;
