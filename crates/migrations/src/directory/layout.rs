//! The naming schemes, and which of them a directory follows.
//!
//! A new one is a file beside this with its rules, a variant and a line in [`Layout::rules`] and [`Layout::ALL`].

use serde::Serialize;

use super::error::DirectoryError;
use super::{golang_migrate, native};
use crate::history::Direction;

/// How the files of a directory are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// forerun's own: `0007_add_email.sql`, `0007_add_email.down.sql`.
    Native,
    /// That of golang-migrate: `0007_add_email.up.sql`, `0007_add_email.down.sql`.
    GolangMigrate,
}

/// What a layout consists of.
pub(super) struct Rules {
    /// Its name, for people.
    pub name: &'static str,
    /// What its file names look like, for people.
    pub form: &'static str,
    /// Takes a file name apart; `None` when it is not one of this layout.
    pub parse: fn(&str) -> Option<ScriptName<'_>>,
    /// Ending of an up script, with the dots.
    pub up_ending: &'static str,
    /// Ending of a down script, with the dots.
    pub down_ending: &'static str,
    /// Whether a new migration gets a down script as well.
    pub create_down: bool,
}

/// The parts of a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScriptName<'a> {
    /// Digits of the version.
    pub version: &'a str,
    /// What stands between version and ending.
    pub words: &'a str,
    /// Up or down.
    pub direction: Direction,
}

impl Layout {
    pub(super) const ALL: [Self; 2] = [Self::Native, Self::GolangMigrate];

    pub(super) fn rules(self) -> &'static Rules {
        match self {
            Self::Native => &native::RULES,
            Self::GolangMigrate => &golang_migrate::RULES,
        }
    }

    /// The layout of a directory with these `.sql` files. A name that only one layout knows decides; names of two
    /// layouts are an error. Without any decision it is the native one.
    pub(super) fn detect(file_names: &[String]) -> Result<Self, DirectoryError> {
        let mut decided: Option<(Self, &String)> = None;
        for file_name in file_names {
            let mut knowing = Self::ALL
                .into_iter()
                .filter(|layout| (layout.rules().parse)(file_name).is_some());
            let (Some(layout), None) = (knowing.next(), knowing.next()) else {
                continue;
            };
            match decided {
                None => decided = Some((layout, file_name)),
                Some((first, first_file)) if first != layout => {
                    return Err(DirectoryError::MixedLayouts {
                        first: first_file.clone(),
                        first_layout: first.rules().name,
                        second: file_name.clone(),
                        second_layout: layout.rules().name,
                    });
                }
                Some(_) => {}
            }
        }
        Ok(decided.map_or(Self::Native, |(layout, _)| layout))
    }
}

/// Splits `0007_add_email` into digits and words.
pub(super) fn split_version(stem: &str) -> Option<(&str, &str)> {
    let (version, words) = stem.split_once('_')?;
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((version, words))
}
