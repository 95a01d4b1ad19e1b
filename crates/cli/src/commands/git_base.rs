//! The directory against itself at a git reference, such as the branch it is going to be merged into.
//!
//! Every migration of the reference may be applied somewhere: the branch at hand must not delete or change it, and what
//! the branch adds must come after all of it. What others have merged since the two parted is not here yet, which is no
//! fault: what the branch itself has done is told by their common ancestor. The program `git` is asked; its files go
//! through a temporary directory so that they are read by the same rules.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forerun_migrations::directory::{Migration, MigrationDirectory, ReadOptions};
use forerun_migrations::history::Version;
use forerun_sql::Dialect;

use super::validate::conflict;
use crate::command_error::{CommandError, Problem};
use crate::settings::random_id;

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Contradictions.
    pub contradictions: Vec<Contradiction>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// Something of the reference that is not as it was, or something new that does not come after it.
#[derive(Debug)]
pub struct Contradiction {
    /// The migration.
    pub version: Version,
    /// What is wrong with it.
    pub problem: Problem,
}

impl Comparison {
    fn add(&mut self, version: &Version, code: &'static str, file: &Path, message: String) {
        self.contradictions.push(Contradiction {
            version: version.clone(),
            problem: conflict(code, Some(file), message),
        });
    }
}

/// Compares.
///
/// # Errors
/// When git cannot be run, does not know the reference, or the directory is in no repository; or when the files there
/// cannot be read as migrations.
pub fn compare(
    directory: &MigrationDirectory,
    options: &ReadOptions,
    base: &str,
    dialect: Dialect,
) -> Result<Comparison, CommandError> {
    let then = Then::read(directory, options, base)?;
    Ok(compare_directories(directory, &then, base, dialect))
}

/// The directory as it is at a reference. Its files are there as long as this is.
pub struct Then {
    /// What was read.
    pub directory: MigrationDirectory,
    /// The directory as it was where the branch at hand left the reference, unless that is the reference itself, or git
    /// does not know it (a shallow clone).
    parted: Option<MigrationDirectory>,
    _files: Vec<TemporaryDirectory>,
}

impl Then {
    /// Asks git.
    ///
    /// # Errors
    /// As [`compare`].
    pub fn read(
        directory: &MigrationDirectory,
        options: &ReadOptions,
        base: &str,
    ) -> Result<Self, CommandError> {
        let commit = resolve(&directory.path, base)?;
        let own = TemporaryDirectory::create()?;
        check_out(&directory.path, base, &commit, &own.0)?;
        let then = MigrationDirectory::read(&own.0, options)?;
        let mut files = vec![own];
        let mut at_parting = None;
        let parted = git(&directory.path, &["merge-base", "HEAD", &commit], None);
        let parted = parted.map(|said| String::from_utf8_lossy(&said).trim().to_owned());
        if let Some(parted) = parted.ok().filter(|parted| *parted != commit) {
            let own = TemporaryDirectory::create()?;
            // One that cannot be read says nothing.
            if check_out(&directory.path, &parted, &parted, &own.0).is_ok() {
                at_parting = MigrationDirectory::read(&own.0, options).ok();
            }
            files.push(own);
        }
        Ok(Self {
            directory: then,
            parted: at_parting,
            _files: files,
        })
    }

    /// Whether the branch at hand did not bring this migration: the reference has it, or had it where they parted.
    pub fn has(&self, version: &Version) -> bool {
        let parted = self.parted.as_ref();
        self.directory.get(version).is_some()
            || parted.is_some_and(|parted| parted.get(version).is_some())
    }

    /// Whether the migration is what it was where they parted (or missing, as it was there).
    fn is_untouched(&self, version: &Version, now: Option<&Migration>) -> bool {
        let Some(parted) = &self.parted else {
            return false;
        };
        let text = |migration: &Migration| {
            let down = migration.down.as_ref().map(|down| down.normalized.clone());
            (migration.up.normalized.clone(), down)
        };
        parted.get(version).map(text) == now.map(text)
    }
}

/// Compares two directories that were read.
pub fn compare_directories(
    directory: &MigrationDirectory,
    then: &Then,
    base: &str,
    dialect: Dialect,
) -> Comparison {
    let mut comparison = Comparison::default();
    let base_directory = &then.directory;
    for before in &base_directory.migrations {
        let now = directory.get(&before.version);
        if then.is_untouched(&before.version, now) {
            continue;
        }
        match now {
            None => comparison.add(
                &before.version,
                "missing",
                &directory.path.join(&before.up.file_name),
                format!("is in {base} and not here: restore it, it may be applied somewhere"),
            ),
            Some(now) => compare_migration(&mut comparison, before, now, base, dialect),
        }
    }
    let Some(newest) = base_directory.migrations.last() else {
        return comparison;
    };
    for migration in &directory.migrations {
        if migration.version < newest.version && !then.has(&migration.version) {
            comparison.add(
                &migration.version,
                "out_of_order",
                &migration.up.path,
                format!(
                    "is new and older than {}, the newest of {base}: give it a newer version",
                    newest.up.file_name
                ),
            );
        }
    }
    comparison
}

