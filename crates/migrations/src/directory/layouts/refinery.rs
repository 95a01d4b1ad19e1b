//! The layout of refinery: `V1__words.sql`, and `U1__words.sql` for those that may run in any order, in a directory and
//! those below it.
//!
//! The files are native text as they stand. Migrations in Rust are refused, since only the program that they are part of
//! can run them. Names that refinery leaves out are left out with a warning. Directories whose names begin with a dot,
//! which refinery reads, are not read.

use std::path::PathBuf;

use super::super::error::{DirectoryError, DirectoryWarning, LayoutProblem};
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Layout, Rules, Strength};
use super::super::{Migration, ReadOptions};
use super::numbered::up_text;
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Refinery;

impl Rules for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn form(&self) -> &'static str {
        "V<version>__<name>.sql, such as V7__add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let named = |file: &String| parse(file).is_some();
        // Without a look into what is below, where this is clearly the directory of another layout.
        let scripts = folder.files().iter().any(|file| file.ends_with(".sql"));
        if scripts && !folder.files().iter().any(named) {
            return Ok(None);
        }
        let configuration = configuration_file(folder);
        let tree = folder.tree()?;
        let names: Vec<(&String, Name<'_>)> = tree
            .iter()
            .filter_map(|file| Some((file, parse(file)?)))
            .collect();
        let Some((first, _)) = names.first() else {
            return Ok(None);
        };
        let certain = |because: String| {
            Ok(Some(Claim {
                strength: Strength::Certain,
                because,
            }))
        };
        if let Some(file) = configuration {
            return certain(format!("there is `{}`", file.display()));
        }
        if let Some((file, _)) = names.iter().find(|(_, name)| name.rust) {
            return certain(format!("there is `{file}`"));
        }
        // One that undoes another is of Flyway.
        let number = |name: &Name<'_>| Version::parse(name.version);
        let versions: std::collections::BTreeSet<_> = names
            .iter()
            .filter(|(_, name)| !name.any_order)
            .map(|(_, name)| number(name))
            .collect();
        let undoes = |name: &Name<'_>| name.any_order && versions.contains(&number(name));
        let alone = names.iter().find(|(_, name)| name.any_order);
        match alone {
            Some((file, _)) if !names.iter().any(|(_, name)| undoes(name)) => {
                certain(format!("`{file}` is named like one"))
            }
            _ => Ok(Some(Claim {
                strength: Strength::Possible,
                because: format!("`{first}` is named like one"),
            })),
        }
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let tree = folder.tree()?;
        let mut found = Found::default();
        let mut problems = Vec::new();
        let mut problem = |file: &str, message: String| {
            problems.push(LayoutProblem {
                path: folder.path().join(file),
                position: None,
                message,
            });
        };
        let mut files = Vec::with_capacity(tree.len());
        for file in &tree {
            let Some(name) = parse(file) else {
                if file.ends_with(".sql") {
                    found.warnings.push(DirectoryWarning::Layout {
                        file: file.clone(),
                        line: None,
                        message: "not read: its name does not look like V1__words.sql or U1__words.sql, with letters, \
                                  digits and _ in the words"
                            .to_owned(),
                    });
                }
                continue;
            };
            if name.rust {
                problem(
                    file,
                    "this is a migration in Rust, which only its own program can run: write what it does as SQL, or run \
                     that program first and move the file out of the directory"
                        .to_owned(),
                );
                continue;
            }
            let version =
                Version::parse(name.version).filter(|_| name.version.parse::<i64>().is_ok());
            match version {
                Some(version) => files.push((version, file, name)),
                None => problem(
                    file,
                    format!(
                        "`{}` is no version for refinery: use a whole number of at most {}",
                        name.version,
                        i64::MAX
                    ),
                ),
            }
        }
        files.sort_by(|(left, ..), (right, ..)| left.cmp(right));
        for pair in files.windows(2) {
            if let [(first, first_file, _), (second, second_file, _)] = pair
                && first == second
            {
                problem(
                    second_file,
                    format!(
                        "`{first_file}` has the same version {first}. Give one of them a new number; if one is applied \
                         somewhere already, it must be the other one"
                    ),
                );
            }
        }
        if !problems.is_empty() {
            return Err(DirectoryError::Layout {
                path: folder.path().to_owned(),
                layout: self.name(),
                problems,
            });
        }
        let own = Layout::named(self.name()).unwrap_or(Layout::NATIVE);
        for (version, file, name) in files {
            let script = match options.layout {
                // Whoever names the layout means it.
                Some(_) => folder.whole(file, Direction::Up)?,
                None => folder.whole_unmarked(file, Direction::Up, own)?,
            };
            let description = name.words.replace('_', " ");
            let mut migration = Migration::new(version, name.version, description, script);
            migration.any_order = name.any_order;
            found.migrations.push(migration);
        }
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        Some(vec![(
            format!("V{version}__{slug}.sql"),
            up_text(slug, kind),
        )])
    }
}

/// A file name taken apart.
struct Name<'a> {
    any_order: bool,
    version: &'a str,
    words: &'a str,
    rust: bool,
}

/// Takes a file apart as refinery does: `V` or `U`, digits with at most one dot between them, `__`, a word, and the
/// ending.
fn parse(file: &str) -> Option<Name<'_>> {
    let file_name = file.rsplit('/').next()?;
    let (stem, rust) = match file_name.strip_suffix(".sql") {
        Some(stem) => (stem, false),
        None => (file_name.strip_suffix(".rs")?, true),
    };
    let (rest, any_order) = match stem.strip_prefix('V') {
        Some(rest) => (rest, false),
        None => (stem.strip_prefix('U')?, true),
    };
    let (version, words) = rest.split_once("__")?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = match version.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(version),
    };
    let word = |character: char| character.is_alphanumeric() || character == '_';
    let named = number && !words.is_empty() && words.chars().all(word);
    named.then_some(Name {
        any_order,
        version,
        words,
        rust,
    })
}

/// Whether refinery reads a file as Flyway does, or both leave it alone.
pub(super) fn reads_as_flyway_does(file: &str) -> bool {
    match parse(file) {
        Some(name) => !name.rust && !name.any_order && name.version.parse::<i64>().is_ok(),
        None => !file.to_ascii_lowercase().ends_with(".sql"),
    }
}

/// `refinery.toml`, in the directory or the one above it.
fn configuration_file(folder: &Folder) -> Option<PathBuf> {
    let name = "refinery.toml";
    if folder.has(name) {
        return Some(folder.path().join(name));
    }
    let above = std::fs::canonicalize(folder.path())
        .ok()?
        .parent()?
        .join(name);
    above.is_file().then_some(above)
}

#[cfg(test)]
mod tests;
