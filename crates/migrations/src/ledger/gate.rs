//! What a contract migration waits for.
//!
//! Four questions, all answered from evidence that was read before:
//!
//! 1. Does a whole rollout lie between what it takes back and itself? Every migration it names with `after` must have
//!    been applied in an earlier deployment, and a deployment that knew that migration must have been completed since.
//!    Without `after` these are all `expand` migrations before it in the directory: whatever it takes away, the
//!    application learned to do without it by one of them. Contract migrations before it do not count, so that several
//!    of them may come in one release.
//! 2. Is the release that runs now at least `unused-since`? It is the one of the last completed deployment; the release
//!    that is being deployed, and those that were started since and never closed, must be as new. Without `unused-since`
//!    the release that brings the file is the first that lives without what it takes away: the one that runs must have
//!    had the file in its directory.
//! 3. Is no session connected that calls itself older? A session tells its release as `service@release` in
//!    `application_name` (PostgreSQL) or `program_name` (MySQL).
//! 4. Backfills it depends on: there are none yet; they become one more [`HoldReason`].
//!
//! A database without a history waives all of them: nothing runs against it yet.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::release::{by_names, order};
use super::{
    Deployment, DeploymentStatus, HoldReason, brought, last_completed, newest, same_release,
};
use crate::directory::ContractConditions;
use crate::history::{Phase, Version};

/// Sessions that are connected, besides our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientSessions {
    /// These.
    Known(Vec<ClientSession>),
    /// It cannot be told, and why not.
    Unknown(String),
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientSession {
    /// Server-side id.
    pub backend: String,
    /// Its database user.
    pub user: String,
    /// What it calls itself.
    pub application: String,
    /// Where it comes from.
    pub client: String,
}

impl ClientSession {
    /// The release it is tagged with: what follows the last `@` of its name.
    pub fn release(&self) -> Option<&str> {
        let (_, release) = self.application.rsplit_once('@')?;
        Some(release.trim()).filter(|release| !release.is_empty())
    }
}

/// How an earlier migration came into the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The deployment that applied it, if one was open.
    pub deployment: Option<i64>,
    /// When, RFC 3339.
    pub finished_at: String,
}

/// What the gates are judged by.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The release that is being deployed.
    pub release: Option<String>,
    /// Whether a release must be given for a contract migration to run.
    pub needs_release: bool,
    /// What is not known holds, too.
    pub strict: bool,
    /// All deployments.
    pub deployments: Vec<Deployment>,
    /// What is applied.
    pub applied: HashMap<Version, Earlier>,
    /// Versions up to which everything is there without a row of its own, the lowest first: what came before the first
    /// file of the directory, or before a baseline.
    pub stand_ins: Vec<(Version, Earlier)>,
    /// Who is connected.
    pub sessions: ClientSessions,
}

impl Evidence {
    /// How a migration that is applied came there.
    fn earlier(&self, version: &Version) -> Option<&Earlier> {
        self.applied.get(version).or_else(|| {
            let mut stand_ins = self.stand_ins.iter();
            let stands = stand_ins.find(|(up_to, _)| version.is_number() && version <= up_to);
            stands.map(|(_, earlier)| earlier)
        })
    }
}

/// A contract migration that is pending.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Its version.
    pub version: &'a Version,
    /// Its conditions.
    pub conditions: &'a ContractConditions,
    /// The migrations before it in the directory.
    pub before: Vec<(&'a Version, Phase)>,
    /// Those after it, and itself.
    pub not_before: Vec<&'a Version>,
    /// One before it that is held already, and what is pending from there to this one.
    pub stop: Option<(&'a str, Vec<&'a Version>)>,
}

/// The answer of the gates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Why it is held; it may run when there is nothing.
    pub holds: Vec<HoldReason>,
    /// What could not be found out and does not hold it.
    pub warnings: Vec<String>,
    /// Where the migration does not say it: the first release that had its file, which lives without what it takes away.
    pub unused_since: Option<String>,
}

/// Judges one contract migration.
pub fn evaluate(candidate: &Candidate<'_>, evidence: &Evidence) -> Verdict {
    if is_fresh(evidence) {
        return Verdict::default();
    }
    let Some(release) = evidence
        .release
        .as_deref()
        .or((!evidence.needs_release).then_some(""))
    else {
        return Verdict {
            holds: vec![HoldReason::NoRelease],
            ..Verdict::default()
        };
    };
    let mut verdict = Verdict::default();
    rollout_between(candidate, evidence, release, &mut verdict.holds);
    match &candidate.conditions.unused_since {
        Some(unused_since) => {
            release_that_runs(unused_since, evidence, release, &mut verdict.holds);
        }
        None => {
            let current = reused(evidence, release);
            let held = brought::not_in_running(candidate.version, evidence, current);
            verdict.holds.extend(held);
            verdict.unused_since = brought::first_with(candidate.version, evidence, release);
        }
    }
    sessions(candidate, evidence, &mut verdict);
    verdict
}

