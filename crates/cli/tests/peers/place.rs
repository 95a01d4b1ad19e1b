//! One database, one directory of migrations, and a peer's program to run on them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use forerun_test_support::{ScratchProject, cache_directory, report_missing};

use crate::story::{Product, Target, empty_project_for};

/// The program that `scripts/peers` installed under this name.
pub fn installed(name: &str) -> Option<PathBuf> {
    let program = cache_directory()
        .expect("HOME is set")
        .join("peers/bin")
        .join(name);
    if program.is_file() {
        return Some(program);
    }
    report_missing(&format!("{name}, which scripts/peers installs,"));
    None
}

/// A database with nothing in it, and a project with the directory of migrations at `migrations/`.
pub struct Place {
    pub target: Target<'static>,
    pub project: ScratchProject,
    program: PathBuf,
    environment: Vec<(String, String)>,
}

impl Place {
    /// With a copy of everything that is in `fixture`.
    pub fn new(
        program: &Path,
        fixture: &Path,
        target: Target<'static>,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut project = empty_project_for(&target);
        copy(fixture, &project.migrations());
        for (name, value) in environment {
            project.set_env(name, value);
        }
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            target,
            project,
            program: program.to_owned(),
            environment,
        }
    }

    pub fn product(&self) -> Product {
        self.target.product
    }

    /// The directory of migrations.
    pub fn directory(&self) -> PathBuf {
        self.project.migrations()
    }

    /// A directory with the first `count` of the migrations, by name, and everything that is no migration.
    pub fn first_of(&self, count: usize, is_migration: fn(&str) -> bool) -> PathBuf {
        let first = self.project.path().join("first");
        let _ = fs::remove_dir_all(&first);
        copy(&self.directory(), &first);
        let mut names: Vec<String> = self.project.list("migrations");
        names.retain(|name| is_migration(name));
        assert!(count < names.len(), "{names:?}");
        for name in names.split_off(count) {
            let entry = first.join(name);
            if entry.is_dir() {
                fs::remove_dir_all(entry).unwrap();
            } else {
                fs::remove_file(entry).unwrap();
            }
        }
        first
    }

    /// The peer's program, to run in the project, with nothing in its environment by accident.
    pub fn peer(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.project.home())
            .env("TZ", "UTC")
            // File names that are not ASCII.
            .env("LC_ALL", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `<user>:<password>` and `<host>:<port>` and the name of the database.
    pub fn address(&self) -> (String, String, String) {
        let url = self.target.url();
        let (_, rest) = url.split_once("://").expect("a URL");
        let (account, rest) = rest.split_once('@').expect("an account");
        let (address, name) = rest.split_once('/').expect("a database");
        (account.to_owned(), address.to_owned(), name.to_owned())
    }

    /// The URL, for clients that would try TLS first.
    pub fn url_without_tls(&self) -> String {
        match self.product() {
            Product::Postgres => format!("{}?sslmode=disable", self.target.url()),
            Product::Mariadb | Product::Sqlite => self.target.url(),
        }
    }

    /// The address as Go's MySQL driver takes it.
    pub fn go_source(&self) -> String {
        let (account, address, name) = self.address();
        format!("{account}@tcp({address})/{name}")
    }

    /// The address as Java's drivers take it, user and password.
    pub fn jdbc(&self) -> (String, Option<(String, String)>) {
        let (scheme, product) = match self.product() {
            Product::Sqlite => {
                return (
                    format!("jdbc:sqlite:{}", self.target.file().path().display()),
                    None,
                );
            }
            Product::Postgres => ("jdbc:postgresql", "sslmode=disable"),
            Product::Mariadb => ("jdbc:mariadb", "sslMode=disable"),
        };
        let (account, address, name) = self.address();
        let (user, password) = account.split_once(':').expect("a password");
        (
            format!("{scheme}://{address}/{name}?{product}"),
            Some((user.to_owned(), password.to_owned())),
        )
    }
}

/// Runs a command that must succeed, and gives what it wrote.
pub fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let written = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{written}",
        output.status
    );
    written
}

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
