//! What a rule is, and how it says what it finds.

use serde::Serialize;

use super::field::Path;
use super::object::Object;
use super::release::{MigrationJob, Release};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It works until something goes wrong.
    Warning,
    /// A deployment fails, hangs, or migrates wrongly.
    Error,
}

impl Severity {
    /// `error`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub enum Scope {
    /// Each migration Job.
    Job(fn(&MigrationJob<'_>, &mut Reporter)),
    /// All objects together.
    Release(fn(&Release, &mut Reporter)),
}

/// A rule. One file each in `rules/`, one line each in `rules/mod.rs`.
pub struct Rule {
    /// Its name for people and for `--ignore`; kebab-case, never changed.
    pub id: &'static str,
    /// How much its findings matter; one that matters less says so.
    pub severity: Severity,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Why that is a mistake: facts.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The same as YAML.
    pub yaml: &'static str,
    /// Looks for it.
    pub scope: Scope,
}

/// What a rule has found, before it is joined with its place in a file.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// Number of the object in its release.
    pub object: usize,
    pub path: Path,
    pub severity: Severity,
    /// The key is meant and not its value.
    pub at_key: bool,
    pub message: String,
}

/// Takes what one rule finds.
#[derive(Debug)]
pub struct Reporter {
    severity: Severity,
    hits: Vec<Hit>,
}

impl Reporter {
    pub(super) fn new(severity: Severity) -> Self {
        Self {
            severity,
            hits: Vec::new(),
        }
    }

    /// Something is wrong at a path of an object. The message is one sentence without a full stop, and never repeats
    /// a value that may be secret.
    pub fn report(&mut self, object: &Object, path: &Path, message: impl Into<String>) {
        self.report_as(self.severity, object, path, message);
    }

    /// The same, where it matters less than the rule usually does.
    pub fn report_as(
        &mut self,
        severity: Severity,
        object: &Object,
        path: &Path,
        message: impl Into<String>,
    ) {
        self.hits.push(Hit {
            object: object.index,
            path: path.clone(),
            severity: severity.min(self.severity),
            at_key: false,
            message: message.into(),
        });
    }

    /// The same, about a key and not its value.
    pub fn report_key(
        &mut self,
        severity: Severity,
        object: &Object,
        path: &Path,
        message: impl Into<String>,
    ) {
        self.report_as(severity, object, path, message);
        if let Some(hit) = self.hits.last_mut() {
            hit.at_key = true;
        }
    }

    pub(super) fn into_hits(self) -> Vec<Hit> {
        self.hits
    }
}
