//! Holding contract migrations back: reads the evidence, asks the gates, and says where a run stops.

use std::collections::HashMap;

use super::Runner;
use super::connect::run_entry;
use super::inspect::Summaries;
use super::up::UpOptions;
use crate::database::Session;
use crate::directory::{MigrationDirectory, Repeat, ScriptSummary};
use crate::error::RunError;
use crate::event::Event;
use crate::history::{AuditEntry, Phase, Version};
use crate::ledger::{self, Candidate, ClientSessions, Earlier, Evidence};
use crate::plan::{Held, HeldReason, Pending};

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
        let (evidence, mut phases) = self.evidence(session, strictness).await?;
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
            let candidate = Candidate {
                conditions: &conditions,
                before,
                not_before,
            };
            let verdict = ledger::evaluate(&candidate, &evidence);
            for warning in verdict.warnings {
                if summaries.tell(&warning) {
                    self.warn("sessions_unknown", warning);
                }
            }
            if verdict.holds.is_empty() {
                continue;
            }
            let held = Held {
                version: version.clone(),
                script: waiting.script.file_name.clone(),
                reasons: verdict.holds.into_iter().map(HeldReason::from).collect(),
            };
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
                serde_json::json!({ "reasons": one.reasons }),
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
