//! What layouts have in common that keep one script in one file with a number in front of its name.

use super::super::error::{DirectoryError, DirectoryWarning};
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Layout, Strength};
use super::super::{Migration, ReadOptions};
use super::{golang_migrate, native};
use crate::history::{Direction, Kind, Version};

/// The rules of one such layout.
pub(super) struct Numbered {
    /// Its name.
    pub name: &'static str,
    /// What its file names look like, for people.
    pub form: &'static str,
    /// Takes a file name apart; `None` when it is not one of this layout.
    pub parse: fn(&str) -> Option<ScriptName<'_>>,
    /// Ending of an up script, with the dots.
    pub up_ending: &'static str,
    /// Ending of a down script, with the dots.
    pub down_ending: &'static str,
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

/// A file name with its version.
struct Versioned<'a> {
    version: Version,
    file_name: &'a str,
    parts: ScriptName<'a>,
}

impl Numbered {
    /// Possible when a file is named as only this layout does it: both have `.down.sql`.
    pub fn claim(&self, folder: &Folder) -> Option<Claim> {
        let others = LAYOUTS.into_iter().filter(|other| other.name != self.name);
        let only_here = |name: &&String| {
            (self.parse)(name).is_some()
                && others.clone().all(|other| (other.parse)(name).is_none())
        };
        let named = folder.files().iter().find(only_here)?;
        Some(Claim {
            strength: Strength::Possible,
            because: format!("`{named}` is named like one"),
        })
    }

    /// Reads the files and joins up and down scripts.
    pub fn read(
        &self,
        folder: &mut Folder,
        options: &ReadOptions,
    ) -> Result<Found, DirectoryError> {
        let mut found = Found::default();
        let file_names = sql_files(folder, &mut found.warnings)?;
        let scripts = self.versions(folder, &file_names)?;
        let names: Vec<(&str, Direction)> = scripts
            .iter()
            .map(|script| (script.file_name, script.parts.direction))
            .collect();
        // Whoever names the layout means it.
        let own = match options.layout {
            Some(_) => None,
            None => Layout::named(self.name),
        };
        let read = folder.wholes(&names, own)?;
        found.migrations.reserve(read.len());
        for (script, read) in scripts.into_iter().zip(read) {
            let ScriptName {
                version,
                words,
                direction,
            } = script.parts;
            match direction {
                Direction::Up => {
                    let description = words.replace('_', " ");
                    found.migrations.push(Migration::new(
                        script.version,
                        version,
                        description,
                        read,
                    ));
                }
                Direction::Down => {
                    let up = found
                        .migrations
                        .last_mut()
                        .filter(|migration| migration.version == script.version);
                    let Some(up) = up else {
                        return Err(DirectoryError::OrphanDown {
                            file: script.file_name.to_owned(),
                            version: version.to_owned(),
                            expected: format!("{version}_{words}{}", self.up_ending),
                        });
                    };
                    if up.up.file_name.strip_suffix(self.up_ending)
                        != script.file_name.strip_suffix(self.down_ending)
                    {
                        found.warnings.push(DirectoryWarning::NamesDiffer {
                            up: up.up.file_name.clone(),
                            down: script.file_name.to_owned(),
                        });
                    }
                    up.down = Some(read);
                }
            }
        }
        Ok(found)
    }

