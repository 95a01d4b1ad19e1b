//! The layout of Liquibase: formatted SQL changelogs, and master changelogs that say in which order they run.
//!
//! Every changeset is a migration. Its version is what identifies it in Liquibase, `file::id::author`, and it may run
//! whenever it is new, wherever it stands. Read are formatted SQL, plain SQL files that a master includes, and of
//! masters in XML, YAML and JSON `include`, `includeAll`, `property` and changesets of `sql` and `sqlFile`. All that
//! Liquibase makes SQL of itself (`createTable`, …) is named, line by line, and nothing runs.
//!
//! The root changelog is `LIQUIBASE_COMMAND_CHANGELOG_FILE` or `changelogFile` of a `liquibase.properties` in the
//! directory; without them the one master that no other includes; without a master all formatted SQL files by their
//! paths, as `includeAll` would take them. Contexts and labels are those of `LIQUIBASE_COMMAND_CONTEXT_FILTER` and
//! `LIQUIBASE_COMMAND_LABEL_FILTER`, or of that file.
//!
//! Other than in Liquibase:
//! - Comments in statements stay, whatever `stripComments` says: SQLite shows them in its schema.
//! - Where a rollback of several lines stands in a block comment, its lines stay lines.
//! - A precondition whose query fails stops the run, whatever `onError` says.
//! - MySQL and MariaDB are one; a directory with a changeset for the one and a changeset for the other is refused.
//! - `runOnChange` looks at the text before placeholders have values.

mod attributes;
mod changes;
mod conditions;
mod documents;
mod expression;
#[cfg(test)]
mod fixture_tests;
mod formatted;
mod lower;
mod master;
mod master_changeset;
mod paths;
mod properties;
mod reader;
mod settings;
mod statements;
#[cfg(test)]
mod tests;

use super::super::ReadOptions;
use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules, Strength};
use crate::history::Kind;
use reader::Reader;

pub(crate) use lower::version as changeset_version;
pub(crate) use reader::PeerChangeset;

pub(in super::super) struct Liquibase;

/// The name of the root element, by which a master is known.
const ROOT: &str = "databaseChangeLog";

impl Rules for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn form(&self) -> &'static str {
        "a file that begins with `--liquibase formatted sql`, or a master changelog that includes such files"
    }

    fn depends_on_dialect(&self) -> bool {
        true
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let certain = |because: String| {
            Ok(Some(Claim {
                strength: Strength::Certain,
                because,
            }))
        };
        if folder.has(settings::FILE) {
            return certain(format!("there is a {}", settings::FILE));
        }
        if formatted::is_formatted(&folder.sample()?) {
            return certain("its first script begins with `--liquibase formatted`".to_owned());
        }
        let has_scripts = folder.files().iter().any(|name| name.ends_with(".sql"));
        let mut names = folder.files().to_vec();
        if !has_scripts && folder.files().len() + folder.folders().len() <= MOST_ENTRIES {
            // A master that lies deeper, as `db/changelog/db.changelog-master.yaml` below `resources`.
            names = folder.tree()?;
        }
        for name in names.into_iter().filter(|name| may_be_master(name)) {
            if folder
                .text(&name)
                .is_ok_and(|file| file.text().contains(ROOT))
            {
                return certain(format!("`{name}` is a changelog of it"));
            }
        }
        Ok(None)
    }

    fn marker(&self) -> Option<&'static str> {
        Some("liquibase formatted")
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let reader = Reader::new(folder, options, false)?;
        Ok(reader.read()?.0)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        let directive = match kind {
            Kind::Schema => "",
            Kind::Data => "-- forerun:data\n",
        };
        let words = slug.replace('_', " ");
        let text = format!(
            "--liquibase formatted sql\n\n--changeset forerun:{version}_{slug}\n--comment: {words}\n{directive}\n"
        );
        Some(vec![(format!("{version}_{slug}.sql"), text)])
    }
}

/// Entries of a directory beyond which nobody looks into its directories for a master.
const MOST_ENTRIES: usize = 100;

fn may_be_master(name: &str) -> bool {
    documents::is_document(name) && {
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        name.contains("change")
            || name.contains("master")
            || name.contains("root")
            || name.contains("liquibase")
    }
}

/// What Liquibase records of each changeset that forerun reads, in the same order as the migrations.
///
/// # Errors
/// As reading the directory.
pub(crate) fn peer_changesets(
    path: &std::path::Path,
    options: &ReadOptions,
) -> Result<Vec<PeerChangeset>, DirectoryError> {
    let mut folder = Folder::open(path)?;
    let reader = Reader::new(&mut folder, options, true)?;
    Ok(reader.read()?.1)
}
