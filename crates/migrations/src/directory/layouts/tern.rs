//! The layout of tern: `<version>_<description>.sql`, up script above and down script below a separator line.
//!
//! Source: tern 2.3, <https://github.com/jackc/tern#migrations> and its source.
//! - Versions go from 1 on without a gap. Files with other names are no migrations; those in directories below are
//!   templates.
//! - The first separator in a file counts. A file without one has no down script.
//! - `---- tern: disable-tx ----` as a line of its own is about the direction that it stands in.
//! - Files are Go templates there. forerun fills in no templates: a file with `{{` is an error.
//!
//! What differs on purpose: an up script without SQL is recorded as one without statements instead of being an error, and
//! a line with a carriage return at its end can be a directive.

use std::ops::Range;

use super::super::error::DirectoryError;
use super::super::folder::{FileText, Folder};
use super::super::layout::{Claim, Found, Rules, Strength, marker_place};
use super::super::script::Script;
use super::super::{DirectoryWarning, Migration, ReadOptions};
use super::numbered::{is_near_miss, split_version, up_text};
use super::problems::Problems;
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Tern;

const SEPARATOR: &str = "---- create above / drop below ----";
const DISABLE_TRANSACTION: &str = "---- tern: disable-tx ----";

impl Rules for Tern {
    fn name(&self) -> &'static str {
        "tern"
    }

    fn form(&self) -> &'static str {
        "<version>_<description>.sql from 1 on, such as 007_add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let because = if folder.has("tern.conf") {
            "there is a tern.conf"
        } else {
            let sample = folder.sample()?;
            let marked = [SEPARATOR, DISABLE_TRANSACTION].iter().any(|line| {
                let marker = line.strip_prefix("--").unwrap_or(line);
                marker_place(&sample, marker).is_some()
            });
            if !marked {
                return Ok(None);
            }
            "its first file has a `---- create above / drop below ----` or `---- tern: disable-tx ----` line"
        };
        Ok(Some(Claim {
            strength: Strength::Certain,
            because: because.to_owned(),
        }))
    }

    fn marker(&self) -> Option<&'static str> {
        SEPARATOR.strip_prefix("--")
    }

    fn read(&self, folder: &mut Folder, _: &ReadOptions) -> Result<Found, DirectoryError> {
        let mut found = Found::default();
        let mut problems = Problems::new(folder, self.name());
        for name in folder.files().to_vec() {
            let stem = name.strip_suffix(".sql");
            let parts = stem
                .and_then(split_version)
                .filter(|(_, words)| !words.is_empty());
            let Some((version_text, words)) = parts else {
                if !name.ends_with(".sql") && is_near_miss(&name) {
                    found
                        .warnings
                        .push(DirectoryWarning::NearMiss { file: name });
                }
                continue;
            };
            let number = version_text
                .parse::<i32>()
                .ok()
                .filter(|number| *number > 0);
            let Some(version) = number.and_then(|_| Version::parse(version_text)) else {
                problems.file(
                    &name,
                    "tern knows versions from 1 to 2147483647. Give it another number",
                );
                continue;
            };
            let text = folder.text(&name)?;
            if let Some(at) = memchr::memmem::find(text.text().as_bytes(), b"{{") {
                problems.place(&text, at, TEMPLATE);
                continue;
            }
            let description = words.replace('_', " ");
            let (up, down) = scripts(&text);
            let mut migration = Migration::new(version, version_text, description, up);
            migration.down = down;
            found.migrations.push(migration);
        }
        found
            .migrations
            .sort_by(|left, right| left.version.cmp(&right.version));
        // A file with a problem of its own leaves a gap that is none.
        problems.finish()?;
        let mut problems = Problems::new(folder, self.name());
        let mut expected = 1_u32;
        for migration in &found.migrations {
            let version = Version::from(expected);
            if migration.version > version {
                problems.file(
                    &migration.up.file_name,
                    format!(
                        "version {version} is missing before it: tern numbers its migrations from 1 on without a gap. Add the \
                         missing file, or renumber those that are applied nowhere"
                    ),
                );
                break;
            }
            // Of two with the same version the caller tells.
            if migration.version == version {
                expected += 1;
            }
        }
        problems.finish()?;
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        // The first version of a directory is a time stamp elsewhere.
        let version = if version.parse::<i32>().is_ok() {
            version
        } else {
            "001"
        };
        let text = format!("{}{SEPARATOR}\n\n", up_text(slug, kind));
        Some(vec![(format!("{version}_{slug}.sql"), text)])
    }
}

const TEMPLATE: &str = "this is a Go template, and forerun fills in none. Write in its place what `tern print-migrations` shows \
     there, also in files that are applied: tern does not compare them";

fn scripts(text: &FileText) -> (Script, Option<Script>) {
    let whole = text.text();
    let Some(at) = memchr::memmem::find(whole.as_bytes(), SEPARATOR.as_bytes()) else {
        return (script(text, Direction::Up, 0..whole.len()), None);
    };
    let below = after_line(whole, at + SEPARATOR.len());
    let down = script(text, Direction::Down, below..whole.len());
    (script(text, Direction::Up, 0..at), Some(down))
}

fn script(text: &FileText, direction: Direction, range: Range<usize>) -> Script {
    let part = text.text().get(range.clone()).unwrap_or_default();
    let mut keep = Vec::new();
    let mut kept_from = range.start;
    for at in memchr::memmem::find_iter(part.as_bytes(), DISABLE_TRANSACTION) {
        let (before, rest) = part.split_at_checked(at).unwrap_or_default();
        let after = rest.get(DISABLE_TRANSACTION.len()..).unwrap_or_default();
        // tern removes white space at both ends of a script before it looks.
        let starts = before.ends_with('\n') || before.trim().is_empty();
        let ends = after.starts_with('\n') || after.starts_with("\r\n") || after.trim().is_empty();
        if starts && ends {
            keep.push(kept_from..range.start + at);
            kept_from = after_line(text.text(), range.start + at + DISABLE_TRANSACTION.len());
        }
    }
    let no_transaction = !keep.is_empty();
    keep.push(kept_from..range.end);
    keep.retain(|range| !range.is_empty());
    let mut script = text.part(direction, keep, Vec::new());
    script.no_transaction = no_transaction.then(|| DISABLE_TRANSACTION.to_owned());
    script
}

/// The start of the next line where this one ends at `at`, else `at`.
fn after_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line_end = ["\r\n", "\n"]
        .into_iter()
        .find(|line_end| rest.starts_with(line_end));
    at + line_end.map_or(0, str::len)
}

#[cfg(test)]
#[path = "tern_tests.rs"]
mod tests;
