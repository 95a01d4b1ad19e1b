//! The layout of diesel: a directory `<version>_<name>/` per migration, with `up.sql` and `down.sql`.
//!
//! Source: diesel 2.3, <https://docs.rs/diesel_migrations> and its source.
//! - The version is the text before the first `_`, without its `-`. diesel compares versions as text, forerun as numbers;
//!   both must give the same order. Empty directories and plain files beside them mean nothing.
//! - A `metadata.toml` with `run_in_transaction = false`, and also one without that key, is about both directions.
//! - A directory without `up.sql` is an error; one without `down.sql` cannot be reverted.
//!
//! What differs on purpose: an empty `up.sql` is recorded as one without statements, where diesel fails in the run; and a
//! `metadata.toml` that diesel cannot read, and therefore ignores, is an error.

use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules, Strength};
use super::super::{Migration, ReadOptions};
use super::numbered::{down_text, up_text};
use super::problems::Problems;
use super::toml::{self, Value};
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Diesel;

const UP: &str = "up.sql";
const DOWN: &str = "down.sql";
const METADATA: &str = "metadata.toml";

impl Rules for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn form(&self) -> &'static str {
        "<version>_<description>/up.sql, such as 2026-01-31-120000_add_email/up.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let is_one = |name: &&String| folder.path().join(name).join(UP).is_file();
        let Some(first) = folder.folders().iter().find(is_one) else {
            return Ok(None);
        };
        let because = format!("there is `{first}/{UP}`");
        let scripts_beside = folder.files().iter().any(|name| name.ends_with(".sql"));
        let strength = if scripts_beside {
            Strength::Possible
        } else {
            Strength::Certain
        };
        Ok(Some(Claim { strength, because }))
    }

    fn read(&self, folder: &mut Folder, _: &ReadOptions) -> Result<Found, DirectoryError> {
        let tree = folder.tree()?;
        let has = |path: &str| {
            tree.binary_search_by(|file| file.as_str().cmp(path))
                .is_ok()
        };
        let mut problems = Problems::new(folder, self.name());
        let mut found = Found::default();
        for name in folder.folders().to_vec() {
            let up = format!("{name}/{UP}");
            if !has(&up) {
                let inside = format!("{name}/");
                let first = tree.partition_point(|file| file.as_str() < inside.as_str());
                if tree
                    .get(first)
                    .is_some_and(|file| file.starts_with(&inside))
                {
                    let message = "there is no up.sql in it. Add it, or move the directory away if it is no migration";
                    problems.file(&name, message);
                }
                continue;
            }
            let (version_text, words) = name.split_once('_').unwrap_or((&name, ""));
            let version_text = version_text.replace('-', "");
            let version = Version::parse(&version_text).or_else(|| Version::named(&version_text));
            let Some(version) = version else {
                problems.file(&name, MISNAMED);
                continue;
            };
            let metadata = format!("{name}/{METADATA}");
            let no_transaction = if has(&metadata) {
                words_for_no_transaction(folder, &metadata, &mut problems)?
            } else {
                None
            };
            let mut script = |path: &str, direction| {
                let mut script = folder.whole(path, direction)?;
                script.no_transaction.clone_from(&no_transaction);
                Ok(script)
            };
            let up = script(&up, Direction::Up)?;
            let mut migration = Migration::new(version, version_text, words.replace('_', " "), up);
            let down = format!("{name}/{DOWN}");
            if has(&down) {
                migration.down = Some(script(&down, Direction::Down)?);
            }
            found.migrations.push(migration);
        }
        found
            .migrations
            .sort_by(|left, right| left.version_text.cmp(&right.version_text));
        problems.order(&found.migrations, "the text of the versions");
        problems.finish()?;
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        Some(vec![
            (format!("{version}_{slug}/{UP}"), up_text(slug, kind)),
            (format!("{version}_{slug}/{DOWN}"), down_text(slug)),
        ])
    }
}

const MISNAMED: &str = "its version, the text before the first `_`, begins with a digit but is no number. Name it \
     <version>_<description> with a number, or with a word";

/// Says why the scripts must run outside a transaction, if they must.
fn words_for_no_transaction(
    folder: &mut Folder,
    metadata: &str,
    problems: &mut Problems,
) -> Result<Option<String>, DirectoryError> {
    let text = folder.text(metadata)?;
    let entries = match toml::entries(text.text()) {
        Ok(entries) => entries,
        Err(error) => {
            let message = format!(
                "this is not TOML: {}. diesel would ignore the file; correct it, or remove it",
                error.message
            );
            problems.place(&text, error.offset, message);
            return Ok(None);
        }
    };
    match toml::find(&entries, "run_in_transaction") {
        Some(Value::Boolean(true)) => Ok(None),
        Some(Value::Boolean(false)) => {
            Ok(Some(format!("run_in_transaction = false in {METADATA}")))
        }
        None => Ok(Some(format!("{METADATA} without run_in_transaction"))),
        Some(_) => {
            problems.file(metadata, "run_in_transaction is neither true nor false. diesel would ignore the file; correct it");
            Ok(None)
        }
    }
}

#[cfg(test)]
#[path = "diesel_tests.rs"]
mod tests;
