//! The rules of a directory, each by a directory that shows it.

mod create;
mod inspect;
mod read;
mod sum;

use std::path::Path;

use tempfile::TempDir;

use super::{DirectoryError, MigrationDirectory, ReadOptions};

/// A directory with these files and contents.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read_at(path: &Path) -> Result<MigrationDirectory, DirectoryError> {
    MigrationDirectory::read(path, &ReadOptions::default())
}

fn read(files: &[(&str, &str)]) -> Result<MigrationDirectory, DirectoryError> {
    read_at(directory(files).path())
}

/// The message of the error, without the name of the temporary folder.
fn refused(files: &[(&str, &str)]) -> String {
    let folder = directory(files);
    let message = read_at(folder.path()).unwrap_err().to_string();
    without_folder(&message, folder.path())
}

fn without_folder(message: &str, folder: &Path) -> String {
    message
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "DIR")
}
