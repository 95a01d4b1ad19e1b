//! The second question of the gates for a contract migration that does not say `unused-since`.
//!
//! The release that brings the file is taken for the first that lives without what it takes away. A deployment had the
//! file if its directory ended with it or later.

use super::gate::{Evidence, was_started};
use super::hold::NotInRunning;
use super::{Deployment, HoldReason, last_completed};
use crate::history::Version;

/// Why it is held: a release that may run does not have the file. A database without a ledger has nothing to ask.
pub(super) fn not_in_running(
    version: &Version,
    evidence: &Evidence,
    current: Option<i64>,
) -> Option<HoldReason> {
    let deployments = &evidence.deployments;
    if deployments.is_empty() {
        return None;
    }
    let held = |running: Option<&Deployment>, because| {
        let running = running.map(|row| row.release.clone());
        Some(HoldReason::NotInRunning { running, because })
    };
    let last = last_completed(deployments);
    let started: Vec<&Deployment> = deployments
        .iter()
        .filter(|row| last.is_none_or(|last| row.id > last.id))
        .filter(|row| Some(row.id) != current && was_started(row))
        .collect();
    let without = |row: &&Deployment| has(row, version, evidence) != Some(true);
    match last.map(|last| has(last, version, evidence)) {
        Some(Some(true)) => {
            let row = started.iter().copied().find(without)?;
            held(Some(row), NotInRunning::Started)
        }
        Some(None) => held(last, NotInRunning::Unknown),
        None | Some(Some(false)) => match started.last().filter(|row| !without(row)) {
            Some(row) => held(Some(row), NotInRunning::NotClosed),
            None => held(last, NotInRunning::Older),
        },
    }
}

/// The first release that had the file; the one that is being deployed, if none had.
pub(super) fn first_with(version: &Version, evidence: &Evidence, release: &str) -> Option<String> {
    if evidence.deployments.is_empty() {
        return None;
    }
    let with = evidence
        .deployments
        .iter()
        .filter(|row| has(row, version, evidence) == Some(true));
    let first = with.min_by_key(|row| row.id).map(|row| row.release.clone());
    first.or_else(|| (!release.is_empty()).then(|| release.to_owned()))
}

/// Whether the directory of a deployment had the file; `None` where that cannot be told: names have no order, and a
/// number that is older than what is applied may have come later.
fn has(row: &Deployment, version: &Version, evidence: &Evidence) -> Option<bool> {
    let newest = row.directory_version.as_ref()?;
    if !version.is_number() {
        return None;
    }
    if newest < version {
        return Some(false);
    }
    let mut applied = evidence.applied.keys();
    let came_late = applied.any(|applied| applied.is_number() && applied > version);
    (!came_late).then_some(true)
}
