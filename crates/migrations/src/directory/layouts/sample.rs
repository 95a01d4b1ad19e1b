//! For the unit tests of layouts: small directories, and what a layout reads of them or finds wrong. In no program.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use forerun_sql::Dialect;
use tempfile::TempDir;

use super::super::{Layout, MigrationDirectory, ReadOptions, Script};

/// A directory with these files and contents.
pub(super) fn directory(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// What a layout reads of these files, together with the directory that they stand in.
pub(super) struct Sample {
    pub read: MigrationDirectory,
    _folder: TempDir,
}

impl Sample {
    /// Detects the layout.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = directory(files);
        let read = MigrationDirectory::read(folder.path(), &ReadOptions::default()).unwrap();
        Self {
            read,
            _folder: folder,
        }
    }

    /// Native text of the up script of the migration at `place`.
    pub fn up(&self, place: usize) -> String {
        text(&self.read.migrations[place].up)
    }

    /// Native text of the down script of the migration at `place`.
    pub fn down(&self, place: usize) -> Option<String> {
        self.read.migrations[place].down.as_ref().map(text)
    }

    /// Versions as spelled, with descriptions, in order.
    pub fn names(&self) -> Vec<(&str, &str)> {
        let migrations = self.read.migrations.iter();
        migrations
            .map(|migration| {
                (
                    migration.version_text.as_str(),
                    migration.description.as_str(),
                )
            })
            .collect()
    }

    /// What a person should look at.
    pub fn warnings(&self) -> Vec<String> {
        self.read.warnings.iter().map(ToString::to_string).collect()
    }
}

/// The native text of a script.
pub(super) fn text(script: &Script) -> String {
    let mut text = String::new();
    script.open().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// First words of the statements of a script, each with its line.
pub(super) fn statements(script: &Script, dialect: Dialect) -> Vec<(u64, String)> {
    let summary = script.inspect(dialect).unwrap();
    let statements = summary.statements.into_iter();
    statements
        .map(|statement| (statement.position.line, statement.preview))
        .collect()
}

/// Options with a layout and an environment.
pub(super) fn options(
    layout: &str,
    environment: &'static [(&'static str, &'static str)],
) -> ReadOptions {
    let mut options = ReadOptions {
        layout: Some(Layout::named(layout).unwrap()),
        ..ReadOptions::default()
    };
    options.variables.environment = Some(Arc::new(move |name: &str| {
        let variable = environment.iter().find(|(known, _)| *known == name);
        variable.map(|(_, value)| (*value).to_owned())
    }));
    options
}

/// What is wrong with these files, line by line, without the name of the directory.
pub(super) fn problems(layout: &str, files: &[(&str, &str)]) -> Vec<String> {
    let folder = directory(files);
    let error = MigrationDirectory::read(folder.path(), &options(layout, &[])).unwrap_err();
    let text = without_folder(&error.to_string(), folder.path());
    let lines = text.lines().map(|line| line.trim().to_owned());
    lines
        .filter(|line| !line.starts_with("the directory `"))
        .collect()
}

fn without_folder(message: &str, folder: &Path) -> String {
    message
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "DIR")
}
