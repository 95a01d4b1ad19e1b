//! A temporary directory that looks like a user's project, and the built program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::project_command::{CommandOutcome, ProjectCommand, RunningCommand};
use crate::scratch_directory::make;

/// A project with an empty `migrations/`, a home directory of its own, and one program to run in it with
/// no environment but `PATH`, `HOME` and what the test sets.
#[derive(Debug)]
pub struct ScratchProject {
    program: PathBuf,
    environment: BTreeMap<String, String>,
    directory: TempDir,
}

impl ScratchProject {
    /// `program` is the binary under test: `ScratchProject::new(env!("CARGO_BIN_EXE_forerun"))`.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Self {
        let directory = make("project", None);
        for name in ["project/migrations", "home"] {
            fs::create_dir_all(directory.path().join(name)).expect("the directory can be written");
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let home = directory.path().join("home").display().to_string();
        let mut environment =
            BTreeMap::from([("PATH".to_owned(), path), ("HOME".to_owned(), home)]);
        // Where a coverage run wants its files; without it they would land in the project.
        if let Ok(profile) = std::env::var("LLVM_PROFILE_FILE") {
            environment.insert("LLVM_PROFILE_FILE".to_owned(), profile);
        }
        Self {
            program: program.as_ref().to_owned(),
            environment,
            directory,
        }
    }

    /// The project directory, in which commands run.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// `migrations/` in the project.
    #[must_use]
    pub fn migrations(&self) -> PathBuf {
        self.path().join("migrations")
    }

    /// Sets a variable for all commands from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file, with the directories above it; `name` is relative to the project.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(name);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).expect("the directory can be written");
        }
        fs::write(&file, content).expect("the directory can be written");
        file
    }

    /// Writes `migrations/<name>`.
    pub fn migration(&self, name: &str, sql: impl AsRef<[u8]>) -> PathBuf {
        self.write(&format!("migrations/{name}"), sql)
    }

    /// Reads a file of the project.
    ///
    /// # Panics
    /// When it is not there or not UTF-8.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        let file = self.path().join(name);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Removes a file of the project.
    ///
    /// # Panics
    /// When it is not there.
    pub fn remove(&self, name: &str) {
        let file = self.path().join(name);
        fs::remove_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The names in a directory of the project, sorted.
    ///
    /// # Panics
    /// When it is no directory.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path().join(name))
            .expect("a directory of the project")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// A run of the program that is still to be put together.
    pub fn command(&self, arguments: &[&str]) -> ProjectCommand {
        ProjectCommand::new(
            &self.program,
            arguments,
            &self.path(),
            self.environment.clone(),
        )
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> CommandOutcome {
        self.command(arguments).run()
    }

    /// Starts the program.
    #[must_use]
    pub fn spawn(&self, arguments: &[&str]) -> RunningCommand {
        self.command(arguments).spawn()
    }
}
