//! A peer's entries beside the files of a directory: what can be taken over, and everything that stands in the way.
//!
//! Pure but for the reading of files that a peer's checksum needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{Facts, Files, PeerHistory, State, Verdict};
use crate::directory::{DirectoryError, Migration, MigrationDirectory, Repeat};
use crate::history::{Origin, Version};

/// What our own history has already.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Recorded versions.
    pub applied: BTreeMap<Version, Origin>,
    /// Versions with an unfinished attempt.
    pub unfinished: BTreeSet<Version>,
}

/// What a person lets pass, by version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Files that the peer's checksum says were changed.
    pub changed: Acceptance,
    /// Migrations whose files are gone.
    pub missing: Acceptance,
}

/// Which versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// All of them.
    All,
    /// These.
    Versions(BTreeSet<Version>),
}

impl Default for Acceptance {
    fn default() -> Self {
        Self::Versions(BTreeSet::new())
    }
}

impl Acceptance {
    fn has(&self, version: &Version) -> bool {
        match self {
            Self::All => true,
            Self::Versions(versions) => versions.contains(version),
        }
    }
}

/// What is to be taken over.
#[derive(Debug, Default)]
pub struct Adoption<'d> {
    /// The versions to record, in the order of the directory; those without a file at the end.
    pub items: Vec<Item<'d>>,
    /// Entries of the peer that are recorded already.
    pub already: usize,
    /// Migrations that stay pending, in order.
    pub pending: Vec<&'d Migration>,
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// A version to record.
#[derive(Debug)]
pub struct Item<'d> {
    /// The version.
    pub version: Version,
    /// Its migration, unless there is no file.
    pub migration: Option<&'d Migration>,
    /// The peer's row.
    pub row: String,
    /// The peer's description.
    pub description: String,
    /// When and by whom.
    pub facts: Facts,
    /// The peer's checksum was compared with the file, and is the same.
    pub verified: bool,
    /// A person let it pass: `changed` or `missing`.
    pub accepted: Option<&'static str>,
}

/// What stands in the way of taking a history over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// The peer is in the middle of something.
    Peer {
        /// What is wrong.
        message: String,
        /// What to do.
        advice: String,
    },
    /// A file is not what was applied.
    Changed {
        /// Version.
        version: Version,
        /// File name.
        script: String,
        /// Checksum that the peer recorded.
        recorded: String,
        /// Checksum of the file.
        found: String,
    },
    /// There is no file for what was applied.
    Missing {
        /// Version.
        version: Version,
        /// The peer's row.
        row: String,
    },
    /// We have begun to apply what the peer says it has applied.
    Unfinished {
        /// Version.
        version: Version,
        /// The peer's row.
        row: String,
    },
}

/// Puts a peer's state beside a directory.
///
/// # Errors
/// When a file cannot be read.
pub fn map<'d>(
    peer: &dyn PeerHistory,
    state: &State,
    files: Files<'d>,
    recorded: &Recorded,
    accepted: &Accepted,
) -> Result<Adoption<'d>, DirectoryError> {
    let directory = files.directory;
    let troubles = state.problems.iter().map(|trouble| Problem::Peer {
        message: trouble.message.clone(),
        advice: trouble.advice.clone(),
    });
    let mut adoption = Adoption {
        problems: troubles.collect(),
        warnings: state.warnings.clone(),
        ..Adoption::default()
    };
    let order = Order::new(directory);
    let found = peer.find(&state.entries, files)?;
    // What the peer has that comes after the last file is of a newer release.
    let last_with_file = found.iter().rposition(Option::is_some);
    let mut pairs = Vec::new();
    let mut known = BTreeSet::new();
    for (place, (entry, migration)) in state.entries.iter().zip(&found).enumerate() {
        let version = migration.map_or(&entry.version, |migration| &migration.version);
        if !known.insert(version.clone()) {
            continue;
        }
        if recorded.applied.contains_key(version) {
            adoption.already += 1;
            continue;
        }
        if recorded.unfinished.contains(version) {
            adoption.problems.push(Problem::Unfinished {
                version: version.clone(),
                row: entry.row.clone(),
            });
            continue;
        }
        if let Some(migration) = migration {
            pairs.push((entry, *migration));
            continue;
        }
        let newer = match version.is_number() {
            true => order.is_newer(version),
            false => last_with_file.is_none_or(|last| place > last),
        };
        let accepted = accepted.missing.has(version).then_some("missing");
        if newer || order.is_below_checkpoint(version) || accepted.is_some() {
            let newer_or_replaced = newer || order.is_below_checkpoint(version);
            adoption.items.push(Item {
                version: version.clone(),
                migration: None,
                row: entry.row.clone(),
                description: entry.description.clone(),
                facts: entry.facts.clone(),
                verified: false,
                accepted: accepted.filter(|_| !newer_or_replaced),
            });
        } else {
            adoption.problems.push(Problem::Missing {
                version: version.clone(),
                row: entry.row.clone(),
            });
        }
    }
    let verdicts = peer.verify(files, &pairs)?;
    for ((entry, migration), verdict) in pairs.into_iter().zip(verdicts) {
        let version = migration.version.clone();
        let mut item = Item {
            version: version.clone(),
            migration: Some(migration),
            row: entry.row.clone(),
            description: entry.description.clone(),
            facts: entry.facts.clone(),
            verified: verdict == Verdict::Same,
            accepted: None,
        };
        if let Verdict::Differs { recorded, found } = verdict {
            if migration.repeat != Repeat::Never {
                // It runs again: that is what it is for.
                continue;
            }
            if !accepted.changed.has(&version) {
                adoption.problems.push(Problem::Changed {
                    version,
                    script: migration.up.file_name.clone(),
                    recorded,
                    found,
                });
                continue;
            }
            item.accepted = Some("changed");
        }
        adoption.items.push(item);
    }
    cover(
        state,
        directory,
        &order,
        recorded,
        accepted,
        &mut known,
        &mut adoption,
    );
    let lost = recorded
        .applied
        .iter()
        .filter(|(version, origin)| **origin == Origin::Adopted && !known.contains(*version));
    for (version, _) in lost {
        adoption.warnings.push(format!(
            "version {version} was adopted before, and {} does not have it any more: it may have been reverted there. It \
             stays recorded here",
            peer.title()
        ));
    }
    adoption
        .items
        .sort_by_key(|item| order.place(&item.version));
    adoption.pending = pending(directory, recorded, &adoption.items, &known);
    Ok(adoption)
}

