//! `migrate baseline`: declares versions present without running them.

use jiff::Timestamp;

use super::attempt::AttemptError;
use super::inspect::{Recorded, read};
use super::run::Run;
use super::summaries::Summaries;
use super::transaction::fence;
use super::{FinishedMigration, Outcome, RunReport, Runner};
use crate::database::{CommitOutcome, Timeouts};
use crate::directory::{DirectorySource, Migration, MigrationDirectory, ScriptSummary};
use crate::error::{Refusal, RunError};
use crate::history::{AuditEntry, Checksums, Direction, HistoryRow, Origin, Version};
use crate::number::count;
use crate::plan::Conflict;

impl Runner {
    /// Records `version` and everything below it in the directory as present. With `dry_run` only reports.
    ///
    /// # Errors
    /// [`Refusal::HistoryNotEmpty`] when versions are recorded already, unless `replace` says to forget them;
    /// [`Refusal::NoFileForBaseline`] when files come before the version and it has none itself, unless `without_file`.
    pub async fn baseline(
        &self,
        directory: &DirectorySource,
        version: &Version,
        replace: bool,
        without_file: bool,
        dry_run: bool,
    ) -> Result<RunReport, RunError> {
        let (directory, session, recorded) = self.open_verified(directory).await?;
        if !without_file {
            refuse_without_file(&directory, version)?;
        }
        refuse_history(&directory, &recorded, replace)?;
        let rows = self.baseline_rows(&directory, version)?;
        if !dry_run {
            let mut run = self.lock(session, "migrate baseline").await?;
            let result = run
                .write_baseline(&directory, &rows, version, replace)
                .await;
            run.finish(result, |()| format!("migrate baseline: version {version}"))
                .await?;
        }
        Ok(RunReport {
            outcome: Outcome::Done,
            migrations: rows.iter().map(as_finished).collect(),
            left_for_later: Vec::new(),
            held: Vec::new(),
            blocked: Vec::new(),
            applied: rows.len(),
            newest: Some(version.clone()),
        })
    }

    fn baseline_rows(
        &self,
        directory: &MigrationDirectory,
        version: &Version,
    ) -> Result<Vec<HistoryRow>, RunError> {
        let mut summaries = Summaries::default();
        let now = Timestamp::now().to_string();
        let mut rows = Vec::new();
        let place = directory.place(version);
        if place.is_none() && !version.is_number() {
            return Err(Refusal::UnknownToDirectory(vec![version.clone()]).into());
        }
        let up_to = |migration: &&Migration| match place {
            Some(place) => directory.place(&migration.version) <= Some(place),
            None => migration.version <= *version,
        };
        for migration in directory.migrations.iter().filter(up_to) {
            let summary = summaries.of(self, &migration.up)?;
            rows.push(self.baseline_row(Some(migration), version, Some(summary), &now));
        }
        if directory.get(version).is_none() {
            rows.push(self.baseline_row(None, version, None, &now));
        }
        Ok(rows)
    }

    fn baseline_row(
        &self,
        migration: Option<&Migration>,
        version: &Version,
        summary: Option<&ScriptSummary>,
        now: &str,
    ) -> HistoryRow {
        let identity = &self.identity;
        HistoryRow {
            version: migration.map_or(version.clone(), |migration| migration.version.clone()),
            description: migration.map_or_else(
                || "baseline".to_owned(),
                |migration| migration.description.clone(),
            ),
            script: migration
                .map(|migration| migration.up.file_name.clone())
                .unwrap_or_default(),
            kind: summary.map(|summary| summary.kind).unwrap_or_default(),
            phase: summary.map(ScriptSummary::phase).unwrap_or_default(),
            unused_since: summary.and_then(ScriptSummary::unused_since),
            deployment: None,
            origin: Origin::Baseline,
            checksums: Checksums {
                normalized: migration
                    .map(|migration| migration.up.normalized.clone())
                    .unwrap_or_default(),
                raw: migration
                    .map(|migration| migration.up.raw.clone())
                    .unwrap_or_default(),
                sql: summary
                    .map(|summary| summary.sql_checksum.clone())
                    .unwrap_or_default(),
            },
            statements: 0,
            started_at: now.to_owned(),
            finished_at: now.to_owned(),
            duration_ms: 0,
            run_id: identity.run_id.clone(),
            release: identity.release.clone(),
            applied_by: format!("{}@{}", identity.actor, identity.host),
            tool_version: identity.tool_version.clone(),
        }
    }
}

