//! Which tool's way of writing migrations a directory follows.
//!
//! A layout is one file in `layouts/` that implements [`Rules`], and one line in the list below. It says which
//! directories are its own, and what is a migration in them; it makes no SQL of its own beyond the replacements that
//! its directives ask for, and runs nothing.

use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::{Serialize, Serializer};

use super::error::DirectoryError;
use super::folder::Folder;
use super::layouts;
use super::{DirectoryWarning, Migration, ReadOptions};
use crate::history::Kind;

/// All layouts. Where nothing tells more than one of them apart, the first one is taken.
static ALL: &[&dyn Rules] = &[
    // Before those whose names it shares: it claims a directory only where there is more than the names.
    &layouts::sqlx::Sqlx,
    &layouts::native::Native,
    &layouts::golang_migrate::GolangMigrate,
    &layouts::flyway::Flyway,
    &layouts::refinery::Refinery,
    &layouts::goose::Goose,
    &layouts::dbmate::Dbmate,
    &layouts::tern::Tern,
    &layouts::diesel::Diesel,
    &layouts::liquibase::Liquibase,
    &layouts::atlas::Atlas,
];

/// How the files of a directory are named and what is in them.
#[derive(Clone, Copy)]
pub struct Layout(&'static dyn Rules);

/// One tool's way of writing migrations.
pub(super) trait Rules: Sync {
    /// Its name, as `--layout` takes it: lower case, words joined by `-`.
    fn name(&self) -> &'static str;

    /// What its file names look like, for people.
    fn form(&self) -> &'static str;

    /// Whether what it reads depends on the database.
    fn depends_on_dialect(&self) -> bool {
        false
    }

    /// Whether a directory is of this layout.
    ///
    /// # Errors
    /// When a file that must be looked into cannot be read.
    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError>;

    /// What begins a comment that only this layout has, such as `+goose`: a file of another layout with such a comment
    /// at the start of a line is not read, since it would do what nobody meant.
    fn marker(&self) -> Option<&'static str> {
        None
    }

    /// Where a text has a directive that only this layout has: bytes before it or more in its line.
    fn marker_in(&self, text: &str) -> Option<usize> {
        marker_place(text, self.marker()?)
    }

    /// All migrations, in the order in which they run.
    ///
    /// # Errors
    /// Everything that cannot be read or carried over, all at once, as [`DirectoryError::Layout`] or one of the errors
    /// that are made for it.
    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError>;

    /// File names and texts of a new migration, the up script first; `None` where files are not made one by one.
    /// `version` is as [`super::next_version`] made it, `slug` of lower-case letters, digits and underscores.
    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>>;
}

/// Why a directory is of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// Whether no other layout can be meant.
    pub strength: Strength,
    /// What was seen, as in "there is an atlas.sum".
    pub because: String,
}

/// How sure a [`Claim`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// It can be read as this one; others may do as well, and would read the same.
    Possible,
    /// It is this one.
    Certain,
}

/// What a layout found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The migrations, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// What a person should look at.
    pub warnings: Vec<DirectoryWarning>,
}

impl Layout {
    /// forerun's own: `0007_add_email.sql`, `0007_add_email.down.sql`.
    pub const NATIVE: Self = Self(&layouts::native::Native);

    /// All layouts.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().copied().map(Self)
    }

    /// The layout of a name, such as `golang-migrate`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|layout| layout.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What its files look like, for people.
    pub fn form(self) -> &'static str {
        self.0.form()
    }

    /// Whether a directory of this layout can hold other migrations for each database, so that reading it for none in
    /// particular gives too many.
    pub fn depends_on_dialect(self) -> bool {
        self.0.depends_on_dialect()
    }

    pub(super) fn rules(self) -> &'static dyn Rules {
        self.0
    }

    /// The layout of a directory. Without any claim it is the native one.
    pub(super) fn detect(folder: &mut Folder) -> Result<Self, DirectoryError> {
        let mut best: Option<(Self, Claim)> = None;
        for layout in Self::all() {
            let Some(claim) = layout.0.claim(folder)? else {
                continue;
            };
            match &best {
                Some((first, other))
                    if claim.strength == Strength::Certain
                        && other.strength == Strength::Certain =>
                {
                    return Err(DirectoryError::TwoLayouts {
                        path: folder.path().to_owned(),
                        first: first.name(),
                        first_because: other.because.clone(),
                        second: layout.name(),
                        second_because: claim.because,
                    });
                }
                Some((_, other)) if claim.strength <= other.strength => {}
                _ => best = Some((layout, claim)),
            }
        }
        Ok(best.map_or(Self::NATIVE, |(layout, _)| layout))
    }

    /// Whether a directory that was taken for one of `detected` can as well be one of this layout, so that somebody who
    /// knows may decide.
    pub(crate) fn may_replace(self, detected: Self, path: &Path) -> Result<bool, DirectoryError> {
        let mut folder = Folder::open(path)?;
        let certain =
            |claim: Option<Claim>| claim.is_some_and(|claim| claim.strength == Strength::Certain);
        Ok(self.0.claim(&mut folder)?.is_some() && !certain(detected.0.claim(&mut folder)?))
    }

    /// The layout, other than this one, whose directive stands at the start of a line of `text`, and that line's
    /// number, from 1.
    pub(super) fn foreign_marker(self, text: &str) -> Option<(Self, usize)> {
        MARKERS
            .iter()
            .filter(|(layout, _)| *layout != self)
            .find_map(|(layout, finder)| {
                let at = match finder {
                    Some(finder) => place_of(text, finder),
                    None => layout.0.marker_in(text),
                }?;
                let before = text.get(..at)?;
                Some((*layout, before.matches('\n').count() + 1))
            })
    }
}

/// Where a comment that begins with `marker` stands alone in its line.
pub(super) fn marker_place(text: &str, marker: &str) -> Option<usize> {
    place_of(text, &Finder::new(marker))
}

/// What finds the marker of each layout: every file is searched for all of them.
static MARKERS: LazyLock<Vec<(Layout, Option<Finder<'static>>)>> = LazyLock::new(|| {
    let finder = |layout: Layout| layout.0.marker().map(Finder::new);
    Layout::all()
        .map(|layout| (layout, finder(layout)))
        .collect()
});

fn place_of(text: &str, marker: &Finder<'_>) -> Option<usize> {
    marker.find_iter(text.as_bytes()).find(|at| {
        let before = text.get(..*at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        line.trim_end()
            .strip_suffix("--")
            .is_some_and(|start| start.trim().is_empty())
    })
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Layout {}

impl fmt::Debug for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Layout").field(&self.name()).finish()
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