/// What is applied because everything up to some version is.
fn cover<'d>(
    state: &State,
    directory: &'d MigrationDirectory,
    order: &Order,
    recorded: &Recorded,
    accepted: &Accepted,
    known: &mut BTreeSet<Version>,
    adoption: &mut Adoption<'d>,
) {
    for up_to in &state.up_to {
        let item = |version: &Version, migration: Option<&'d Migration>| Item {
            version: version.clone(),
            migration,
            row: up_to.row.clone(),
            description: String::new(),
            // Only of the last one it is known.
            facts: if *version == up_to.version {
                up_to.facts.clone()
            } else {
                Facts::default()
            },
            verified: false,
            accepted: None,
        };
        let covered = directory.migrations.iter().filter(|migration| {
            migration.version <= up_to.version && migration.repeat == Repeat::Never
        });
        for migration in covered {
            if !known.insert(migration.version.clone()) {
                continue;
            }
            if recorded.applied.contains_key(&migration.version) {
                adoption.already += 1;
            } else if recorded.unfinished.contains(&migration.version) {
                adoption.problems.push(Problem::Unfinished {
                    version: migration.version.clone(),
                    row: up_to.row.clone(),
                });
            } else {
                adoption
                    .items
                    .push(item(&migration.version, Some(migration)));
            }
        }
        if !known.insert(up_to.version.clone()) {
            continue;
        }
        if recorded.applied.contains_key(&up_to.version) {
            adoption.already += 1;
            continue;
        }
        let newer = order.is_newer(&up_to.version);
        let missing = accepted.missing.has(&up_to.version);
        if !up_to.ran || newer || missing {
            adoption.items.push(Item {
                accepted: (up_to.ran && !newer).then_some("missing"),
                ..item(&up_to.version, None)
            });
        } else {
            adoption.problems.push(Problem::Missing {
                version: up_to.version.clone(),
                row: up_to.row.clone(),
            });
        }
    }
}

/// What `up` will run.
fn pending<'d>(
    directory: &'d MigrationDirectory,
    recorded: &Recorded,
    items: &[Item<'_>],
    known: &BTreeSet<Version>,
) -> Vec<&'d Migration> {
    let taken: BTreeSet<&Version> = items.iter().map(|item| &item.version).collect();
    let empty = recorded.applied.is_empty() && items.is_empty();
    let waits = |migration: &&Migration| {
        let version = &migration.version;
        let done = recorded.applied.contains_key(version) || taken.contains(version);
        // What a problem is about is not pending, and a checkpoint is for databases without a history.
        let problem = known.contains(version) && migration.repeat == Repeat::Never;
        !(done || problem || is_checkpoint(migration) && !empty)
    };
    directory.migrations.iter().filter(waits).collect()
}

/// Whether there is nothing else of its version than what makes it and all before it in one go.
fn is_checkpoint(migration: &Migration) -> bool {
    let checkpoint = migration.checkpoint.as_ref();
    checkpoint.is_some_and(|checkpoint| checkpoint.file_name == migration.up.file_name)
}

/// The order of a directory.
struct Order {
    places: HashMap<Version, usize>,
    newest: Option<Version>,
    /// Of the newest checkpoint.
    checkpoint: Option<Version>,
}

impl Order {
    fn new(directory: &MigrationDirectory) -> Self {
        let all = || directory.migrations.iter();
        let numbers = all()
            .map(|migration| &migration.version)
            .filter(|version| version.is_number());
        let checkpoints = all().filter(|migration| migration.checkpoint.is_some());
        // It may be called B10.
        let number = |migration: &Migration| {
            Version::parse(
                migration
                    .version_text
                    .trim_start_matches(|char: char| char.is_ascii_alphabetic()),
            )
        };
        Self {
            places: all()
                .enumerate()
                .map(|(place, migration)| (migration.version.clone(), place))
                .collect(),
            newest: numbers.max().cloned(),
            checkpoint: checkpoints.filter_map(number).max(),
        }
    }

    fn place(&self, version: &Version) -> (usize, Version) {
        let place = self.places.get(version).copied();
        (place.unwrap_or(usize::MAX), version.clone())
    }

    fn is_newer(&self, version: &Version) -> bool {
        self.newest.as_ref().is_none_or(|newest| version > newest)
    }

    fn is_below_checkpoint(&self, version: &Version) -> bool {
        version.is_number()
            && self
                .checkpoint
                .as_ref()
                .is_some_and(|checkpoint| version <= checkpoint)
    }
}
