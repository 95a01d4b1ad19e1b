//! A directory of any layout, written anew in the native one.
//!
//! Text, comments and order stay; what was a directive of the other tool becomes one of ours, or is gone with what it
//! asked for done (a placeholder has its value). Pure but for [`convert`], which writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::DirectoryError;
use super::{Layout, Migration, MigrationDirectory, ReadOptions, Repeat, Script};

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertedFile {
    /// Name in the new directory.
    pub name: String,
    /// What it was made of.
    pub from: String,
    /// Its text.
    pub text: String,
}

/// What a conversion makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversion {
    /// The files, in the order of the migrations.
    pub files: Vec<ConvertedFile>,
    /// What is different from then on.
    pub remarks: Vec<String>,
}

impl MigrationDirectory {
    /// What this directory is in the native layout.
    ///
    /// # Errors
    /// When a script cannot be read any more.
    pub fn converted(&self) -> Result<Conversion, DirectoryError> {
        let mut conversion = Conversion::default();
        let mut numbers = Numbers::of(self);
        for migration in &self.migrations {
            remark(migration, &mut conversion.remarks);
            if migration.repeat == Repeat::Always {
                continue;
            }
            let version = match migration.version.is_number() {
                true => native_version(migration),
                false => numbers.next(),
            };
            let stem = format!("{version}_{}", words(migration));
            let from = &migration.up.file_name;
            conversion.files.push(ConvertedFile {
                name: format!("{stem}.sql"),
                from: from.clone(),
                text: text(&migration.up)?,
            });
            if let Some(down) = &migration.down {
                conversion.files.push(ConvertedFile {
                    name: format!("{stem}.down.sql"),
                    from: down.file_name.clone(),
                    text: text(down)?,
                });
            }
        }
        let without_number = |migration: &Migration| {
            migration.repeat == Repeat::Never && !migration.version.is_number()
        };
        if self.migrations.iter().any(without_number) {
            conversion.remarks.push(
                "the migrations got new numbers, since they had none: on a database that has run them, declare what is \
                 present with `forerun migrate baseline NUMBER --replace-history` before anything else"
                    .to_owned(),
            );
        }
        Ok(conversion)
    }
}

/// Numbers for migrations without one: they come after all that have one.
struct Numbers {
    last: u128,
    width: usize,
}

impl Numbers {
    fn of(directory: &MigrationDirectory) -> Self {
        let numbers = directory
            .migrations
            .iter()
            .map(|migration| &migration.version);
        let newest = numbers.filter(|version| version.is_number()).max();
        let first_part = newest.and_then(|version| version.as_str().split('.').next());
        Self {
            last: first_part
                .and_then(|part| part.parse().ok())
                .unwrap_or_default(),
            width: first_part.map_or(4, str::len),
        }
    }

    fn next(&mut self) -> String {
        self.last = self.last.saturating_add(1);
        format!("{:0width$}", self.last, width = self.width)
    }
}

/// The version as the native layout spells it: a number keeps its zeros.
fn native_version(migration: &Migration) -> String {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match digits(&migration.version_text) && !migration.version_text.is_empty() {
        true => migration.version_text.clone(),
        false => migration.version.to_string(),
    }
}

/// The words of the name, so that the file is one of the native layout.
fn words(migration: &Migration) -> String {
    let kept = |character: char| match character {
        ' ' | '/' | '\\' => '_',
        other => other,
    };
    let words: String = migration.description.chars().map(kept).collect();
    let words = words.trim_matches(['_', '.']);
    match words.is_empty() || words.ends_with(".up") || words.ends_with(".down") {
        true => format!("{words}_migration").trim_matches('_').to_owned(),
        false => words.to_owned(),
    }
}

fn remark(migration: &Migration, remarks: &mut Vec<String>) {
    let name = &migration.up.file_name;
    match migration.repeat {
        Repeat::Never => {}
        Repeat::WhenChanged => remarks.push(format!(
            "{name} ran again whenever it was changed; from now on a change of it is a new migration"
        )),
        Repeat::Always => remarks.push(format!(
            "{name} ran in every run; it is left out"
        )),
    }
    if migration.checkpoint.is_some() {
        remarks.push(format!(
            "{name} has a checkpoint for new databases, which is left out: they run every migration"
        ));
    }
    if !migration.conditions.is_empty() {
        remarks.push(format!(
            "{name} has conditions, which are left out: write them as forerun:assert where they matter"
        ));
    }
}

/// The native text, without the empty lines that other parts of the file leave around it.
fn text(script: &Script) -> Result<String, DirectoryError> {
    let text = script.native_text()?;
    let first = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let body = text.get(first..).unwrap_or_default().trim_end();
    let body = &without_directives(body.to_owned());
    let mut native = String::with_capacity(body.len() + 32);
    if script.no_transaction.is_some() {
        native.push_str("-- forerun:no-transaction\n");
    }
    native.push_str(body);
    if !body.is_empty() {
        native.push('\n');
    }
    Ok(native)
}

