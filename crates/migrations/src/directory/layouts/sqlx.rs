//! The layout of sqlx: `<version>_<description>.sql`, or `.up.sql` and `.down.sql`, also mixed.
//!
//! Source: sqlx 0.9, <https://docs.rs/sqlx/latest/sqlx/migrate/trait.MigrationSource.html> and the behaviour of its command.
//! - Versions are whole numbers. A name without `_` is no migration; one with `_` but without a number is an error.
//! - `-- no-transaction` counts as the very first bytes of a file only, before a byte order mark not even there.
//! - A `.down.sql` reverts either kind. Without an up script it means nothing, and there is a warning.
//! - `sqlx.toml`: of `[migrate]`, `create-schemas` is not carried over, and there is a warning. `table-name` and
//!   `ignored-chars` are about the history of sqlx, the rest about new files.
//!
//! The names are also those of other layouts. It is sqlx and not golang-migrate where a `sqlx.toml` or `.sqlx` stands above
//! the directory, sqlx and not native where that `sqlx.toml` has something on migrations, and always where the first file
//! begins with `-- no-transaction`.
//!
//! What differs on purpose: a file with `-- no-transaction` and several statements runs one by one, where PostgreSQL makes
//! one transaction of what sqlx sends. Versions below 0 are an error.

use std::path::{Path, PathBuf};

use super::super::error::{DirectoryError, DirectoryWarning};
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Layout, Rules, Strength};
use super::super::script::Script;
use super::super::{Migration, ReadOptions};
use super::numbered::{is_near_miss, up_text};
use super::problems::Problems;
use super::toml::{self, Entry, Value};
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Sqlx;

const NO_TRANSACTION: &str = "-- no-transaction";
const CONFIGURATION: &str = "sqlx.toml";

impl Rules for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn form(&self) -> &'static str {
        "<version>_<description>.sql or .up.sql, such as 20260131120000_add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let named = folder
            .files()
            .iter()
            .any(|name| matches!(parse(name), Name::Script(_)));
        if !named {
            return Ok(None);
        }
        if folder.sample()?.starts_with(NO_TRANSACTION) {
            return Ok(Some(Claim {
                strength: Strength::Certain,
                because: format!("its first file begins with `{NO_TRANSACTION}`"),
            }));
        }
        // A project may use sqlx for its queries only. Then another tool has marks of its own, or the names are those of
        // forerun, which are no sign of sqlx without a word on migrations.
        let reversible = folder.files().iter().any(|name| name.ends_with(".up.sql"));
        let above = Configuration::find(folder.path())
            .filter(|found| reversible || found.is_about_migrations());
        let cache = folder.path().join("..").join(".sqlx");
        let mark = above
            .map(|found| found.path)
            .or_else(|| (reversible && cache.is_dir()).then_some(cache));
        Ok(mark.map(|mark| Claim {
            strength: Strength::Possible,
            because: format!("there is `{}`", mark.display()),
        }))
    }

    fn marker_in(&self, text: &str) -> Option<usize> {
        text.starts_with(NO_TRANSACTION).then_some(0)
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let mut found = Found::default();
        let mut problems = Problems::new(folder, self.name());
        if let Some(configuration) = Configuration::find(folder.path()) {
            found.warnings.extend(configuration.warnings());
        }
        let mut downs = Vec::new();
        for name in folder.files().to_vec() {
            let script = match parse(&name) {
                Name::Script(script) => script,
                Name::NoNumber => {
                    problems.file(&name, NO_NUMBER);
                    continue;
                }
                Name::Other => {
                    if !name.ends_with(".sql") && is_near_miss(&name) {
                        found
                            .warnings
                            .push(DirectoryWarning::NearMiss { file: name });
                    }
                    continue;
                }
            };
            let Some(version) = Version::parse(script.version) else {
                problems.file(&name, NO_NUMBER);
                continue;
            };
            let read = read_script(folder, &name, script.direction, options)?;
            match script.direction {
                Direction::Down => downs.push((version, script.version.to_owned(), read)),
                Direction::Up => {
                    let description = script.words.replace('_', " ");
                    found.migrations.push(Migration::new(
                        version,
                        script.version,
                        description,
                        read,
                    ));
                }
            }
        }
        problems.finish()?;
        found
            .migrations
            .sort_by(|left, right| left.version.cmp(&right.version));
        join(&mut found, downs)?;
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        Some(vec![(format!("{version}_{slug}.sql"), up_text(slug, kind))])
    }
}

const NO_NUMBER: &str = "sqlx takes every .sql file with a `_` in its name for a migration, and this one has no version: name it \
     <version>_<description>.sql with a whole number from 0 to 9223372036854775807, or take the `_` out of the name if it is \
     no migration";

enum Name<'a> {
    Script(ScriptName<'a>),
    /// sqlx would stop at it.
    NoNumber,
    /// sqlx leaves it alone.
    Other,
}

struct ScriptName<'a> {
    version: &'a str,
    words: &'a str,
    direction: Direction,
}

