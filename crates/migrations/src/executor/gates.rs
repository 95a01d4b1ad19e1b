//! Holding contract migrations back: reads the evidence, asks the gates, and says where a run stops.

use std::collections::HashMap;

use super::Runner;
use super::connect::run_entry;
use super::summaries::Summaries;
use super::up::UpOptions;
use crate::database::Session;
use crate::directory::{ContractConditions, MigrationDirectory, Repeat, ScriptSummary};
use crate::error::RunError;
use crate::event::Event;
use crate::history::{AuditEntry, HistoryRow, Phase, Version};
use crate::ledger::{self, Candidate, ClientSessions, Earlier, Evidence, HoldReason};
use crate::plan::{self, Held, HeldReason, Pending};

/// How the gates are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness {
    /// What is not known holds.
    pub strict: bool,
    /// Without a release a contract migration is held.
    pub needs_release: bool,
    /// Nothing is held.
    pub overridden: bool,
}

impl Strictness {
    pub fn of(options: &UpOptions) -> Self {
        Self {
            strict: options.strict,
            needs_release: true,
            overridden: options.accept_downtime.is_some(),
        }
    }
}

/// The answer for all pending migrations.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Contract migrations that must wait, in order.
    pub held: Vec<Held>,
    /// Those that would have to wait and run all the same.
    pub overridden: Vec<Held>,
    /// Index of the pending migration before which a run stops.
    pub stop: Option<usize>,
    /// Of contract migrations that do not say it: the first release that lives without what they take away.
    pub unused_since: HashMap<Version, String>,
}

