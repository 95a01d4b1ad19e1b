//! Goes through a directory in Liquibase's order: from the root changelog into all that it includes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use forerun_sql::{Dialect, Position};

use super::super::super::ReadOptions;
use super::super::super::error::{DirectoryError, LayoutProblem};
use super::super::super::folder::{FileText, Folder};
use super::super::super::layout::Found;
use super::documents::{self, Node};
use super::expression::{self, Unbalanced};
use super::formatted;
use super::paths::{Files, Place, normalize};
use super::properties::Properties;
use super::settings::{self, Settings};
use crate::history::Version;

/// What Liquibase records of a changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerChangeset {
    /// The migration that it is here.
    pub version: Version,
    /// `FILENAME`.
    pub file: String,
    /// `ID`.
    pub id: String,
    /// `AUTHOR`.
    pub author: String,
    /// `MD5SUM` of Liquibase 4.22 and later; `None` where forerun cannot compute it.
    pub checksum_9: Option<String>,
    /// `MD5SUM` of Liquibase 3.5 to 4.21; `None` where forerun cannot compute it.
    pub checksum_8: Option<String>,
    /// Checksums that are accepted as well; `any` and `1:any` accept all.
    pub valid_checksums: Vec<String>,
}

/// What a changelog hands on to those that it includes.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    /// Expressions that must all fit.
    pub contexts: Vec<String>,
    pub labels: Vec<String>,
    pub ignore: bool,
    pub logical_path: Option<String>,
}

/// Where a changeset was found.
pub(super) struct Seen {
    /// Its place among the migrations.
    pub migration: usize,
    /// Byte of its file.
    pub at: usize,
}

pub(super) struct Reader<'a> {
    pub folder: &'a mut Folder,
    pub dialect: Option<Dialect>,
    pub settings: Settings,
    pub properties: Properties,
    pub files: Files,
    pub found: Found,
    /// One per migration, if anybody asks.
    pub peers: Option<Vec<PeerChangeset>>,
    pub problems: Vec<LayoutProblem>,
    /// Where each changeset is.
    pub seen: HashMap<Version, Seen>,
    /// The first changeset for MySQL alone, and that for MariaDB alone.
    pub alone: HashMap<&'static str, (PathBuf, Position)>,
    /// There is none that would include plain SQL.
    without_master: bool,
    /// Changelogs that are being read.
    open: Vec<String>,
    /// Where the lines of the last file begin.
    lines: Option<(PathBuf, Vec<usize>)>,
}

impl<'a> Reader<'a> {
    pub fn new(
        folder: &'a mut Folder,
        options: &ReadOptions,
        for_peers: bool,
    ) -> Result<Self, DirectoryError> {
        let file = if folder.has(settings::FILE) {
            Some(folder.text(settings::FILE)?)
        } else {
            None
        };
        let settings = Settings::new(&options.variables, file.as_ref().map(FileText::text));
        let mut properties = Properties::new(&options.variables);
        for (name, value) in &settings.parameters {
            properties.add(name, value, None);
        }
        let files = Files::new(folder.tree()?, folder.path());
        Ok(Self {
            folder,
            dialect: options.dialect,
            settings,
            properties,
            files,
            found: Found::default(),
            peers: for_peers.then(Vec::new),
            problems: Vec::new(),
            seen: HashMap::new(),
            alone: HashMap::new(),
            without_master: false,
            open: Vec::new(),
            lines: None,
        })
    }

    /// Reads everything.
    pub fn read(mut self) -> Result<(Found, Vec<PeerChangeset>), DirectoryError> {
        for root in self.roots()? {
            self.changelog(&root, &Inherited::default())?;
        }
        if let (Some(first), Some((path, position))) =
            (self.alone.get("mysql"), self.alone.get("mariadb"))
        {
            self.problems.push(LayoutProblem {
                path: path.clone(),
                position: Some(*position),
                message: format!(
                    "this changeset is for MariaDB alone, and the one at {}:{} for MySQL alone: forerun reads both as \
                     one. Write `dbms:mysql,mariadb` at one of them and leave out the other",
                    first.0.display(),
                    first.1.line
                ),
            });
        }
        if self.problems.is_empty() {
            return Ok((self.found, self.peers.unwrap_or_default()));
        }
        Err(DirectoryError::Layout {
            path: self.folder.path().to_owned(),
            layout: "liquibase",
            problems: self.problems,
        })
    }