    /// Takes all names apart; ordered by version, up before down.
    fn versions<'a>(
        &self,
        folder: &Folder,
        file_names: &'a [String],
    ) -> Result<Vec<Versioned<'a>>, DirectoryError> {
        let mut scripts = Vec::with_capacity(file_names.len());
        let mut misnamed = Vec::new();
        for file_name in file_names {
            let parts = (self.parse)(file_name);
            let Some((parts, version)) =
                parts.and_then(|parts| Some((parts, Version::parse(parts.version)?)))
            else {
                misnamed.push(file_name.clone());
                continue;
            };
            scripts.push(Versioned {
                version,
                file_name,
                parts,
            });
        }
        if !misnamed.is_empty() {
            return Err(self.misnamed(folder, &scripts, misnamed));
        }
        scripts.sort_by(|left, right| {
            let is_down = |script: &Versioned<'_>| script.parts.direction == Direction::Down;
            let order = left.version.cmp(&right.version);
            order.then_with(|| is_down(left).cmp(&is_down(right)))
        });
        for pair in scripts.windows(2) {
            if let [first, second] = pair
                && first.version == second.version
                && first.parts.direction == second.parts.direction
            {
                return Err(DirectoryError::DuplicateVersion {
                    version: first.version.to_string(),
                    first: first.file_name.to_owned(),
                    second: second.file_name.to_owned(),
                });
            }
        }
        Ok(scripts)
    }

    fn misnamed(
        &self,
        folder: &Folder,
        scripts: &[Versioned<'_>],
        files: Vec<String>,
    ) -> DirectoryError {
        for other in LAYOUTS.iter().filter(|other| other.name != self.name) {
            let theirs = files.iter().find(|file| (other.parse)(file).is_some());
            if let (Some(first), Some(second)) = (scripts.first(), theirs) {
                return DirectoryError::MixedLayouts {
                    first: first.file_name.to_owned(),
                    first_layout: self.name,
                    second: second.clone(),
                    second_layout: other.name,
                };
            }
        }
        let expected = match scripts.first() {
            Some(_) => self.form.to_owned(),
            None => LAYOUTS.map(|layout| layout.form).join(", or "),
        };
        DirectoryError::FileName {
            path: folder.path().to_owned(),
            files,
            expected,
        }
    }
}

/// The layouts that are told apart by names alone.
const LAYOUTS: [&Numbered; 2] = [&native::NAMES, &golang_migrate::NAMES];

/// Names of the `.sql` files, sorted; warns of what looks like a migration and is none.
pub(super) fn sql_files(
    folder: &Folder,
    warnings: &mut Vec<DirectoryWarning>,
) -> Result<Vec<String>, DirectoryError> {
    let (mut scripts, mut near_misses, mut misspelt) = (Vec::new(), Vec::new(), Vec::new());
    for name in folder.files() {
        if let Some(expected) = right_spelling(name) {
            misspelt.push((name.clone(), expected));
        } else if name.ends_with(".sql") {
            scripts.push(name.clone());
        } else if is_near_miss(name) {
            near_misses.push(name.clone());
        }
    }
    if !misspelt.is_empty() {
        return Err(DirectoryError::EndingCase {
            path: folder.path().to_owned(),
            files: misspelt,
        });
    }
    let pipes = folder.others().iter();
    near_misses.extend(pipes.filter(|name| is_near_miss(name)).cloned());
    near_misses.sort_unstable();
    let near_misses = near_misses.into_iter();
    warnings.extend(near_misses.map(|file| DirectoryWarning::NearMiss { file }));
    Ok(scripts)
}

pub(super) fn is_near_miss(name: &str) -> bool {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let versioned = digits > 0 && name.as_bytes().get(digits) == Some(&b'_');
    let upper_case = name.len() > 4 && name.to_ascii_lowercase().ends_with(".sql");
    versioned || upper_case
}

/// The name that a script was meant to have whose ending says up or down, but in another case, as `7_x.DOWN.sql`: it
/// must not be taken for a script of the other direction.
fn right_spelling(name: &str) -> Option<String> {
    [".up.sql", ".down.sql"].into_iter().find_map(|ending| {
        let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        let other_case = found != ending && found.eq_ignore_ascii_case(ending);
        (other_case && split_version(stem).is_some()).then(|| format!("{stem}{ending}"))
    })
}

/// Splits `0007_add_email` into digits and words.
pub(super) fn split_version(stem: &str) -> Option<(&str, &str)> {
    let (version, words) = stem.split_once('_')?;
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((version, words))
}

/// The text of a new up script.
pub(in crate::directory) fn up_text(slug: &str, kind: Kind) -> String {
    let directive = match kind {
        Kind::Schema => "",
        Kind::Data => "-- forerun:data\n",
    };
    format!("{directive}-- {}\n\n", slug.replace('_', " "))
}

/// The text of a new down script.
pub(super) fn down_text(slug: &str) -> String {
    format!("-- reverts: {}\n\n", slug.replace('_', " "))
}
