//! Names of changelogs: as files of the directory, and as Liquibase knows them.
//!
//! Liquibase finds a file from its search path, of which the directory that forerun was given may be a part: with
//! `--dir src/main/resources/db/changelog`, `db/changelog/1.sql` is `1.sql`.

use std::path::Path;

/// One file by both names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// From the directory on.
    pub name: String,
    /// As Liquibase records it.
    pub logical: String,
}

/// All files of a directory, and what the directory itself is called.
pub(super) struct Files {
    /// Sorted by bytes.
    all: Vec<String>,
    /// Names of the directories that lead to it, the last one last.
    above: Vec<String>,
}

impl Files {
    pub fn new(all: Vec<String>, root: &Path) -> Self {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let above = root
            .iter()
            .filter_map(|name| name.to_str())
            .map(str::to_owned);
        Self {
            all,
            above: above.collect(),
        }
    }

    pub fn all(&self) -> &[String] {
        &self.all
    }

    /// The file of a path, from the search path or from where another file is.
    pub fn find(&self, path: &str, relative_to: Option<&Place>) -> Option<Place> {
        self.places(path, relative_to)
            .find(|place| self.has(&place.name))
    }

    /// The files in the directory of a path and below, with how deep each is (1: directly in it).
    pub fn below(&self, path: &str, relative_to: Option<&Place>) -> Vec<(Place, usize)> {
        for folder in self.places(path, relative_to) {
            let start = if folder.name.is_empty() {
                String::new()
            } else {
                format!("{}/", folder.name)
            };
            let first = self
                .all
                .partition_point(|file| file.as_str() < start.as_str());
            let files = self
                .all
                .iter()
                .skip(first)
                .map_while(|file| Some((file, file.strip_prefix(&start)?)));
            let found: Vec<(Place, usize)> = files
                .map(|(file, rest)| {
                    let place = Place {
                        name: file.clone(),
                        logical: join(&folder.logical, rest),
                    };
                    (place, rest.matches('/').count() + 1)
                })
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    fn has(&self, name: &str) -> bool {
        self.all
            .binary_search_by(|file| file.as_str().cmp(name))
            .is_ok()
    }

    /// What a path can mean, the likeliest first.
    fn places(&self, path: &str, relative_to: Option<&Place>) -> impl Iterator<Item = Place> {
        let (mut places, path) = (Vec::new(), path.trim());
        if let Some(base) = relative_to {
            let beside = |base: &str| normalize(&join(parent(base), &path.replace('\\', "/")));
            if let (Some(name), Some(logical)) = (beside(&base.name), beside(&base.logical)) {
                places.push(Place { name, logical });
            }
        } else if let Some(logical) = normalize(path) {
            places.push(Place {
                name: logical.clone(),
                logical: logical.clone(),
            });
            for count in 1..=self.above.len() {
                let from = self.above.len() - count;
                let above = self.above.get(from..).unwrap_or_default().join("/");
                let rest = logical.strip_prefix(&above).and_then(|rest| {
                    if rest.is_empty() {
                        Some(rest)
                    } else {
                        rest.strip_prefix('/')
                    }
                });
                if let Some(rest) = rest {
                    places.push(Place {
                        name: rest.to_owned(),
                        logical: logical.clone(),
                    });
                }
            }
        }
        places.into_iter()
    }
}

/// A path as Liquibase records it: without `classpath:`, drive, leading `/` and `.`; `None` when it leads out.
pub(super) fn normalize(path: &str) -> Option<String> {
    let path = path
        .strip_prefix("classpath:")
        .unwrap_or(path)
        .replace('\\', "/");
    let path = match path.as_bytes() {
        [_, b':', ..] => path.get(2..).unwrap_or_default(),
        _ => &path,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let all = ["changes/1.sql", "changes/more/2.sql", "master.xml"].map(str::to_owned);
        Files::new(all.to_vec(), Path::new("/app/db/changelog"))
    }

    fn place(name: &str, logical: &str) -> Place {
        Place {
            name: name.to_owned(),
            logical: logical.to_owned(),
        }
    }

    #[test]
    fn paths_are_recorded_without_their_start() {
        for (path, expected) in [
            ("classpath:/db/1.sql", Some("db/1.sql")),
            ("C:\\db\\1.sql", Some("db/1.sql")),
            ("./a/../b//1.sql", Some("b/1.sql")),
            ("../1.sql", None),
        ] {
            assert_eq!(normalize(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_found_from_the_search_path_and_beside_another() {
        let files = files();
        let find = |path| files.find(path, None);
        assert_eq!(
            find("changes/1.sql"),
            Some(place("changes/1.sql", "changes/1.sql"))
        );
        let logical = "db/changelog/changes/1.sql";
        assert_eq!(find(logical), Some(place("changes/1.sql", logical)));
        assert_eq!(find("changelog/changes/3.sql"), None);
        let master = place("master.xml", "db/changelog/master.xml");
        assert_eq!(
            files.find("changes/1.sql", Some(&master)),
            Some(place("changes/1.sql", logical))
        );
        assert_eq!(files.find("../x.sql", Some(&master)), None);
    }

    #[test]
    fn a_directory_is_all_below_it() {
        let expected = [
            (place("changes/1.sql", "db/changelog/changes/1.sql"), 1),
            (
                place("changes/more/2.sql", "db/changelog/changes/more/2.sql"),
                2,
            ),
        ];
        assert_eq!(files().below("db/changelog/changes/", None), expected);
        assert_eq!(files().below("/db/changelog", None).len(), 3);
        assert_eq!(files().below("nowhere", None), []);
    }
}