    /// The changelogs to begin with.
    fn roots(&mut self) -> Result<Vec<Place>, DirectoryError> {
        if let Some(root) = self.settings.root.clone() {
            if let Some(place) = self.files.find(&root, None) {
                return Ok(vec![place]);
            }
            let path = self.folder.path().to_owned();
            self.problem_of(
                path,
                format!(
                    "there is no changelog `{root}` in it, as LIQUIBASE_COMMAND_CHANGELOG_FILE or {} says. Correct \
                     it, or give the directory that it is in with --dir",
                    settings::FILE
                ),
            );
            return Ok(Vec::new());
        }
        let masters = self.masters()?;
        match masters.as_slice() {
            [] => Ok(self.scripts()),
            [only] => Ok(vec![only.clone()]),
            several => {
                let mut main = several.iter().filter(|place| {
                    let name = place.name.rsplit('/').next().unwrap_or(&place.name);
                    name.contains("master") || name.contains("root")
                });
                if let (Some(only), None) = (main.next(), main.next()) {
                    return Ok(vec![only.clone()]);
                }
                let names: Vec<String> = several
                    .iter()
                    .take(5)
                    .map(|place| format!("`{}`", place.name))
                    .collect();
                let path = self.folder.path().to_owned();
                self.problem_of(
                    path,
                    format!(
                        "{} can each be the root changelog. Say which with LIQUIBASE_COMMAND_CHANGELOG_FILE",
                        names.join(", ")
                    ),
                );
                Ok(Vec::new())
            }
        }
    }

    /// Masters that no other includes.
    fn masters(&mut self) -> Result<Vec<Place>, DirectoryError> {
        let (mut places, mut included) = (Vec::new(), Vec::new());
        for name in self.files.all().to_vec() {
            if !documents::is_document(&name) {
                continue;
            }
            let Ok(file) = self.folder.text(&name) else {
                continue;
            };
            if !file.text().contains(super::ROOT) {
                continue;
            }
            let place = Place {
                logical: name.clone(),
                name,
            };
            if let Ok(root) = documents::read(&place.name, file.text()) {
                let children = root.children.iter();
                included.extend(children.flat_map(|child| self.included(&place, child)));
            }
            places.push(place);
        }
        let roots: Vec<Place> = places
            .iter()
            .filter(|place| !included.contains(&place.name))
            .cloned()
            .collect();
        // Where they include each other in a circle, reading them says so.
        Ok(if roots.is_empty() { places } else { roots })
    }

