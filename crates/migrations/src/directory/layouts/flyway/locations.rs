//! Where Flyway is told to look for migrations, against the directory that forerun reads.

use std::fs;
use std::path::Path;

/// What of the directory Flyway reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Locations {
    /// Directories in it, each with a `/` at its end; `None` for all of it.
    only: Option<Vec<String>>,
}

/// What a list of locations says.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub locations: Locations,
    /// One of them is the directory or something in it.
    pub lead_here: bool,
    /// What Flyway reads and forerun does not.
    pub problems: Vec<String>,
}

impl Locations {
    /// Whether a file, given as a path from the directory, is in one of them.
    pub fn hold(&self, file: &str) -> bool {
        match &self.only {
            None => true,
            Some(only) => only.iter().any(|folder| file.starts_with(folder.as_str())),
        }
    }
}

/// What `texts` mean for the directory `root`; relative ones start at `base`. Those that do not exist are left out as
/// Flyway does.
pub(super) fn resolve(texts: &[String], base: &Path, root: &Path) -> Resolved {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let mut resolved = Resolved::default();
    let (mut whole, mut only) = (false, Vec::new());
    for text in texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        let path = match text.split_once(':') {
            Some(("filesystem", path)) => base.join(path),
            None | Some(("classpath", _)) => {
                // On the class path is what a build puts there, by rule what the directory's own path ends with.
                let path = text.strip_prefix("classpath:").unwrap_or(text);
                let path = path.trim_matches('/');
                if root.ends_with(path) {
                    root.clone()
                } else {
                    root.join(path)
                }
            }
            Some(_) => {
                resolved.problems.push(format!(
                    "migrations are read from `{text}` too, and forerun reads directories: copy them into this one"
                ));
                continue;
            }
        };
        if text.contains(['*', '?']) {
            resolved.problems.push(format!(
                "the location `{text}` has wildcards, which forerun does not read: name each directory"
            ));
            continue;
        }
        let Ok(path) = fs::canonicalize(path) else {
            continue;
        };
        if path == root {
            whole = true;
        } else if let Ok(below) = path.strip_prefix(&root) {
            only.push(format!("{}/", below.display()));
        } else if root.starts_with(&path) {
            resolved.problems.push(format!(
                "migrations are read from `{text}`, of which this directory is a part only: give that one with --dir"
            ));
        } else {
            resolved.problems.push(format!(
                "migrations are read from `{text}` too, and forerun reads one directory: move them into it, or take the \
                 location away"
            ));
        }
    }
    resolved.lead_here = whole || !only.is_empty();
    if !whole {
        resolved.locations.only = Some(only);
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(texts: &[&str]) -> Resolved {
        let folder = tempfile::tempdir().unwrap();
        for path in ["sql/common", "sql/postgres", "other", "src/db/migration"] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let root = if texts[0].contains("db/migration") {
            "src/db/migration"
        } else {
            "sql"
        };
        resolve(&texts, folder.path(), &folder.path().join(root))
    }

    #[test]
    fn the_directory_itself_is_read_as_a_whole() {
        for location in [
            "filesystem:sql",
            "filesystem:./sql/",
            "classpath:db/migration",
            "db/migration",
        ] {
            let resolved = resolved(&[location]);
            assert!(
                resolved.problems.is_empty() && resolved.lead_here,
                "{location}"
            );
            assert!(resolved.locations.hold("anything.sql"), "{location}");
        }
    }

    #[test]
    fn directories_in_it_are_read_alone() {
        let resolved = resolved(&[
            "filesystem:sql/common",
            "filesystem:sql/postgres",
            "filesystem:gone",
        ]);
        assert!(resolved.problems.is_empty() && resolved.lead_here);
        assert!(resolved.locations.hold("postgres/V1__x.sql"));
        assert!(!resolved.locations.hold("mysql/V1__x.sql"));
        assert!(!resolved.locations.hold("V1__x.sql"));
    }

    #[test]
    fn what_does_not_exist_is_left_out() {
        let resolved = resolved(&["filesystem:gone", "filesystem:lost"]);
        assert!(resolved.problems.is_empty() && !resolved.lead_here);
        assert!(!resolved.locations.hold("V1__x.sql"));
    }

    #[test]
    fn what_is_elsewhere_is_named() {
        let cases = [
            (
                ["filesystem:sql", "filesystem:other"],
                "`filesystem:other` too",
            ),
            (["filesystem:sql", "s3:bucket/sql"], "`s3:bucket/sql` too"),
            (["filesystem:sql", "filesystem:o*r"], "wildcards"),
            (["filesystem:.", "filesystem:sql"], "a part only"),
        ];
        for (texts, expected) in cases {
            let problems = resolved(&texts).problems;
            assert_eq!(problems.len(), 1, "{texts:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }
}
