//! The layout of goose: `<version>_<description>.sql` with `-- +goose Up` and `-- +goose Down` in one file.
//!
//! Source: goose 3.29, <https://pressly.github.io/goose/documentation/annotations/> and the behaviour of its command.
//! - Versions are whole numbers from 1 on and are ordered as numbers. `.go` migrations cannot be run here and are named;
//!   `_test.go` and `.go` files without a number are not migrations there either.
//! - `NO TRANSACTION` is about both directions, wherever it stands.
//! - `ENVSUB ON` replaces `${NAME}`, `$NAME`, `${NAME:-default}` and the like in statements, as [`expand`] says.
//! - Malformed, unknown, doubled or indented directives are errors, as they are there.
//!
//! What differs on purpose: statements are split by the grammar of the database, so `StatementBegin` is rarely needed,
//! and a last statement without a semicolon runs instead of being an error. A file without `Down` has no down script,
//! where goose reverts it by doing nothing. A byte order mark is no error.

mod expand;
mod script;

use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules, Strength, marker_place};
use super::super::{DirectoryWarning, Migration, ReadOptions};
use super::numbered::{is_near_miss, up_text};
use super::problems::Problems;
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Goose;

const MARKER: &str = "+goose";

impl Rules for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn form(&self) -> &'static str {
        "<version>_<description>.sql with `-- +goose Up`, such as 00007_add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let marked = marker_place(&folder.sample()?, MARKER).is_some();
        Ok(marked.then(|| Claim {
            strength: Strength::Certain,
            because: "its first file has a `-- +goose` comment".to_owned(),
        }))
    }

    fn marker(&self) -> Option<&'static str> {
        Some(MARKER)
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let mut found = Found::default();
        let mut problems = Problems::new(folder, self.name());
        for name in folder.files().to_vec() {
            let is_sql = name.ends_with(".sql");
            if !is_sql && !name.ends_with(".go") {
                if is_near_miss(&name) {
                    found
                        .warnings
                        .push(DirectoryWarning::NearMiss { file: name });
                }
                continue;
            }
            let Some((version, words)) = split_name(&name) else {
                if is_sql {
                    problems.file(&name, MISNAMED);
                }
                continue;
            };
            if is_sql {
                let migration = read_file(
                    folder,
                    &name,
                    version,
                    words,
                    options,
                    &mut problems,
                    &mut found,
                )?;
                found.migrations.extend(migration);
            } else if !name.ends_with("_test.go") {
                problems.file(&name, GO_MIGRATION);
            }
        }
        problems.finish()?;
        found
            .migrations
            .sort_by(|left, right| left.version.cmp(&right.version));
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        let up = up_text(slug, kind);
        let text = format!("-- +goose Up\n{up}-- +goose Down\n\n");
        Some(vec![(format!("{version}_{slug}.sql"), text)])
    }
}

const MISNAMED: &str = "goose takes every .sql file for a migration, and this one has no version: name it \
     <version>_<description>.sql with a whole number from 1 to 9223372036854775807, or give it another ending if it is no \
     migration";

const GO_MIGRATION: &str = "forerun cannot run a migration that is written in Go. If it is applied everywhere, replace it by \
     an .sql file of the same version that holds only `-- +goose Up`; else write in that file what it does as SQL";

/// Splits `0007_add_email.sql` into `0007` and `add_email`.
fn split_name(name: &str) -> Option<(&str, &str)> {
    let (version, rest) = name.split_once('_')?;
    let words = rest.rsplit_once('.').map_or(rest, |(words, _)| words);
    let number = version.parse::<i64>().ok()?;
    (number > 0).then(|| (version.trim_start_matches('+'), words))
}

fn read_file(
    folder: &mut Folder,
    name: &str,
    version: &str,
    words: &str,
    options: &ReadOptions,
    problems: &mut Problems,
    found: &mut Found,
) -> Result<Option<Migration>, DirectoryError> {
    let Some(number) = Version::parse(version) else {
        problems.file(name, MISNAMED);
        return Ok(None);
    };
    let text = folder.text(name)?;
    let sides = match script::sides(text.text(), options) {
        Ok(sides) => sides,
        Err(fault) => {
            problems.place(&text, fault.offset, fault.message);
            return Ok(None);
        }
    };
    found.warnings.extend(sides.unset.into_iter().map(|(line, variable)| {
        DirectoryWarning::Layout {
            file: name.to_owned(),
            line: Some(line),
            message: format!(
                "the environment has no {variable}, so nothing stands in its place. Set it, or write a default as in \
                 ${{{variable}:-value}}"
            ),
        }
    }));
    let part = |side: script::Side, direction| {
        let mut script = text.part(direction, side.keep, side.edits);
        script.no_transaction = sides
            .no_transaction
            .then(|| "-- +goose NO TRANSACTION".to_owned());
        script
    };
    let up = part(sides.up, Direction::Up);
    let mut migration = Migration::new(number, version, words.replace('_', " "), up);
    migration.down = sides.down.map(|side| part(side, Direction::Down));
    Ok(Some(migration))
}

#[cfg(test)]
mod tests;
