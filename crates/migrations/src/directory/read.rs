//! From directory entries to migrations.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::digest::FileReader;
use super::error::{DirectoryError, DirectoryWarning};
use super::layout::{Layout, ScriptName, split_version};
use super::{Migration, MigrationDirectory, Script};
use crate::history::{Direction, Version};

/// Endings that editors and merge tools give to copies.
const BACKUP_ENDINGS: [&str; 8] = ["~", "#", ".bak", ".orig", ".rej", ".swp", ".tmp", ".save"];

impl MigrationDirectory {
    /// Reads all migrations of a directory; see the [module](super) for the rules.
    ///
    /// Each file is read once and kept out of memory.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let mut warnings = Vec::new();
        let file_names = sql_files(path, &mut warnings)?;
        let layout = Layout::detect(&file_names)?;
        let scripts = versions(path, layout, &file_names)?;
        let migrations = pair(path, layout, scripts, &mut warnings)?;
        if migrations.is_empty() {
            warnings.push(DirectoryWarning::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            layout,
            migrations,
            warnings,
        })
    }
}

/// Names of the `.sql` files, sorted.
fn sql_files(
    path: &Path,
    warnings: &mut Vec<DirectoryWarning>,
) -> Result<Vec<String>, DirectoryError> {
    let entries = fs::read_dir(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DirectoryError::Missing {
            path: path.to_owned(),
        },
        io::ErrorKind::NotADirectory => DirectoryError::NotADirectory {
            path: path.to_owned(),
        },
        _ => DirectoryError::io("read the directory", path)(error),
    })?;
    let mut file_names = Vec::new();
    let mut near_misses = Vec::new();
    let mut misspelt = Vec::new();
    for entry in entries {
        let entry = entry.map_err(DirectoryError::io("read the directory", path))?;
        let name = entry.file_name();
        let Some(sort) = sort_of(&name) else { continue };
        // The entry knows its type without another call to the system; only a link has to be followed.
        let mut file_type = entry
            .file_type()
            .map_err(DirectoryError::io("read the type of", entry.path()))?;
        if file_type.is_symlink() {
            file_type = fs::metadata(entry.path())
                .map_err(DirectoryError::io("follow the link", entry.path()))?
                .file_type();
        }
        if !file_type.is_dir()
            && let Some(expected) = right_spelling(&name.to_string_lossy())
        {
            misspelt.push((name.to_string_lossy().into_owned(), expected));
            continue;
        }
        match sort {
            // Anything else, such as a pipe, could be waited for without end.
            FileSort::Script if file_type.is_file() => match name.into_string() {
                Ok(name) => file_names.push(name),
                Err(name) => {
                    return Err(DirectoryError::FileName {
                        path: path.to_owned(),
                        files: vec![name.to_string_lossy().into_owned()],
                        expected: expected_forms(None),
                    });
                }
            },
            // A directory per migration is the layout of other tools; a directory called `7_x.sql` is an accident.
            FileSort::NearMiss if file_type.is_dir() => {}
            FileSort::Script | FileSort::NearMiss => {
                near_misses.push(name.to_string_lossy().into_owned());
            }
        }
    }
    if !misspelt.is_empty() {
        misspelt.sort_unstable();
        return Err(DirectoryError::EndingCase {
            path: path.to_owned(),
            files: misspelt,
        });
    }
    file_names.sort_unstable();
    near_misses.sort_unstable();
    warnings.extend(
        near_misses
            .into_iter()
            .map(|file| DirectoryWarning::NearMiss { file }),
    );
    Ok(file_names)
}

enum FileSort {
    /// To be read.
    Script,
    /// Deserves a warning.
    NearMiss,
}

/// What a name makes of a file; `None`: not ours.
fn sort_of(name: &OsStr) -> Option<FileSort> {
    let bytes = name.as_encoded_bytes();
    if bytes.starts_with(b".") {
        return None;
    }
    if bytes.ends_with(b".sql") {
        return Some(FileSort::Script);
    }
    let name = name.to_string_lossy();
    if BACKUP_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let versioned = digits > 0 && name.as_bytes().get(digits) == Some(&b'_');
    let upper_case = name.len() > 4 && name.to_ascii_lowercase().ends_with(".sql");
    (versioned || upper_case).then_some(FileSort::NearMiss)
}

