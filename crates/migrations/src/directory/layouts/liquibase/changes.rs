//! SQL changes become scripts.

use std::ops::Range;

use super::super::super::error::DirectoryError;
use super::super::super::folder::FileText;
use super::super::super::script::{Edit, Script};
use super::attributes::Splitting;
use super::documents::Text;
use super::properties::Properties;
use super::statements;
use crate::history::Direction;

/// One change: SQL in the changelog.
#[derive(Debug, Clone)]
pub(super) struct Sql {
    pub texts: Vec<Text>,
    pub splitting: Splitting,
}

/// Why a script cannot be made: it cannot be read at all, or something in it has no equal.
pub(super) enum Failure {
    Read(DirectoryError),
    Problem(String),
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        Self::Read(error)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Problem(message)
    }
}

/// A script of parts of a file that stand there as they are.
pub(super) fn verbatim(
    file: &FileText,
    direction: Direction,
    keep: &[Range<usize>],
    splitting: &Splitting,
    properties: &Properties,
    place: &str,
) -> Result<Script, Failure> {
    let edits = edits(file.text(), keep, splitting, properties, place)?;
    match keep {
        [all] if edits.is_empty() && *all == (0..file.text().len()) => Ok(file.whole(direction)),
        _ => Ok(file.part(direction, keep.to_vec(), edits)),
    }
}

/// A script of the SQL in a master changelog, which may be written with escapes.
pub(super) fn inline(
    file: &FileText,
    direction: Direction,
    changes: &[Sql],
    properties: &Properties,
    place: &str,
) -> Result<Script, Failure> {
    let text = file.text();
    let (mut keep, mut all_edits) = (Vec::new(), Vec::new());
    // Whether a statement may still be open at the end of the last change.
    let mut open = false;
    for change in changes {
        let mut first = true;
        for part in &change.texts {
            let raw = text.get(part.range.clone()).unwrap_or_default();
            if raw.trim().is_empty() {
                continue;
            }
            let mut separator = "";
            if std::mem::take(&mut first) && open {
                let end = keep.last().map_or(0, |last: &Range<usize>| last.end);
                let between = text.get(end..part.range.start).unwrap_or_default();
                separator = if between.contains('\n') { ";" } else { "\n;" };
            }
            if raw == part.value {
                if !separator.is_empty() {
                    all_edits.push(Edit {
                        range: part.range.start..part.range.start,
                        with: separator.to_owned(),
                    });
                }
                let keep = std::slice::from_ref(&part.range);
                all_edits.extend(edits(text, keep, &change.splitting, properties, place)?);
            } else {
                let native = native(&part.value, &change.splitting, properties, place)?;
                all_edits.push(Edit {
                    range: part.range.clone(),
                    with: format!("{separator}{native}"),
                });
            }
            open = !part.value.trim_end().ends_with(';');
            keep.push(part.range.clone());
        }
    }
    Ok(file.part(direction, keep, all_edits))
}

/// A text with all replacements carried out.
fn native(
    value: &str,
    splitting: &Splitting,
    properties: &Properties,
    place: &str,
) -> Result<String, String> {
    let mut native = String::with_capacity(value.len());
    let mut at = 0;
    for edit in edits(
        value,
        std::slice::from_ref(&(0..value.len())),
        splitting,
        properties,
        place,
    )? {
        native.push_str(value.get(at..edit.range.start).unwrap_or_default());
        native.push_str(&edit.with);
        at = edit.range.end;
    }
    native.push_str(value.get(at..).unwrap_or_default());
    Ok(native)
}

/// Values of placeholders and ends of statements, in order and without overlap.
fn edits(
    text: &str,
    keep: &[Range<usize>],
    splitting: &Splitting,
    properties: &Properties,
    place: &str,
) -> Result<Vec<Edit>, String> {
    let mut edits = properties.edits(text, keep, place)?;
    edits.extend(statements::edits(text, keep, splitting)?);
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut end = 0;
    edits.retain(|edit| {
        let free = edit.range.start >= end;
        if free {
            end = edit.range.end;
        }
        free
    });
    Ok(edits)
}

/// The SQL as Liquibase sees it before it cuts statements: with values of placeholders.
pub(super) fn expanded(
    text: &str,
    keep: &[Range<usize>],
    properties: &Properties,
    place: &str,
) -> Result<String, String> {
    let parts = keep.iter().filter_map(|range| text.get(range.clone()));
    properties.expand(&parts.collect::<String>(), place)
}
