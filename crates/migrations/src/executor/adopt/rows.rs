//! What is written of an adoption, and told: rows of the history, an entry of the audit, a report.

use jiff::{SignedDuration, Timestamp};

use super::super::Runner;
use super::super::other_history::OtherHistory;
use super::super::summaries::Summaries;
use super::{AdoptReport, AdoptedVersion};
use crate::directory::{MigrationDirectory, ScriptSummary};
use crate::error::RunError;
use crate::history::foreign::{Adoption, Item, PeerHistory};
use crate::history::{AuditEntry, Checksums, HistoryRow, Origin, Version};
use crate::number;

/// Longest texts of a row, in characters.
const DESCRIPTION_CHARACTERS: usize = 1000;
const NAME_CHARACTERS: usize = 512;

impl Runner {
    pub(super) fn history_rows(
        &self,
        peer: &dyn PeerHistory,
        items: &[Item<'_>],
    ) -> Result<Vec<HistoryRow>, RunError> {
        let mut summaries = Summaries::default();
        let now = Timestamp::now();
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            let summary = match item.migration {
                Some(migration) => Some(summaries.of(self, &migration.up)?),
                None => None,
            };
            rows.push(self.adopted_row(peer, item, summary, now));
        }
        Ok(rows)
    }

    fn adopted_row(
        &self,
        peer: &dyn PeerHistory,
        item: &Item<'_>,
        summary: Option<&ScriptSummary>,
        now: Timestamp,
    ) -> HistoryRow {
        let script = item.migration.map(|migration| &migration.up);
        let finished = item
            .facts
            .at
            .as_ref()
            .and_then(|at| at.parse::<Timestamp>().ok());
        let finished = finished.unwrap_or(now);
        let duration_ms = item
            .facts
            .duration_ms
            .filter(|duration| *duration > 0)
            .unwrap_or(0);
        let started = finished.checked_sub(SignedDuration::from_millis(duration_ms));
        let description = match item.migration {
            Some(migration) => &migration.description,
            None if item.description.is_empty() => &item.row,
            None => &item.description,
        };
        let applied_by = match &item.facts.by {
            Some(by) => format!("{by} ({})", peer.title()),
            None => peer.title().to_owned(),
        };
        let identity = &self.identity;
        HistoryRow {
            version: item.version.clone(),
            description: shortened(description, DESCRIPTION_CHARACTERS),
            script: script
                .map(|script| script.file_name.clone())
                .unwrap_or_default(),
            kind: summary.map(|summary| summary.kind).unwrap_or_default(),
            phase: summary.map(ScriptSummary::phase).unwrap_or_default(),
            unused_since: summary.and_then(ScriptSummary::unused_since),
            deployment: None,
            origin: Origin::Adopted,
            checksums: Checksums {
                normalized: script
                    .map(|script| script.normalized.clone())
                    .unwrap_or_default(),
                raw: script.map(|script| script.raw.clone()).unwrap_or_default(),
                sql: summary
                    .map(|summary| summary.sql_checksum.clone())
                    .unwrap_or_default(),
            },
            statements: 0,
            started_at: started.unwrap_or(finished).to_string(),
            finished_at: finished.to_string(),
            duration_ms,
            run_id: identity.run_id.clone(),
            release: identity.release.clone(),
            applied_by: shortened(&applied_by, NAME_CHARACTERS),
            tool_version: identity.tool_version.clone(),
        }
    }
}

pub(super) fn report(
    found: &OtherHistory,
    directory: &MigrationDirectory,
    adoption: &Adoption<'_>,
) -> AdoptReport {
    let version = |item: &Item<'_>| AdoptedVersion {
        version: item.version.clone(),
        script: item
            .migration
            .map(|migration| migration.up.file_name.clone()),
        row: item.row.clone(),
        applied_at: item.facts.at.clone(),
        applied_by: item.facts.by.clone(),
        verified: item.verified,
        accepted: item.accepted,
    };
    let pending = adoption.pending.iter();
    AdoptReport {
        tool: found.peer.name(),
        title: found.peer.title(),
        table: found.shown.clone(),
        layout: directory.layout,
        versions: adoption.items.iter().map(version).collect(),
        already: adoption.already,
        pending: pending
            .map(|migration| migration.up.file_name.clone())
            .collect(),
    }
}

pub(super) fn audit_entry(found: &OtherHistory, report: &AdoptReport) -> AuditEntry {
    let count = |test: fn(&AdoptedVersion) -> bool| {
        report
            .versions
            .iter()
            .filter(|version| test(version))
            .count()
    };
    let accepted = |word: &'static str| -> Vec<&Version> {
        let versions = report.versions.iter();
        let accepted = versions.filter(|version| version.accepted == Some(word));
        accepted.map(|version| &version.version).collect()
    };
    AuditEntry {
        event: "adopted",
        version: None,
        statement: None,
        attempt: None,
        message: format!(
            "took {} over from {} ({})",
            number::count(report.versions.len(), "version"),
            found.peer.title(),
            found.shown
        ),
        detail: serde_json::json!({
            "tool": report.tool,
            "table": report.table,
            "versions": report.versions.len(),
            "verified": count(|version| version.verified),
            "without_file": count(|version| version.script.is_none()),
            "accepted_changed": accepted("changed"),
            "accepted_missing": accepted("missing"),
            "already": report.already,
        }),
    }
}

fn shortened(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