/// The name that a script was meant to have whose ending says up or down, but in another case, as `7_x.DOWN.sql`: it
/// must not be taken for a script of the other direction.
fn right_spelling(name: &str) -> Option<String> {
    let rules = Layout::ALL.map(Layout::rules);
    rules
        .iter()
        .flat_map(|rules| [rules.up_ending, rules.down_ending])
        .filter(|ending| ending.matches('.').count() > 1)
        .find_map(|ending| {
            let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
            let other_case = found != ending && found.eq_ignore_ascii_case(ending);
            (other_case && split_version(stem).is_some()).then(|| format!("{stem}{ending}"))
        })
}

/// A file name with its version.
struct Versioned<'a> {
    version: Version,
    file_name: &'a str,
    parts: ScriptName<'a>,
}

/// Takes all names apart; ordered by version, up before down.
fn versions<'a>(
    path: &Path,
    layout: Layout,
    file_names: &'a [String],
) -> Result<Vec<Versioned<'a>>, DirectoryError> {
    let rules = layout.rules();
    let mut scripts = Vec::with_capacity(file_names.len());
    let mut misnamed = Vec::new();
    for file_name in file_names {
        let Some(parts) = (rules.parse)(file_name) else {
            misnamed.push(file_name.clone());
            continue;
        };
        let version =
            Version::parse(parts.version).ok_or_else(|| DirectoryError::VersionOutOfRange {
                file: file_name.clone(),
            })?;
        scripts.push(Versioned {
            version,
            file_name,
            parts,
        });
    }
    if !misnamed.is_empty() {
        let layout = (!scripts.is_empty()).then_some(layout);
        return Err(DirectoryError::FileName {
            path: path.to_owned(),
            files: misnamed,
            expected: expected_forms(layout),
        });
    }
    scripts.sort_by_key(|script| (script.version, script.parts.direction == Direction::Down));
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

/// Reads the files and joins up and down scripts.
fn pair(
    path: &Path,
    layout: Layout,
    scripts: Vec<Versioned<'_>>,
    warnings: &mut Vec<DirectoryWarning>,
) -> Result<Vec<Migration>, DirectoryError> {
    let rules = layout.rules();
    let mut reader = FileReader::new();
    let mut migrations: Vec<Migration> = Vec::with_capacity(scripts.len());
    for script in scripts {
        let ScriptName {
            version,
            words,
            direction,
        } = script.parts;
        match direction {
            Direction::Up => migrations.push(Migration {
                version: script.version,
                version_text: version.to_owned(),
                description: words.replace('_', " "),
                up: read_script(&mut reader, path, &script)?,
                down: None,
            }),
            Direction::Down => {
                let up = migrations
                    .last_mut()
                    .filter(|migration| migration.version == script.version);
                let Some(up) = up else {
                    return Err(DirectoryError::OrphanDown {
                        file: script.file_name.to_owned(),
                        version: version.to_owned(),
                        expected: format!("{version}_{words}{}", rules.up_ending),
                    });
                };
                if up.up.file_name.strip_suffix(rules.up_ending)
                    != script.file_name.strip_suffix(rules.down_ending)
                {
                    warnings.push(DirectoryWarning::NamesDiffer {
                        up: up.up.file_name.clone(),
                        down: script.file_name.to_owned(),
                    });
                }
                up.down = Some(read_script(&mut reader, path, &script)?);
            }
        }
    }
    Ok(migrations)
}

fn read_script(
    reader: &mut FileReader,
    directory: &Path,
    script: &Versioned<'_>,
) -> Result<Script, DirectoryError> {
    let path = directory.join(script.file_name);
    let digest = reader.digest(&path)?;
    Ok(Script {
        path,
        direction: script.parts.direction,
        file_name: script.file_name.to_owned(),
        bytes: digest.bytes,
        normalized: digest.normalized,
        raw: digest.raw,
    })
}

fn expected_forms(layout: Option<Layout>) -> String {
    match layout {
        Some(layout) => layout.rules().form.to_owned(),
        None => Layout::ALL.map(|layout| layout.rules().form).join(", or "),
    }
}