fn compare_migration(
    comparison: &mut Comparison,
    before: &Migration,
    now: &Migration,
    base: &str,
    dialect: Dialect,
) {
    if before.up.normalized != now.up.normalized {
        let sql = |migration: &Migration| {
            migration
                .up
                .inspect(dialect)
                .ok()
                .map(|summary| summary.sql_checksum)
        };
        let only_comments = sql(before).is_some_and(|sql_before| sql(now) == Some(sql_before));
        if only_comments {
            comparison.warnings.push(format!(
                "{} differs from {base} in comments or layout only",
                now.up.file_name
            ));
        } else if before.up.file_name != now.up.file_name {
            comparison.add(
                &now.version,
                "version_taken",
                &now.up.path,
                format!(
                    "version {} is taken by {} in {base}: give this one a newer version",
                    now.version, before.up.file_name
                ),
            );
        } else {
            comparison.add(
                &now.version,
                "changed",
                &now.up.path,
                format!("differs from {base}, and may be applied somewhere: restore it and write a new migration"),
            );
        }
    }
    match (&before.down, &now.down) {
        (Some(down), None) => {
            comparison
                .warnings
                .push(format!("{} is in {base} and not here", down.file_name));
        }
        (Some(before), Some(now)) if before.normalized != now.normalized => {
            comparison
                .warnings
                .push(format!("{} differs from {base}", now.file_name));
        }
        _ => {}
    }
}

/// The commit that a reference stands for.
fn resolve(directory: &Path, base: &str) -> Result<String, CommandError> {
    if base.trim().is_empty() {
        return Err(explain("it is empty", "the reference"));
    }
    // A name that starts with a hyphen would be an option.
    let commit = format!("{base}^{{commit}}");
    let commit = git(
        directory,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ],
        None,
    )
    .map_err(|error| explain(&error, base))?;
    Ok(String::from_utf8_lossy(&commit).trim().to_owned())
}

/// Writes the `.sql` files that the directory has at a commit into another one.
fn check_out(
    directory: &Path,
    base: &str,
    commit: &str,
    target: &Path,
) -> Result<(), CommandError> {
    // Within the directory, names are relative to it.
    let listing = git(directory, &["ls-tree", "-r", "-z", commit], None)
        .map_err(|error| explain(&error, base))?;
    let mut names = Vec::new();
    let mut objects = String::new();
    for entry in listing.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((about, name)) = entry.split_once('\t') else {
            continue;
        };
        let mut about = about.split(' ');
        let (Some(_mode), Some("blob"), Some(object)) = (about.next(), about.next(), about.next())
        else {
            continue;
        };
        // A layout may keep migrations in directories, and settings beside them.
        if !name.split('/').any(|part| part.starts_with('.')) {
            names.push(name.to_owned());
            objects.push_str(object);
            objects.push('\n');
        }
    }
    let batch = git(directory, &["cat-file", "--batch"], Some(objects))
        .map_err(|error| explain(&error, base))?;
    let mut rest = batch.as_slice();
    for name in names {
        let content =
            next_object(&mut rest).ok_or_else(|| explain("its answer is not understood", base))?;
        let path = target.join(&name);
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, content))
            .map_err(CommandError::system("write a temporary file"))?;
    }
    Ok(())
}

/// `<object> blob <size>\n<content>\n`
fn next_object<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, tail) = rest.split_at_checked(end)?;
    let size: usize = std::str::from_utf8(head)
        .ok()?
        .rsplit(' ')
        .next()?
        .parse()
        .ok()?;
    let content = tail.get(1..=size)?;
    *rest = tail.get(size + 2..).unwrap_or_default();
    Some(content)
}

fn explain(error: &str, base: &str) -> CommandError {
    CommandError::Usage {
        message: format!("cannot read {base} with git: {error}"),
        advice: "Give a branch, tag or commit of the repository that the directory is in; in a shallow clone, fetch it \
                 first (git fetch origin BRANCH)."
            .to_owned(),
    }
}

fn git(directory: &Path, arguments: &[&str], input: Option<String>) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments.iter().map(OsStr::new))
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    // Written beside the reading, since both pipes may fill up.
    let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
        std::thread::spawn(move || {
            let _ = stdin.write_all(input.as_bytes());
        })
    });
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(if said.is_empty() {
        "it does not know this reference".to_owned()
    } else {
        said
    })
}

/// A directory that is removed again.
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn create() -> Result<Self, CommandError> {
        let path = std::env::temp_dir().join(format!("forerun-base-{}", random_id()));
        std::fs::create_dir(&path).map_err(CommandError::system("create a temporary directory"))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
