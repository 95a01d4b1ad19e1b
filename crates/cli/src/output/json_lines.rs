//! Events and results as JSON, one line each, with the version of the form and the time.

use forerun_migrations::event::EVENTS_FORMAT;
use jiff::Timestamp;
use serde::Serialize;

/// A line: `{"format":1,"at":"…", …}`.
#[derive(Serialize)]
pub struct Line<'a, T: Serialize> {
    format: u32,
    at: String,
    #[serde(flatten)]
    content: &'a T,
}

/// A document: `{"format":1, …}`.
#[derive(Serialize)]
pub struct Document<'a, T: Serialize> {
    format: u32,
    #[serde(flatten)]
    content: &'a T,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [CollectedWarning],
}

/// A warning in a document.
#[derive(Debug, Clone, Serialize)]
pub struct CollectedWarning {
    /// Stable word.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

/// One line with its newline.
pub fn line<T: Serialize>(content: &T) -> Result<Vec<u8>, serde_json::Error> {
    let at = format!("{:.6}", Timestamp::now());
    let mut bytes = serde_json::to_vec(&Line {
        format: EVENTS_FORMAT,
        at,
        content,
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// One document with its newline.
pub fn document<T: Serialize>(
    content: &T,
    warnings: &[CollectedWarning],
) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&Document {
        format: EVENTS_FORMAT,
        content,
        warnings,
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use forerun_migrations::event::Event;

    use super::*;

    #[test]
    fn an_event_is_one_flat_line() {
        let event = Event::Warning {
            code: "x",
            message: "a\nb".to_owned(),
        };
        let bytes = line(&event).unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["format"], 1);
        assert_eq!(value["event"], "warning");
        assert_eq!(value["message"], "a\nb");
        let at: Timestamp = value["at"].as_str().unwrap().parse().unwrap();
        assert!(at <= Timestamp::now());
    }
}
