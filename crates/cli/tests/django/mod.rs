//! The Django example in a scratch project, with its packages from PyPI.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use forerun_test_support::ScratchProject;

use crate::answers::Account;
use crate::story::{self, Target};
use forerun_test_support::cache_directory;

use crate::{example, missing};

/// A Python interpreter and the directory with the packages that the Django example asks for.
struct Python {
    interpreter: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// Fetches the packages from PyPI unless they are in the cache.
    fn with_packages() -> Result<Self, String> {
        let question = "import sys; print(sys.executable, sys.implementation.cache_tag, sep='\\n')";
        let answer = Command::new("python3").args(["-c", question]).output();
        let answer = answer.map_err(|error| format!("there is no python3: {error}"))?;
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        let (interpreter, tag) = answer
            .trim()
            .split_once('\n')
            .ok_or("python3 does not answer")?;
        let interpreter = PathBuf::from(interpreter);

        let requirements = example("django").join("requirements.txt");
        let pinned = fs::read_to_string(&requirements).unwrap();
        let pinned: Vec<String> = pinned
            .split_whitespace()
            .map(|line| {
                line.replace(
                    |sign: char| !sign.is_ascii_alphanumeric() && sign != '.',
                    "-",
                )
            })
            .collect();
        let packages = cache_directory()
            .expect("HOME is set")
            .join("python")
            .join(format!("{tag}-{}", pinned.join("-")));
        if packages.is_dir() {
            return Ok(Self {
                interpreter,
                packages,
            });
        }
        // Made aside: another test process may do the same, and an unfinished one must not be taken for it.
        let aside = packages.with_extension(format!("partial-{}", std::process::id()));
        let pip = Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                "--target",
            ])
            .arg(&aside)
            .arg("--requirement")
            .arg(&requirements)
            .output()
            .map_err(|error| format!("{}: {error}", interpreter.display()))?;
        if !pip.status.success() {
            let _ = fs::remove_dir_all(&aside);
            let said = String::from_utf8_lossy(&pip.stderr).into_owned();
            let last = said
                .lines()
                .rfind(|line| !line.starts_with("WARNING"))
                .unwrap_or_default();
            return Err(format!(
                "pip cannot install the packages of examples/django: {last}"
            ));
        }
        if fs::rename(&aside, &packages).is_err() {
            let _ = fs::remove_dir_all(&aside);
        }
        Ok(Self {
            interpreter,
            packages,
        })
    }
}

/// The Django example in a scratch project, with this database in its environment.
pub fn project(target: &Target<'_>) -> Option<ScratchProject> {
    static PYTHON: OnceLock<Result<Python, String>> = OnceLock::new();
    let python = match PYTHON.get_or_init(Python::with_packages) {
        Ok(python) => python,
        Err(why) => {
            missing(why);
            return None;
        }
    };
    let mut project = story::project();
    copy(&example("django"), &project.path());
    let programs = project.home().join("bin");
    fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink(&python.interpreter, programs.join("python")).unwrap();
    let path = env::var("PATH").unwrap();
    project.set_env("PATH", &format!("{}:{path}", programs.display()));
    project.set_env("PYTHONPATH", &python.packages.display().to_string());
    project.set_env("PYTHONDONTWRITEBYTECODE", "1");
    project.set_env("DJANGO_SECRET_KEY", "only for this test");
    for (name, value) in Account::of_server(target).variables("DATABASE_") {
        project.set_env(&name, &value);
    }
    Some(project)
}

/// Copies a directory with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
