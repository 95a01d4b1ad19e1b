//! What a rule found.

use serde::Serialize;

use super::rule::Rule;
use crate::Position;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Shown on request only.
    Info,
    /// Worth a look.
    Warning,
    /// Must be changed, or allowed with a reason.
    Error,
}

/// What a finding endangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Others wait for a lock.
    Lock,
    /// The release that still runs stops working.
    Breaks,
    /// Rows are lost, or the statement fails on the rows that are there.
    Data,
    /// Sooner or later somebody trips over it.
    Hygiene,
}

/// What a proposal is written in place of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replaces {
    /// The statement that the finding is about; the others of the file, and the comments before it, stay.
    #[default]
    Statement,
    /// The whole file: every statement of it is in the proposal.
    File,
}

impl Replaces {
    /// `this statement`, `this file`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Statement => "this statement",
            Self::File => "this file",
        }
    }
}

/// What one rule found at one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// The statement's number in its file, from 1; 0 for the file as a whole.
    pub statement: u64,
    /// Where it begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What happens, in one or two sentences.
    pub message: String,
    /// What to write instead: the text of one migration after the other. Empty when there is no general answer.
    pub instead: Vec<String>,
    /// What that is in place of.
    pub replaces: Replaces,
    /// The reason of the `forerun:allow` that covers it. Such a finding is no longer held against the file.
    pub allowed: Option<String>,
    /// A table that was there before is written anew at this place while others wait for it.
    pub rewrites: bool,
}

impl Finding {
    /// Whether it counts as an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error && self.allowed.is_none()
    }
}
