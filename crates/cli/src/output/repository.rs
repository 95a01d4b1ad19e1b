//! Paths as code hosts know them: from the root of the repository on, with `/` and without `.` and `..`.

use std::path::{Component, Path, PathBuf};

/// The repository that the working directory is in.
pub struct Repository {
    here: PathBuf,
    /// The nearest directory with a `.git` (a worktree has a file of that name); the working directory where there is none.
    root: PathBuf,
}

impl Repository {
    /// That of the working directory.
    pub fn here() -> Self {
        // Without one, paths stay as they were given.
        Self::of(std::env::current_dir().unwrap_or_default())
    }

    fn of(here: PathBuf) -> Self {
        let root = here.ancestors().find(|above| above.join(".git").exists());
        let root = root.unwrap_or(&here).to_owned();
        Self { here, root }
    }

    /// A path that is relative to the working directory, or absolute, as the host knows it. What is outside of the
    /// repository stays absolute.
    pub fn path(&self, path: &Path) -> String {
        let whole = plain(&self.here.join(path));
        let inside = whole.strip_prefix(&self.root).unwrap_or(&whole);
        inside.display().to_string()
    }
}

/// Without `.` and `..`, by the names alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_root_of_the_repository() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("app/db")).unwrap();
        let outside = Repository::of(root.path().join("app"));
        assert_eq!(outside.path(Path::new("./db/1.sql")), "db/1.sql");
        std::fs::create_dir(root.path().join(".git")).unwrap();
        let inside = Repository::of(root.path().join("app"));
        for path in [
            "db/1.sql",
            "./db/1.sql",
            "./x/../db//1.sql",
            "../app/db/1.sql",
        ] {
            assert_eq!(inside.path(Path::new(path)), "app/db/1.sql");
        }
        let absolute = root.path().join("app/db/1.sql");
        assert_eq!(inside.path(&absolute), "app/db/1.sql");
        assert_eq!(
            inside.path(Path::new("/elsewhere/1.sql")),
            "/elsewhere/1.sql"
        );
    }
}
