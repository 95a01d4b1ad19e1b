//! The layout of Flyway: `V1.2__words.sql`, `R__words.sql`, `U1.2__words.sql`, `B1.2__words.sql` and callbacks, in a
//! directory and those below it, as `flyway.toml` or `flyway.conf` says.
//!
//! # What becomes of it
//! - `V` is a migration, in the order of versions; `U` its down script; `B` the checkpoint of the `V` with the same
//!   version, or a migration that is nothing but a checkpoint.
//! - `R` runs after all versions, in the order of descriptions, when its text or a value in it has changed; in every run
//!   when a comment of it holds `${flyway:timestamp}`, which is how that is asked for there.
//! - Callbacks that run once in a run of `flyway migrate` are migrations that run always, at their place in the order.
//!   `beforeRepeatables` and `afterMigrateApplied` run only when something else does: they are read where that is
//!   certain, because a repeatable migration runs in every run, and refused elsewhere. Callbacks around each migration,
//!   around validation and undo, and after errors are refused; those of other commands are left out with a warning.
//! - `<file>.conf` beside a file sets `executeInTransaction` and `placeholderReplacement` for it.
//!
//! # What differs on purpose
//! - Names that Flyway leaves out are warnings, each by itself.
//! - `group` and `mixed` have no meaning: each script is a transaction of its own where it can be.
//! - Flyway creates the schemas of `schemas`; forerun does not.
//! - Files in other encodings than UTF-8 are not read.
//! - `${flyway:timestamp}` in a comment stays as it stands, and elsewhere is refused: its value could not be told again.

mod configuration;
mod locations;
mod names;
mod placeholders;
mod properties;
mod reading;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::configuration::Configuration;
use self::names::{Name, Sort, begins_like_one, version_of};
use self::placeholders::Placeholders;
use self::reading::Reading;
use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules, Strength};
use super::super::read::{ReadOptions, Variables};
use super::numbered::up_text;
use super::refinery;
use crate::history::Kind;

pub(in super::super) struct Flyway;

impl Rules for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn form(&self) -> &'static str {
        "V<version>__<description>.sql, such as V1.2__add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let configuration = Configuration::load(folder.path(), &Variables::default())?;
        let certain = |because: String| {
            Some(Claim {
                strength: Strength::Certain,
                because,
            })
        };
        let file = configuration
            .file
            .as_ref()
            .map(|file| format!("there is `{}`", file.display()));
        if let (Some(because), true) = (&file, configuration.own) {
            return Ok(certain(because.clone()));
        }
        let named = |file: &String| {
            begins_like_one(&configuration, base_name(file))
                && matches!(parse(&configuration, file), Name::Named(_))
        };
        // Without a look into what is below, where this is clearly the directory of another layout.
        let scripts = folder.files().iter().any(|file| file.ends_with(".sql"));
        if scripts && !folder.files().iter().any(named) {
            return Ok(None);
        }
        let tree = folder.tree()?;
        let Some(first) = tree.iter().find(|file| named(file)) else {
            return Ok(None);
        };
        if let Some(because) = file.or_else(|| evidence(&configuration, &tree)) {
            return Ok(certain(because));
        }
        Ok(Some(Claim {
            strength: Strength::Possible,
            because: format!("`{first}` is named like one"),
        }))
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let configuration = Configuration::load(folder.path(), &options.variables)?;
        let tree = folder.tree()?;
        let undecided = options.layout.is_none()
            && configuration.file.is_none()
            && evidence(&configuration, &tree).is_none()
            && tree.iter().all(|file| refinery::reads_as_flyway_does(file));
        let mut reading = Reading {
            placeholders: Placeholders {
                configuration: &configuration,
                variables: &options.variables,
            },
            marked: options.layout.is_none(),
            undecided,
            settings: tree
                .iter()
                .filter(|file| file.to_lowercase().ends_with(".conf"))
                .map(|file| (file.to_lowercase(), file.as_str()))
                .collect(),
            problems: configuration.problems.clone(),
            warnings: Vec::new(),
            migrations: Vec::with_capacity(tree.len()),
        };
        let files = reading.files(folder, &tree);
        reading.migrations(folder, files)?;
        if !reading.problems.is_empty() {
            return Err(DirectoryError::Layout {
                path: folder.path().to_owned(),
                layout: self.name(),
                problems: reading.problems,
            });
        }
        Ok(Found {
            migrations: reading.migrations,
            warnings: reading.warnings,
        })
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        Some(vec![(
            format!("V{version}__{slug}.sql"),
            up_text(slug, kind),
        )])
    }
}

/// What only a directory of Flyway has.
fn evidence(configuration: &Configuration, tree: &[String]) -> Option<String> {
    let mut versions = BTreeSet::new();
    let mut undone = Vec::new();
    for file in tree {
        if file.to_lowercase().ends_with(".sql.conf") {
            return Some(format!("there is `{file}`"));
        }
        let Name::Named(named) = parse(configuration, file) else {
            continue;
        };
        match named.sort {
            Sort::Undo => undone.push((named.version, file)),
            Sort::Versioned if named.version.bytes().all(|byte| byte.is_ascii_digit()) => {
                versions.insert(version_of(named.version).ok());
            }
            _ => return Some(format!("`{file}` is named like one")),
        }
    }
    let undone = undone
        .into_iter()
        .find(|(version, _)| versions.contains(&version_of(version).ok()));
    undone.map(|(_, file)| format!("`{file}` undoes another file"))
}

fn parse<'a>(configuration: &Configuration, file: &'a str) -> Name<'a> {
    names::parse(configuration, base_name(file))
}

fn base_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}
