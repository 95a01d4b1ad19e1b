//! Rules that an object silences by an annotation.

use super::object::Object;
use super::rules;

/// `rule: reason`, several with semicolons or on lines of their own.
pub const IGNORE_ANNOTATION: &str = "forerun.dev/check-ignore";

/// A rule that is silenced, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The rule.
    pub rule: &'static str,
    /// The reason.
    pub reason: String,
}

/// The entries of an annotation; for each that is none, what is wrong with it.
pub fn parse(text: &str) -> impl Iterator<Item = Result<Silence, String>> {
    text.split([';', '\n'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (id, reason) = entry.split_once(':').unwrap_or((entry, ""));
            let (id, reason) = (id.trim(), reason.trim());
            let Some(rule) = rules::find(id) else {
                return Err(unknown(id));
            };
            if reason.is_empty() {
                return Err(format!("{id} is silenced without a reason"));
            }
            Ok(Silence {
                rule: rule.id,
                reason: reason.to_owned(),
            })
        })
}

/// That there is no such rule, with the nearest one.
pub fn unknown(id: &str) -> String {
    let near = rules::all()
        .iter()
        .map(|rule| (strsim::jaro_winkler(id, rule.id), rule.id))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match near {
        Some((_, near)) => format!("there is no rule {id}; did you mean {near}?"),
        None => format!("there is no rule {id}"),
    }
}

/// What an object silences.
pub fn of(object: &Object) -> Vec<Silence> {
    let annotation = object.annotations().get(IGNORE_ANNOTATION);
    let text = annotation.text().unwrap_or_default();
    parse(text).filter_map(Result::ok).collect()
}
