//! The last words of a run for Kubernetes: small JSON in the container's termination message file.
//!
//! `kubectl describe pod` and the Job's diagnosis show it. Written only if the file exists (the kubelet makes it),
//! and never a reason to fail.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::command_error::Explanation;

/// The kubelet cuts a message here.
const LIMIT: usize = 4096;

/// How many details are told: of several conflicts, the first one with what to do about it.
const DETAILS: usize = 2;

/// How a run ended.
#[derive(Debug, Serialize)]
struct Message<'a> {
    format: u32,
    exit_code: u8,
    outcome: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Writes it, if there is a file for it.
pub fn write(
    path: &Path,
    exit_code: u8,
    outcome: &str,
    message: &str,
    error: Option<&Explanation>,
) {
    if !path.exists() {
        return;
    }
    let text = text(exit_code, outcome, message, error);
    let file = OpenOptions::new().write(true).truncate(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(text.as_bytes()));
}

/// The text: shortened until it fits.
fn text(exit_code: u8, outcome: &str, message: &str, error: Option<&Explanation>) -> String {
    let mut limit = LIMIT / 2;
    loop {
        let place = error.and_then(|error| error.place.as_ref());
        let content = Message {
            format: forerun_migrations::event::EVENTS_FORMAT,
            exit_code,
            outcome,
            message: cut(message, limit),
            place: place.map(|place| {
                cut(
                    &format!("{}:{}:{}", place.file.display(), place.line, place.column),
                    limit,
                )
            }),
            details: error
                .iter()
                .flat_map(|error| error.details.iter().take(DETAILS))
                .map(|(label, text)| cut(&format!("{label}: {text}"), limit / DETAILS))
                .collect(),
            state: error
                .and_then(|error| error.state.as_deref())
                .map(|state| cut(state, limit)),
            hint: error
                .and_then(|error| error.advice.last())
                .map(|hint| cut(hint, limit)),
        };
        let text = serde_json::to_string(&content).unwrap_or_default();
        if text.len() <= LIMIT || limit == 0 {
            return text;
        }
        limit /= 2;
    }
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_code::ExitCode;

    #[test]
    fn it_is_small_json_however_long_the_error_is() {
        let error = Explanation::new(ExitCode::MigrationFailed, "statement", "x")
            .state("\u{1}".repeat(9000))
            .advise("日本".repeat(5000));
        for message in ["short".to_owned(), "\"\n".repeat(5000)] {
            let text = text(3, "failed", &message, Some(&error));
            assert!(text.len() <= LIMIT, "{}", text.len());
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["exit_code"], 3);
            assert!(value["hint"].as_str().unwrap().starts_with("日本"));
        }
    }

    #[test]
    fn the_first_of_several_conflicts_is_told() {
        let error = Explanation::new(ExitCode::Conflict, "conflict", "x")
            .detail("conflict", "0001_a.sql was changed")
            .detail("do", "put it back")
            .detail("conflict", "0002_b.sql was changed");
        let text = text(4, "conflict", "x", Some(&error));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["details"],
            serde_json::json!(["conflict: 0001_a.sql was changed", "do: put it back"])
        );
    }

    #[test]
    fn only_a_file_that_exists_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("termination-log");
        write(&path, 0, "done", "nothing to do", None);
        assert!(!path.exists());
        std::fs::write(&path, "old and longer than what comes now, as it was there before, and much longer still, much")
            .unwrap();
        write(&path, 0, "done", "ok", None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            r#"{"format":1,"exit_code":0,"outcome":"done","message":"ok"}"#
        );
    }
}