impl Run<'_> {
    async fn write_baseline(
        &mut self,
        directory: &MigrationDirectory,
        rows: &[HistoryRow],
        version: &Version,
        replace: bool,
    ) -> Result<(), RunError> {
        // Another runner may have been first while this one waited for the lock.
        let recorded = read(self.session.as_mut()).await?;
        refuse_history(directory, &recorded, replace)?;
        let forgotten: Vec<Version> = recorded
            .applied
            .into_iter()
            .map(|row| row.version)
            .collect();
        let entry = AuditEntry {
            event: "baseline",
            version: Some(version.clone()),
            statement: None,
            attempt: None,
            message: format!(
                "declared {} up to {version} present without running them",
                count(rows.len(), "version")
            ),
            detail: match forgotten.is_empty() {
                true => serde_json::Value::Null,
                false => serde_json::json!({ "replaced": forgotten }),
            },
        };
        let rows = rows.to_vec();
        self.bookkeeping("recording the baseline", async |run| {
            for version in &forgotten {
                fence(run.session.record_reverted(&run.lease, version).await?)?;
            }
            for row in &rows {
                fence(run.session.record_applied(&run.lease, row).await?)?;
            }
            Ok(run.session.audit(std::slice::from_ref(&entry)).await?)
        })
        .await
    }

    /// Changes bookkeeping tables in a transaction of its own.
    pub(super) async fn bookkeeping(
        &mut self,
        doing: &'static str,
        change: impl AsyncFnOnce(&mut Self) -> Result<(), AttemptError>,
    ) -> Result<(), RunError> {
        let limits = Timeouts {
            lock: Some(self.runner.limits.ddl_lock_timeout),
            statement: None,
        };
        let wrapped = |error| RunError::Database { doing, error };
        self.session.begin(limits).await.map_err(wrapped)?;
        let changed = change(self).await;
        match changed {
            Ok(()) => {}
            Err(error) => {
                let _ = self.session.rollback().await;
                return Err(match error {
                    AttemptError::Database { error, .. } => wrapped(error),
                    _ => RunError::LeaseLost { version: None },
                });
            }
        }
        match self.session.commit().await {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::RolledBack(error) | CommitOutcome::Unknown(error) => Err(wrapped(error)),
        }
    }
}

/// A mistyped version would declare files present that are not, and make those to come late.
fn refuse_without_file(directory: &MigrationDirectory, version: &Version) -> Result<(), Refusal> {
    if directory.get(version).is_some() || !version.is_number() {
        return Ok(());
    }
    let numbers = directory.migrations.iter().map(|known| &known.version);
    let (before, after): (Vec<&Version>, Vec<&Version>) = numbers
        .filter(|known| known.is_number())
        .partition(|known| *known < version);
    match before.into_iter().max() {
        // The files of what is there already were thrown away, or there never were any.
        None => Ok(()),
        Some(before) => Err(Refusal::NoFileForBaseline {
            version: version.clone(),
            before: before.clone(),
            after: after.into_iter().min().cloned(),
        }),
    }
}

fn refuse_history(
    directory: &MigrationDirectory,
    recorded: &Recorded,
    replace: bool,
) -> Result<(), RunError> {
    if let Some(row) = recorded.journal.first() {
        return Err(RunError::Conflict(vec![Conflict::UnfinishedOther {
            version: row.version.clone(),
            script: row.script.clone(),
            direction: row.direction.as_str(),
        }]));
    }
    match directory.newest(recorded.applied.iter().map(|row| &row.version)) {
        Some(newest) if !replace => Err(Refusal::HistoryNotEmpty {
            newest: newest.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

fn as_finished(row: &HistoryRow) -> FinishedMigration {
    FinishedMigration {
        version: row.version.clone(),
        script: if row.script.is_empty() {
            format!("{} (no file)", row.version)
        } else {
            row.script.clone()
        },
        kind: row.kind,
        direction: Direction::Up,
        statements: 0,
        attempts: 0,
        seconds: 0.0,
    }
}