impl Runner {
    /// Asks the gates for every contract migration among `pending`, whose scripts have been read. Asks the database
    /// nothing when there is none.
    pub(super) async fn judge(
        &self,
        directory: &MigrationDirectory,
        pending: &[Pending<'_>],
        summaries: &mut Summaries,
        session: &mut dyn Session,
        strictness: Strictness,
    ) -> Result<Judged, RunError> {
        let mut judged = Judged::default();
        let conditions = |summaries: &Summaries, index: usize| {
            let script = pending.get(index)?.script;
            summaries.known(script)?.contract.clone()
        };
        let contracts: Vec<_> = (0..pending.len())
            .filter_map(|index| Some((index, conditions(summaries, index)?)))
            .collect();
        if contracts.is_empty() {
            return Ok(judged);
        }
        let (evidence, mut phases) = self.evidence(directory, session, strictness).await?;
        for waiting in pending {
            let summary = summaries.known(waiting.script);
            let phase = summary.map(ScriptSummary::phase).unwrap_or_default();
            phases.insert(waiting.migration.version.clone(), phase);
        }
        for (index, conditions) in contracts {
            let Some(waiting) = pending.get(index) else {
                continue;
            };
            let version = &waiting.migration.version;
            let place = directory.place(version).unwrap_or(usize::MAX);
            let (before, not_before) = split(directory, place, &phases);
            let stop = judged.stop.and_then(|stop| {
                let pending = pending.get(stop..index)?;
                let versions = pending.iter().map(|pending| &pending.migration.version);
                let script = pending.first()?.script;
                Some((script.file_name.as_str(), versions.collect()))
            });
            let candidate = Candidate {
                version,
                conditions: &conditions,
                before,
                not_before,
                stop,
            };
            let verdict = ledger::evaluate(&candidate, &evidence);
            if let Some(first) = verdict.unused_since {
                judged.unused_since.insert(version.clone(), first);
            }
            for warning in verdict.warnings {
                if summaries.tell(&warning) {
                    self.warn("sessions_unknown", warning);
                }
            }
            if verdict.holds.is_empty() {
                continue;
            }
            let held = held(
                waiting,
                verdict.holds,
                match judged.stop {
                    // What stands behind one that is held already waits for that one.
                    Some(_) => Vec::new(),
                    None => needed_behind(pending, index, summaries),
                },
                &conditions,
            );
            if strictness.overridden {
                judged.overridden.push(held);
            } else {
                judged.stop.get_or_insert(index);
                judged.held.push(held);
            }
        }
        Ok(judged)
    }

    /// What the gates judge by, and the phases of what is applied.
    async fn evidence(
        &self,
        directory: &MigrationDirectory,
        session: &mut dyn Session,
        strictness: Strictness,
    ) -> Result<(Evidence, HashMap<Version, Phase>), RunError> {
        let reading = |error| RunError::Database {
            doing: "reading the ledger",
            error,
        };
        let history = session.history().await.map_err(reading)?;
        let deployments = session.deployments().await.map_err(reading)?;
        let sessions = match history.is_empty() {
            // A new database waives the gates, whoever is connected.
            true => ClientSessions::Known(Vec::new()),
            false => session.client_sessions().await.map_err(reading)?,
        };
        let phases = history.iter().map(|row| (row.version.clone(), row.phase));
        let phases = phases.collect();
        let stand_ins = stand_ins(directory, &history);
        let applied = history.into_iter().map(|row| {
            let earlier = Earlier {
                deployment: row.deployment,
                finished_at: row.finished_at,
            };
            (row.version, earlier)
        });
        let evidence = Evidence {
            release: self.identity.release.clone(),
            needs_release: strictness.needs_release,
            strict: strictness.strict,
            deployments,
            applied: applied.collect(),
            stand_ins,
            sessions,
        };
        Ok((evidence, phases))
    }

    /// Tells what is held.
    pub(super) fn tell_held(&self, held: &[Held]) {
        for one in held {
            self.events.emit(&Event::Held {
                version: one.version.clone(),
                script: one.script.clone(),
                reasons: one.reasons.clone(),
                waiting: one.waiting.clone(),
            });
        }
    }

    /// Tells what runs although it should wait.
    pub(super) fn tell_overridden(&self, overridden: &[Held], reason: &str) {
        for one in overridden {
            self.events.emit(&Event::GateOverridden {
                version: one.version.clone(),
                script: one.script.clone(),
                reason: reason.to_owned(),
                gates: one.reasons.clone(),
            });
        }
    }
}

/// A contract migration that is held, with what waits behind it.
fn held(
    pending: &Pending<'_>,
    reasons: Vec<HoldReason>,
    waiting: Vec<String>,
    conditions: &ContractConditions,
) -> Held {
    let script = pending.script.file_name.clone();
    let blocks = !waiting.is_empty();
    let advice = waiting.last().map(|last| {
        if !reasons.iter().any(HoldReason::needs_this_release) {
            return "Do first what is missing, and run this again.".to_owned();
        }
        let skipped = match conditions.unused_since {
            Some(_) => "",
            None => " Where this environment has skipped a release, deploy that one first.",
        };
        format!(
            "{script} cannot run before this release has been rolled out, and this release needs what is behind it: give \
             {script} a version after {last}, or leave it to the next release.{skipped}"
        )
    });
    let reasons = reasons.into_iter();
    Held {
        version: pending.migration.version.clone(),
        script,
        reasons: reasons
            .map(|reason| HeldReason::new(reason, blocks))
            .collect(),
        waiting,
        advice,
    }
}

/// What of the pending migrations after a place the release needs: all that takes nothing away, but for what runs every
/// time and has run before.
fn needed_behind(pending: &[Pending<'_>], place: usize, summaries: &Summaries) -> Vec<String> {
    let behind = pending.iter().skip(place + 1);
    let needed = behind.filter(|one| {
        let summary = summaries.known(one.script);
        let phase = summary.map(ScriptSummary::phase).unwrap_or_default();
        let every_time = one.again && one.migration.repeat == Repeat::Always;
        phase == Phase::Expand && !every_time
    });
    needed.map(|one| one.script.file_name.clone()).collect()
}

/// What tells how the migrations came here that have no row: those before the first file of the directory, which some
/// other file stands for, and those that a baseline or a checkpoint covers.
fn stand_ins(directory: &MigrationDirectory, history: &[HistoryRow]) -> Vec<(Version, Earlier)> {
    let numbers = directory
        .migrations
        .iter()
        .map(|migration| &migration.version);
    let oldest = numbers.filter(|version| version.is_number()).min();
    let oldest = oldest.and_then(|oldest| history.iter().find(|row| row.version == *oldest));
    let covering = history
        .iter()
        .filter(|row| plan::covers(directory, &row.version, row.origin, &row.script))
        .max_by(|one, other| one.version.cmp(&other.version));
    let mut rows: Vec<&HistoryRow> = oldest.into_iter().chain(covering).collect();
    rows.sort_by(|one, other| one.version.cmp(&other.version));
    rows.into_iter()
        .map(|row| {
            let earlier = Earlier {
                deployment: row.deployment,
                finished_at: row.finished_at.clone(),
            };
            (row.version.clone(), earlier)
        })
        .collect()
}

/// What comes before a place of the directory and is applied or pending, and what does not come before it. What runs
/// again and again is not among the former: its last run says nothing.
fn split<'a>(
    directory: &'a MigrationDirectory,
    place: usize,
    phases: &HashMap<Version, Phase>,
) -> (Vec<(&'a Version, Phase)>, Vec<&'a Version>) {
    let mut before = Vec::new();
    let mut not_before = Vec::new();
    for migration in &directory.migrations {
        let version = &migration.version;
        if directory.place(version).unwrap_or(usize::MAX) >= place {
            not_before.push(version);
        } else if migration.repeat == Repeat::Never
            && let Some(phase) = phases.get(version)
        {
            before.push((version, *phase));
        }
    }
    (before, not_before)
}

/// Entries for the audit about what is held.
pub(super) fn held_entries(held: &[Held]) -> Vec<AuditEntry> {
    held.iter()
        .map(|one| AuditEntry {
            version: Some(one.version.clone()),
            ..run_entry(
                "migration.held",
                format!("{} is held: {}", one.script, one.sentences()),
                serde_json::json!({ "reasons": one.reasons, "waiting": one.waiting }),
            )
        })
        .collect()
}

/// Entries for the audit about what runs although it should wait.
pub(super) fn overridden_entries(overridden: &[Held], reason: &str) -> Vec<AuditEntry> {
    overridden
        .iter()
        .map(|one| AuditEntry {
            version: Some(one.version.clone()),
            ..run_entry(
                "override.accept_downtime",
                format!("{} runs although it should wait: {reason}", one.script),
                serde_json::json!({ "reason": reason, "gates": one.reasons }),
            )
        })
        .collect()
}