    /// Names of the files that a node of a master includes.
    fn included(&self, master: &Place, node: &Node) -> Vec<String> {
        let relative = node.is("relativeToChangelogFile", false).then_some(master);
        let expanded = |name: &str| {
            let path = node.value(name)?;
            self.properties.expand(&path, &master.logical).ok()
        };
        match node.name.as_str() {
            "include" => {
                let found = expanded("file").and_then(|path| self.files.find(&path, relative));
                let other = found.filter(|place| place.name != master.name);
                other.into_iter().map(|place| place.name).collect()
            }
            "includeAll" => {
                let found = expanded("path").map(|path| self.files.below(&path, relative));
                let others = found
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(place, _)| place.name);
                others.filter(|name| *name != master.name).collect()
            }
            _ => Vec::new(),
        }
    }

    /// All SQL, where there is no master.
    fn scripts(&mut self) -> Vec<Place> {
        self.without_master = true;
        let names = self.files.all().iter().filter(|name| has_sql_ending(name));
        let places = names.map(|name| Place {
            logical: name.clone(),
            name: name.clone(),
        });
        places.collect()
    }

    /// Reads one changelog.
    pub fn changelog(
        &mut self,
        place: &Place,
        inherited: &Inherited,
    ) -> Result<(), DirectoryError> {
        let file = self.folder.text(&place.name)?;
        if self.open.contains(&place.name) {
            self.problem(
                &file,
                0,
                "it includes itself. Remove the include that leads back to it",
            );
            return Ok(());
        }
        self.open.push(place.name.clone());
        if has_sql_ending(&place.name) {
            if formatted::is_formatted(file.text()) {
                self.formatted(&file, place, inherited);
            } else if !self.without_master {
                self.plain(&file, place, inherited);
            } else if !file.text().trim().is_empty() {
                self.problem_of(
                    file.path(),
                    "it does not begin with `--liquibase formatted sql`, and there is no master changelog that includes \
                     it. Add that line and a `--changeset`, add a master changelog, or move the file elsewhere"
                        .to_owned(),
                );
            }
        } else {
            match documents::read(&place.name, file.text()) {
                Ok(root) => self.master(&file, place, &root, inherited)?,
                Err((at, message)) => self.problem(&file, at, message),
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Whether a changeset is meant, as far as contexts, labels and databases say; problems are noted.
    pub fn is_meant(
        &mut self,
        file: &FileText,
        at: usize,
        filters: &Filters<'_>,
        inherited: &Inherited,
    ) -> bool {
        match self.fits(filters, inherited) {
            Ok(fits) => {
                let alone = expression::dbms_fits(filters.dbms, self.dialect);
                if let (true, Err(name)) = (fits, alone) {
                    let place = (file.path().to_owned(), self.position(file, at));
                    self.alone.entry(name).or_insert(place);
                }
                fits
            }
            Err(Unbalanced) => {
                self.problem(
                    file,
                    at,
                    "the expression of its contexts or labels, or the one of the run, has parentheses that do not match",
                );
                false
            }
        }
    }

    /// The same, without notes.
    pub fn fits(&self, filters: &Filters<'_>, inherited: &Inherited) -> Result<bool, Unbalanced> {
        let own = filters.context.unwrap_or_default();
        let mut fits = expression::contexts_fit(own, &self.settings.contexts)?;
        for context in &inherited.contexts {
            fits &= expression::contexts_fit(context, &self.settings.contexts)?;
        }
        let own = filters.labels.unwrap_or_default();
        fits &= expression::labels_fit(&self.settings.label_filter, own)?;
        for labels in &inherited.labels {
            fits &= expression::labels_fit(&self.settings.label_filter, labels)?;
        }
        Ok(fits && expression::dbms_fits(filters.dbms, self.dialect).unwrap_or(true))
    }

    pub fn problem(&mut self, file: &FileText, at: usize, message: impl Into<String>) {
        let position = self.position(file, at);
        self.problems.push(LayoutProblem {
            path: file.path().to_owned(),
            position: Some(position),
            message: message.into(),
        });
    }

    /// Where a byte of a file is.
    pub fn position(&mut self, file: &FileText, at: usize) -> Position {
        let text = file.text();
        let lines = match &mut self.lines {
            Some((path, lines)) if path == file.path() => lines,
            other => {
                let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
                &mut other
                    .insert((
                        file.path().to_owned(),
                        std::iter::once(0).chain(starts).collect(),
                    ))
                    .1
            }
        };
        let line = lines.partition_point(|start| *start <= at).max(1);
        let start = lines.get(line - 1).copied().unwrap_or_default();
        let column = text.get(start..at).unwrap_or_default().chars().count();
        Position {
            offset: at as u64,
            line: line as u64,
            column: column as u64 + 1,
        }
    }

    fn problem_of(&mut self, path: impl AsRef<Path>, message: String) {
        self.problems.push(LayoutProblem {
            path: path.as_ref().to_owned(),
            position: None,
            message,
        });
    }
}

/// What decides whether something is meant.
#[derive(Default)]
pub(super) struct Filters<'a> {
    pub context: Option<&'a str>,
    pub labels: Option<&'a str>,
    pub dbms: Option<&'a str>,
}

fn has_sql_ending(name: &str) -> bool {
    name.len() > 4
        && name
            .get(name.len() - 4..)
            .is_some_and(|end| end.eq_ignore_ascii_case(".sql"))
}

/// The path that Liquibase records for a changeset.
pub(super) fn recorded_path(place: &Place, logical: Option<&str>) -> String {
    let logical = logical.map(str::trim).filter(|path| !path.is_empty());
    let path = logical.unwrap_or(&place.logical);
    normalize(path).unwrap_or_else(|| path.to_owned())
}