fn parse(name: &str) -> Name<'_> {
    let Some((version, rest)) = name.split_once('_') else {
        return Name::Other;
    };
    if !rest.ends_with(".sql") {
        return Name::Other;
    }
    if !version.parse::<i64>().is_ok_and(|number| number >= 0) {
        return Name::NoNumber;
    }
    // sqlx removes an ending as often as it stands there.
    let (words, direction) = if rest.ends_with(".up.sql") {
        (rest.trim_end_matches(".up.sql"), Direction::Up)
    } else if rest.ends_with(".down.sql") {
        (rest.trim_end_matches(".down.sql"), Direction::Down)
    } else {
        (rest.trim_end_matches(".sql"), Direction::Up)
    };
    Name::Script(ScriptName {
        version: version.trim_start_matches(['+', '-']),
        words,
        direction,
    })
}

fn read_script(
    folder: &mut Folder,
    name: &str,
    direction: Direction,
    options: &ReadOptions,
) -> Result<Script, DirectoryError> {
    // Whoever names the layout means it.
    let detected = options
        .layout
        .is_none()
        .then(|| Layout::named(Sqlx.name()))
        .flatten();
    let mut first = true;
    let mut no_transaction = false;
    let mut foreign = None;
    let mut script = folder.whole_seen(name, direction, |piece| {
        if std::mem::take(&mut first) {
            no_transaction = piece.starts_with(NO_TRANSACTION);
            foreign = detected.and_then(|own| own.foreign_marker(piece));
        }
    })?;
    if let Some((found, line)) = foreign {
        return Err(DirectoryError::ForeignDirective {
            path: script.path,
            line,
            found: found.name(),
            layout: Sqlx.name(),
        });
    }
    script.no_transaction = no_transaction.then(|| NO_TRANSACTION.to_owned());
    Ok(script)
}

/// Gives each down script to the up script of its version.
fn join(found: &mut Found, downs: Vec<(Version, String, Script)>) -> Result<(), DirectoryError> {
    for (version, version_text, down) in downs {
        let place = found
            .migrations
            .binary_search_by(|migration| migration.version.cmp(&version));
        let up = place.ok().and_then(|place| found.migrations.get_mut(place));
        let Some(up) = up else {
            found.warnings.push(DirectoryWarning::Layout {
                file: down.file_name,
                line: None,
                message: format!(
                    "there is no up script of version {version_text}, so it is not read"
                ),
            });
            continue;
        };
        if let Some(other) = up.down.replace(down) {
            return Err(DirectoryError::DuplicateVersion {
                version: version.to_string(),
                first: other.file_name,
                second: up
                    .down
                    .as_ref()
                    .map(|down| down.file_name.clone())
                    .unwrap_or_default(),
            });
        }
    }
    Ok(())
}

/// A `sqlx.toml` that is about a directory.
struct Configuration {
    path: PathBuf,
    /// `None` when it is no TOML: then sqlx is meant all the same, and says so itself.
    entries: Option<Vec<Entry>>,
}

/// Directories above the migrations in which a configuration is looked for, since `migrations-dir` may be a path.
const LEVELS_ABOVE: usize = 4;

impl Configuration {
    /// The one in the directory above, unless it names another directory; or one further up that names this one.
    fn find(directory: &Path) -> Option<Self> {
        let mut above = directory.to_owned();
        for level in 0..LEVELS_ABOVE {
            above.push("..");
            let path = above.join(CONFIGURATION);
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let entries = toml::entries(&text).ok();
            let named = match entries
                .as_deref()
                .map(|entries| toml::find(entries, "migrate.migrations-dir"))
            {
                Some(Some(Value::Text(named))) => Some(named.clone()),
                _ => None,
            };
            let is_about_it = match named {
                None => level == 0,
                Some(named) => is_same(&above.join(named), directory),
            };
            if is_about_it {
                return Some(Self { path, entries });
            }
        }
        None
    }

    fn is_about_migrations(&self) -> bool {
        let mut entries = self.entries.iter().flatten();
        entries.any(|entry| entry.name.starts_with("migrate."))
    }

    /// What of it forerun does not do.
    fn warnings(&self) -> Option<DirectoryWarning> {
        let entries = self.entries.as_deref()?;
        let Some(Value::List(schemas)) = toml::find(entries, "migrate.create-schemas") else {
            return None;
        };
        let names = schemas.iter().filter_map(|schema| match schema {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let names: Vec<&str> = names.collect();
        if names.is_empty() {
            return None;
        }
        Some(DirectoryWarning::Layout {
            file: self.path.display().to_string(),
            line: None,
            message: format!(
                "sqlx creates the schemas of create-schemas before it runs a migration, and forerun does not: {}. Where they \
                 may be missing, create them in a migration before they are used",
                names.join(", ")
            ),
        })
    }
}

fn is_same(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

#[cfg(test)]
#[path = "sqlx_tests.rs"]
mod tests;