/// Whether nothing can run against this database yet: it has no history, or only what the first deployment has applied,
/// whose migrations have never all ended well.
fn is_fresh(evidence: &Evidence) -> bool {
    if evidence.applied.is_empty() {
        return true;
    }
    let [only] = evidence.deployments.as_slice() else {
        return false;
    };
    only.migrated_at.is_none()
        && only.completed_at.is_none()
        && evidence
            .applied
            .values()
            .all(|earlier| earlier.deployment == Some(only.id))
}

/// The row that this run uses again, if it does: the newest one, while it is of the same release and not closed.
fn reused(evidence: &Evidence, release: &str) -> Option<i64> {
    newest(&evidence.deployments)
        .filter(|latest| same_release(&latest.release, release))
        .filter(|latest| {
            matches!(
                latest.status,
                DeploymentStatus::Open | DeploymentStatus::Failed
            )
        })
        .map(|latest| latest.id)
}

/// The first question.
fn rollout_between(
    candidate: &Candidate<'_>,
    evidence: &Evidence,
    release: &str,
    holds: &mut Vec<HoldReason>,
) {
    let current = reused(evidence, release);
    let named = &candidate.conditions.after;
    let wanted: Vec<&Version> = match named.is_empty() {
        true => candidate
            .before
            .iter()
            .filter(|(_, phase)| *phase == Phase::Expand)
            .map(|(version, _)| *version)
            .collect(),
        false => named.iter().collect(),
    };
    let mut unknown = Vec::new();
    let mut same = Vec::new();
    let mut behind = Vec::new();
    let waits = |version: &Version| {
        let stop = candidate.stop.as_ref();
        stop.is_some_and(|(_, pending)| pending.contains(&version))
    };
    let mut incomplete: Vec<(&Version, Option<i64>)> = Vec::new();
    for version in wanted {
        let applied = evidence.earlier(version);
        let is_before = candidate
            .before
            .iter()
            .any(|(before, _)| *before == version);
        match applied {
            _ if candidate.not_before.contains(&version) => unknown.push(version.clone()),
            None if waits(version) => behind.push(version.clone()),
            None if is_before => same.push(version.clone()),
            None => unknown.push(version.clone()),
            Some(earlier) if current.is_some() && earlier.deployment == current => {
                same.push(version.clone());
            }
            Some(earlier) if was_rolled_out(version, earlier, evidence, current) => {}
            Some(earlier) => incomplete.push((version, earlier.deployment)),
        }
    }
    if !unknown.is_empty() {
        holds.push(HoldReason::UnknownMigration { versions: unknown });
    }
    if let Some((script, _)) = candidate.stop.as_ref().filter(|_| !behind.is_empty()) {
        holds.push(HoldReason::Behind {
            versions: behind,
            script: (*script).to_owned(),
        });
    }
    if !same.is_empty() {
        let skipped = candidate
            .conditions
            .unused_since
            .as_ref()
            .filter(|unused_since| !release.is_empty() && !same_release(unused_since, release));
        holds.push(HoldReason::SameDeployment {
            versions: same,
            deploy_first: skipped.cloned(),
        });
    }
    if let Some((_, deployment)) = incomplete.last() {
        let release = evidence
            .deployments
            .iter()
            .find(|row| Some(row.id) == *deployment)
            .map(|row| row.release.clone());
        let versions = incomplete.iter().map(|(version, _)| (*version).clone());
        holds.push(HoldReason::NotCompleted {
            versions: versions.collect(),
            release,
        });
    }
}

/// Whether a deployment that knew `version` was completed after it was applied, before the current one.
fn was_rolled_out(
    version: &Version,
    earlier: &Earlier,
    evidence: &Evidence,
    current: Option<i64>,
) -> bool {
    let since = |row: &Deployment| match earlier.deployment {
        Some(deployment) => row.id >= deployment,
        // Applied by a run without a release: the deployment must have begun after it.
        None => is_later(&row.started_at, &earlier.finished_at),
    };
    // A rollback to a directory without it shows nothing.
    let knew = |row: &Deployment| match &row.directory_version {
        Some(newest) if version.is_number() => version <= newest,
        _ => true,
    };
    evidence.deployments.iter().any(|row| {
        row.status == DeploymentStatus::Completed
            && current.is_none_or(|current| row.id < current)
            && since(row)
            && knew(row)
    })
}