/// A directive that had no part in what is run, such as a second one where the first counts, is a comment that says so:
/// as it is, the native layout would take it for a file of the other tool.
fn without_directives(mut text: String) -> String {
    while let Some((_, number)) = Layout::NATIVE.foreign_marker(&text) {
        let start: usize = text
            .split_inclusive('\n')
            .take(number - 1)
            .map(str::len)
            .sum();
        let Some(dashes) = text.get(start..).and_then(|line| line.find("--")) else {
            break;
        };
        let after = start + dashes + 2;
        let spaced = text.get(after..).is_some_and(|rest| rest.starts_with(' '));
        text.insert_str(after, if spaced { " was" } else { " was " });
    }
    text
}

/// Writes a conversion into a directory, which is created and must be empty.
///
/// # Errors
/// When there is something in it already, or it cannot be written. Files that were written stay.
pub fn convert(conversion: &Conversion, into: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
    fs::create_dir_all(into).map_err(DirectoryError::io("create the directory", into))?;
    let mut entries = fs::read_dir(into).map_err(DirectoryError::io("read the directory", into))?;
    if entries.next().is_some() {
        return Err(DirectoryError::NotEmpty {
            path: into.to_owned(),
        });
    }
    let mut paths = Vec::with_capacity(conversion.files.len());
    for file in &conversion.files {
        let path = into.join(&file.name);
        fs::write(&path, &file.text).map_err(DirectoryError::io("write", &path))?;
        paths.push(path);
    }
    // What was written must be what was meant.
    let options = ReadOptions {
        layout: Some(Layout::NATIVE),
        ..ReadOptions::default()
    };
    MigrationDirectory::read(into, &options)?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, MigrationDirectory) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let read = MigrationDirectory::read(folder.path(), &ReadOptions::default()).unwrap();
        (folder, read)
    }

    #[test]
    fn text_comments_and_order_stay() {
        let (_folder, read) = directory(&[
            ("0002_b.up.sql", "-- why\nCREATE TABLE b (x int); -- end"),
            ("0002_b.down.sql", "DROP TABLE b;\n"),
            ("0001_.up.sql", "\n\n  CREATE TABLE a (x int);\n\n\n"),
        ]);
        let conversion = read.converted().unwrap();
        let files: Vec<(&str, &str, &str)> = conversion
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.from.as_str(), file.text.as_str()))
            .collect();
        assert_eq!(
            files,
            [
                (
                    "0001_migration.sql",
                    "0001_.up.sql",
                    "  CREATE TABLE a (x int);\n"
                ),
                (
                    "0002_b.sql",
                    "0002_b.up.sql",
                    "-- why\nCREATE TABLE b (x int); -- end\n"
                ),
                ("0002_b.down.sql", "0002_b.down.sql", "DROP TABLE b;\n"),
            ]
        );
        assert_eq!(conversion.remarks, [""; 0]);
    }

    #[test]
    fn what_has_no_number_gets_one_and_what_ran_again_is_told() {
        let (_folder, mut read) = directory(&[("1_a.sql", ""), ("2_b.sql", "")]);
        for (migration, name) in read.migrations.iter_mut().zip(["ann:1", "ann:2"]) {
            migration.version = crate::history::Version::named(name).unwrap();
        }
        let conversion = read.converted().unwrap();
        let names: Vec<&str> = conversion
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(names, ["0001_a.sql", "0002_b.sql"]);
        assert!(conversion.remarks[0].contains("--replace-history"));

        let (_folder, mut read) = directory(&[("1_a.sql", ""), ("2_b.sql", "")]);
        let view = read.migrations.last_mut().unwrap();
        view.version = crate::history::Version::named("R__b").unwrap();
        view.repeat = Repeat::WhenChanged;
        let conversion = read.converted().unwrap();
        let names: Vec<&str> = conversion
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(names, ["1_a.sql", "2_b.sql"]);
        assert!(conversion.remarks[0].contains("a change of it is a new migration"));
        assert_eq!(conversion.remarks.len(), 1);
    }

    #[test]
    fn only_an_empty_directory_is_written_to() {
        let (folder, read) = directory(&[("1_a.up.sql", "SELECT 1;")]);
        let conversion = read.converted().unwrap();
        let error = convert(&conversion, folder.path()).unwrap_err();
        assert!(matches!(error, DirectoryError::NotEmpty { .. }));
        let target = folder.path().join("new");
        let written = convert(&conversion, &target).unwrap();
        assert_eq!(written, [target.join("1_a.sql")]);
        assert_eq!(fs::read_to_string(&written[0]).unwrap(), "SELECT 1;\n");
    }

    #[test]
    fn what_is_a_directive_no_more_is_a_comment() {
        let text = "SELECT 1;\n  --+goose Down\n-- atlas:nolint\n-- a word\n";
        assert_eq!(
            without_directives(text.to_owned()),
            "SELECT 1;\n  -- was +goose Down\n-- was atlas:nolint\n-- a word\n"
        );
    }
}
