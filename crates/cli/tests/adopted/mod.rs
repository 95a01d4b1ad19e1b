//! Projects whose database was there before them, and what lint finds in what is pending.

use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;

/// A project whose database has been declared to be at its first migration, which made nothing of what is there.
pub fn adopted(url: &str, pending: &str) -> ScratchProject {
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", url);
    project.migration("0001_before.sql", "-- what was there\nSELECT 1;\n");
    let _ = project.run(&["migrate", "baseline", "0001"]).expect_code(0);
    project.migration("0002_pending.sql", pending);
    project
}

pub fn lint(project: &ScratchProject) -> CommandOutcome {
    project.run(&["--format", "json", "migrate", "lint"])
}

pub fn json(outcome: &CommandOutcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

/// `line rule` of each finding.
pub fn found(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap().iter();
    let texts = findings.map(|one| format!("{} {}", one["line"], one["rule"].as_str().unwrap()));
    texts.collect()
}

pub fn message(document: &Value, rule: &str) -> String {
    let mut findings = document["findings"].as_array().unwrap().iter();
    let finding = findings.find(|one| one["rule"] == rule);
    let finding = finding.unwrap_or_else(|| panic!("no {rule}: {document:#}"));
    finding["message"].as_str().unwrap().to_owned()
}

#[track_caller]
pub fn expect(all: &[String], present: &[&str], absent: &[&str]) {
    for one in present {
        assert!(all.iter().any(|other| other == one), "{one}: {all:#?}");
    }
    for one in absent {
        assert!(!all.iter().any(|other| other == one), "{one}: {all:#?}");
    }
}