/// Whether a time is at least as late as another; no, when one cannot be read.
fn is_later(time: &str, than: &str) -> bool {
    match (time.parse::<Timestamp>(), than.parse::<Timestamp>()) {
        (Ok(time), Ok(than)) => time >= than,
        _ => false,
    }
}

/// The second question.
fn release_that_runs(
    unused_since: &str,
    evidence: &Evidence,
    release: &str,
    holds: &mut Vec<HoldReason>,
) {
    let deployments = &evidence.deployments;
    let another = release.is_empty() || !same_release(unused_since, release);
    let deploy_first = another.then(|| unused_since.to_owned());
    let Some(last) = last_completed(deployments) else {
        holds.push(HoldReason::NothingCompleted {
            unused_since: unused_since.to_owned(),
            deploy_first,
        });
        return;
    };
    let was_completed = || {
        deployments.iter().any(|row| {
            row.status == DeploymentStatus::Completed && same_release(&row.release, unused_since)
        })
    };
    let unused_since = unused_since.to_owned();
    let is_told = by_names(&last.release, &unused_since).is_some();
    if !is_told && !was_completed() {
        holds.push(HoldReason::NeverCompleted {
            unused_since,
            deploy_first,
        });
        return;
    }
    let is_older =
        |release: &str| order(release, &unused_since, deployments) == Some(Ordering::Less);
    if is_older(&last.release) {
        holds.push(HoldReason::StillUsed {
            running: last.release.clone(),
            unused_since: unused_since.clone(),
            deploy_first,
        });
    }
    let current = reused(evidence, release);
    let started_since = deployments
        .iter()
        .filter(|row| row.id > last.id && Some(row.id) != current)
        .filter(|row| was_started(row))
        .find(|row| is_older(&row.release));
    if let Some(row) = started_since {
        holds.push(HoldReason::MayStillRun {
            release: row.release.clone(),
            unused_since: unused_since.clone(),
        });
    }
    if !release.is_empty() && is_older(release) {
        holds.push(HoldReason::UsedByThisRelease {
            release: release.to_owned(),
            unused_since: unused_since.clone(),
        });
    }
}

/// Whether the migrations of a deployment that is not closed ended well once, so that its release may run. What failed
/// later, when it was run again, does not end it.
pub(super) fn was_started(row: &Deployment) -> bool {
    let unclosed = matches!(
        row.status,
        DeploymentStatus::Open | DeploymentStatus::Failed
    );
    unclosed && row.migrated_at.is_some()
}

/// The third question.
fn sessions(candidate: &Candidate<'_>, evidence: &Evidence, verdict: &mut Verdict) {
    let deployments = &evidence.deployments;
    let running = || last_completed(deployments).map(|last| last.release.clone());
    let unused_since = candidate.conditions.unused_since.clone();
    let first = verdict
        .unused_since
        .clone()
        .filter(|_| verdict.holds.is_empty());
    let Some(at_least) = unused_since.or(first).or_else(running) else {
        return;
    };
    let known = match &evidence.sessions {
        ClientSessions::Known(known) => known,
        ClientSessions::Unknown(why) => {
            let message = format!("which releases are connected cannot be told: {why}");
            return unknown(evidence, verdict, message);
        }
    };
    let mut old = Vec::new();
    let mut untold = Vec::new();
    let mut strange = Vec::new();
    for session in known {
        match session
            .release()
            .map(|release| order(release, &at_least, deployments))
        {
            Some(Some(Ordering::Less)) => old.push(session.clone()),
            Some(Some(_)) => {}
            Some(None) => strange.push(session),
            None => untold.push(session),
        }
    }
    if !old.is_empty() {
        verdict.holds.push(HoldReason::OldSessions {
            at_least: at_least.clone(),
            sessions: old,
        });
    }
    let sessions = |number: usize| match number {
        1 => "1 session is".to_owned(),
        number => format!("{number} sessions are"),
    };
    if let Some(first) = untold.first() {
        let application = match first.application.as_str() {
            "" => "without a name".to_owned(),
            name => format!("`{name}`"),
        };
        let message = format!(
            "{} connected without telling a release, such as {application} of {} ({}); name sessions service@release",
            sessions(untold.len()),
            first.user,
            first.backend,
        );
        unknown(evidence, verdict, message);
    }
    if let Some(first) = strange.first() {
        let message = format!(
            "{} connected whose release the ledger does not know, such as `{}` of {} ({}): whether it is older than \
             {at_least} cannot be told",
            sessions(strange.len()),
            first.application,
            first.user,
            first.backend,
        );
        unknown(evidence, verdict, message);
    }
}

fn unknown(evidence: &Evidence, verdict: &mut Verdict, message: String) {
    if evidence.strict {
        verdict
            .holds
            .push(HoldReason::UnknownSessions { known: message });
    } else {
        verdict.warnings.push(message);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
