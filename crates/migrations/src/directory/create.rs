//! New migration files that continue the style of the directory.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};

use super::error::DirectoryError;
use super::layout::Layout;
use super::layouts::up_text;
use super::{Migration, MigrationDirectory, ReadOptions};
use crate::history::{Kind, Version};

/// Longest description in a file name, in characters.
const NAME_LIMIT: usize = 120;

/// What `migrate new` is asked for.
#[derive(Debug, Clone)]
pub struct NewMigration {
    /// Words of the name; anything but ASCII letters and digits becomes an underscore.
    pub name: String,
    /// Schema or data.
    pub kind: Kind,
    /// It takes away what an earlier release may use.
    pub contract: bool,
}

/// What a new contract migration begins with.
const CONTRACT: &str = "\
-- forerun:contract
-- Add after=VERSION, the migration that made it unused, and unused-since=RELEASE, the first release without it.
";

/// Version text for the next migration.
///
/// Continues what the last one started: a sequence with its zero padding, or UTC timestamps `YYYYMMDDHHMMSS`, which
/// an empty directory gets too, since they rarely collide between branches. Always larger than the last version.
pub fn next_version(
    directory: &MigrationDirectory,
    now: Timestamp,
) -> Result<String, DirectoryError> {
    let now = now.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let numbered = |migration: &&Migration| migration.version.is_number();
    let Some(last) = directory.migrations.iter().rfind(numbered) else {
        return Ok(timestamp_text(now));
    };
    if let Some(last_time) = parse_timestamp(&last.version_text) {
        let next = if last_time < now {
            Some(now)
        } else {
            last_time.checked_add(1.second()).ok()
        };
        let text = next.map(timestamp_text);
        // Equal when both are in the same second.
        let larger =
            text.filter(|text| Version::parse(text).is_some_and(|version| version > last.version));
        if let Some(text) = larger {
            return Ok(text);
        }
    }
    // The last part of `1.9` is what goes on.
    let digits = last
        .version_text
        .rfind(|character: char| !character.is_ascii_digit())
        .map_or(0, |end| end + 1);
    let (start, part) = last.version_text.split_at(digits);
    let number = part
        .parse::<u128>()
        .ok()
        .and_then(|number| number.checked_add(1));
    let number = number.ok_or_else(|| DirectoryError::VersionsUsedUp {
        last: last.version_text.clone(),
    })?;
    Ok(format!("{start}{number:0width$}", width = part.len()))
}

/// Writes the starter files of a new migration and returns their paths, the up script first.
///
/// Creates the directory when it is missing. Never overwrites a file.
pub fn create(
    path: &Path,
    options: &ReadOptions,
    new: &NewMigration,
    now: Timestamp,
) -> Result<Vec<PathBuf>, DirectoryError> {
    let slug = slug(&new.name).ok_or_else(|| DirectoryError::Name {
        name: new.name.clone(),
    })?;
    let directory = match MigrationDirectory::read(path, options) {
        Err(DirectoryError::Missing { .. }) => {
            fs::create_dir_all(path).map_err(DirectoryError::io("create the directory", path))?;
            let layout = options.layout.unwrap_or(Layout::NATIVE);
            MigrationDirectory::new(path, layout, Vec::new(), Vec::new())?
        }
        read => read?,
    };
    let layout = directory.layout;
    let version = next_version(&directory, now)?;
    let files = layout.rules().new_files(&version, &slug, new.kind);
    let files = files.ok_or_else(|| DirectoryError::NoNewFiles {
        path: path.to_owned(),
        layout: layout.name(),
    })?;
    let plain = up_text(&slug, new.kind);
    let mut paths = Vec::with_capacity(files.len());
    for (name, text) in files {
        let text = match new.contract {
            true => text.replacen(&plain, &format!("{CONTRACT}{plain}"), 1),
            false => text,
        };
        let file = path.join(name);
        if let Err(error) = write_new(&file, &text) {
            for path in &paths {
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
        paths.push(file);
    }
    Ok(paths)
}

fn write_new(path: &Path, text: &str) -> Result<(), DirectoryError> {
    // Some layouts have a directory per migration.
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(DirectoryError::io("create the directory", parent))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(DirectoryError::io("create", path))
}

fn slug(name: &str) -> Option<String> {
    let mut slug = String::with_capacity(name.len());
    for char in name.trim().chars() {
        if char.is_ascii_alphanumeric() {
            slug.push(char.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(NAME_LIMIT);
    slug.truncate(slug.trim_end_matches('_').len());
    (!slug.is_empty()).then_some(slug)
}

fn timestamp_text(time: DateTime) -> String {
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// `None` when the digits are no time of day in the years 1970 to 9999.
fn parse_timestamp(digits: &str) -> Option<DateTime> {
    if digits.len() != 14 {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year = digits
        .get(..4)?
        .parse::<i16>()
        .ok()
        .filter(|year| *year >= 1970)?;
    DateTime::new(
        year,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        assert_eq!(
            slug("Add e-mail to users!").as_deref(),
            Some("add_e_mail_to_users")
        );
        assert_eq!(slug("__x__").as_deref(), Some("x"));
        assert_eq!(slug("../../etc/passwd").as_deref(), Some("etc_passwd"));
        assert_eq!(slug("größe"), Some("gr_e".to_owned()));
        assert_eq!(slug(" - "), None);
        assert_eq!(slug(&"ab_".repeat(99)).unwrap().len(), NAME_LIMIT - 1);
    }

    #[test]
    fn timestamps_are_told_from_numbers() {
        assert!(parse_timestamp("20260131235959").is_some());
        assert!(parse_timestamp("20261331235959").is_none());
        assert!(parse_timestamp("00000000000012").is_none());
        assert!(parse_timestamp("1700000000").is_none());
    }
}
