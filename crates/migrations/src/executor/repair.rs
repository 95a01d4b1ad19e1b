//! `migrate repair`: what only a person can decide, on the record.

use super::Runner;
use super::inspect::{Recorded, read};
use super::run::Run;
use super::summaries::Summaries;
use super::transaction::fence;
use crate::directory::{DirectorySource, MigrationDirectory};
use crate::error::{Refusal, RunError};
use crate::history::{AuditEntry, Checksums, JournalRow, Version};
use crate::number::count;
use crate::plan;

/// What to decide about a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Record the checksums that the file of an applied version has now.
    AcceptChange,
    /// The statement in doubt took effect (`true`), or did not.
    Settle(bool),
    /// Forget how far an unfinished attempt came: the next run starts it from its first statement.
    StartOver,
}

impl Runner {
    /// Repairs one version; returns one sentence on what was done.
    ///
    /// # Errors
    /// [`Refusal::NothingToRepair`] when the version does not need it.
    pub async fn repair(
        &self,
        directory: &DirectorySource,
        version: &Version,
        repair: Repair,
        dry_run: bool,
    ) -> Result<String, RunError> {
        let (directory, session) = self.open(directory).await?;
        if dry_run {
            let mut session = session;
            let recorded = read(session.as_mut()).await?;
            return match repair {
                Repair::AcceptChange => Ok(format!(
                    "would record the present checksums of version {version}"
                )),
                Repair::Settle(_) | Repair::StartOver => {
                    unfinished(&recorded.journal, version)?;
                    Ok(format!("would change the journal of version {version}"))
                }
            };
        }
        let mut run = self.lock(session, "migrate repair").await?;
        let result = match repair {
            Repair::AcceptChange => run.accept_change(&directory, version).await,
            Repair::Settle(done) => run.settle_by_hand(version, done).await,
            Repair::StartOver => run.start_over(version).await,
        };
        run.finish(result, Clone::clone).await
    }

    /// Records the present text of all files that were changed in comments or layout only; returns one sentence on what
    /// was done.
    ///
    /// # Errors
    /// [`Refusal::NothingToRepair`] when there is none.
    pub async fn accept_comments(
        &self,
        directory: &DirectorySource,
        dry_run: bool,
    ) -> Result<String, RunError> {
        let (directory, mut session) = self.open(directory).await?;
        if dry_run {
            let recorded = read(session.as_mut()).await?;
            let changed = self.changed_comments(&directory, &recorded)?.len();
            return Ok(format!(
                "would record the present text of {}",
                files(changed)
            ));
        }
        let mut run = self.lock(session, "migrate repair").await?;
        let result = run.accept_comments(&directory).await;
        run.finish(result, Clone::clone).await
    }

    /// The versions whose files were changed so, with the digests of today.
    fn changed_comments(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
    ) -> Result<Vec<(Version, Checksums)>, RunError> {
        let comparison = plan::compare(directory, &recorded.applied, true);
        let mut summaries = Summaries::default();
        let mut changed = Vec::new();
        for (migration, row) in comparison.changed {
            let script = plan::script_of(migration, row);
            // A file that cannot even be split any more has other SQL.
            let Ok(summary) = summaries.of(self, script) else {
                continue;
            };
            if summary.sql_checksum == row.checksums.sql {
                let now = Checksums {
                    normalized: script.normalized.clone(),
                    raw: script.raw.clone(),
                    sql: summary.sql_checksum.clone(),
                };
                changed.push((row.version.clone(), now));
            }
        }
        if changed.is_empty() {
            let message = "no file was changed in comments or layout only".to_owned();
            return Err(Refusal::NothingToRepair(message).into());
        }
        Ok(changed)
    }
}

/// `1 file`, `2 files`.
fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        _ => format!("{count} files"),
    }
}

impl Run<'_> {
    async fn accept_comments(
        &mut self,
        directory: &MigrationDirectory,
    ) -> Result<String, RunError> {
        let recorded = read(self.session.as_mut()).await?;
        let changed = self.runner.changed_comments(directory, &recorded)?;
        let history = self.session.history().await;
        let mut rows = history.map_err(|error| RunError::Database {
            doing: "reading the history",
            error,
        })?;
        rows.retain(|row| changed.iter().any(|(version, _)| *version == row.version));
        let mut entries = Vec::new();
        for row in &mut rows {
            let now = changed.iter().find(|(version, _)| *version == row.version);
            let Some((version, checksums)) = now else {
                continue;
            };
            let before = std::mem::replace(&mut row.checksums, checksums.clone());
            if let Some(migration) = directory.get(version) {
                row.script.clone_from(&migration.up.file_name);
            }
            entries.push(entry(
                version,
                format!("recorded the present text of {}, the same SQL", row.script),
                serde_json::json!({ "before": before, "after": row.checksums }),
            ));
        }
        self.bookkeeping("recording the checksums", async |run| {
            for row in &rows {
                fence(run.session.record_checksums(&run.lease, row).await?)?;
            }
            Ok(run.session.audit(&entries).await?)
        })
        .await?;
        Ok(format!(
            "recorded the present text of {}",
            files(rows.len())
        ))
    }

    async fn accept_change(
        &mut self,
        directory: &MigrationDirectory,
        version: &Version,
    ) -> Result<String, RunError> {
        let reading = |error| RunError::Database {
            doing: "reading the history",
            error,
        };
        let rows = self.session.history().await.map_err(reading)?;
        let Some(mut row) = rows.into_iter().find(|row| row.version == *version) else {
            return Err(
                Refusal::NothingToRepair(format!("version {version} is not applied")).into(),
            );
        };
        let Some(migration) = directory.get(version) else {
            return Err(Refusal::NothingToRepair(format!(
                "the directory has no file for version {version}"
            ))
            .into());
        };
        if row.checksums.normalized == migration.up.normalized {
            return Err(Refusal::NothingToRepair(format!(
                "{} is what was applied",
                migration.up.file_name
            ))
            .into());
        }
        let mut summaries = Summaries::default();
        let summary = summaries.of(self.runner, &migration.up)?;
        let before = std::mem::replace(
            &mut row.checksums,
            Checksums {
                normalized: migration.up.normalized.clone(),
                raw: migration.up.raw.clone(),
                sql: summary.sql_checksum.clone(),
            },
        );
        row.script.clone_from(&migration.up.file_name);
        let message = format!(
            "recorded the present text of {} as what was applied",
            migration.up.file_name
        );
        let entry = entry(
            version,
            message.clone(),
            serde_json::json!({ "before": before, "after": row.checksums }),
        );
        self.bookkeeping("recording the checksums", async |run| {
            fence(run.session.record_checksums(&run.lease, &row).await?)?;
            Ok(run.session.audit(std::slice::from_ref(&entry)).await?)
        })
        .await?;
        Ok(message)
    }

    async fn settle_by_hand(&mut self, version: &Version, done: bool) -> Result<String, RunError> {
        let recorded = read(self.session.as_mut()).await?;
        let mut row = unfinished(&recorded.journal, version)?.clone();
        let Some(in_doubt) = &mut row.in_doubt else {
            let message = format!(
                "no statement of version {version} is in doubt; `forerun migrate up` goes on after statement {}",
                row.statements_done
            );
            return Err(Refusal::NothingToRepair(message).into());
        };
        in_doubt.answer = Some(done);
        let statement = in_doubt.statement;
        let message = format!(
            "statement {statement} of {} is declared {}; the next run {} it",
            row.script,
            if done { "done" } else { "not done" },
            if done { "goes on after" } else { "repeats" }
        );
        let entry = AuditEntry {
            statement: Some(statement),
            ..entry(version, message.clone(), serde_json::Value::Null)
        };
        self.bookkeeping("recording the answer", async |run| {
            fence(run.session.write_journal(&run.lease, &row).await?)?;
            Ok(run.session.audit(std::slice::from_ref(&entry)).await?)
        })
        .await?;
        Ok(message)
    }

    async fn start_over(&mut self, version: &Version) -> Result<String, RunError> {
        let recorded = read(self.session.as_mut()).await?;
        let row = unfinished(&recorded.journal, version)?;
        let message = format!(
            "forgot what was done of {} ({}); the next run starts it from its first statement",
            row.script,
            count(row.statements_done, "statement")
        );
        let entry = entry(
            version,
            message.clone(),
            serde_json::json!({ "journal": row }),
        );
        self.bookkeeping("clearing the journal", async |run| {
            fence(run.session.clear_journal(&run.lease, version).await?)?;
            Ok(run.session.audit(std::slice::from_ref(&entry)).await?)
        })
        .await?;
        Ok(message)
    }
}

fn unfinished<'a>(journal: &'a [JournalRow], version: &Version) -> Result<&'a JournalRow, Refusal> {
    journal
        .iter()
        .find(|row| row.version == *version)
        .ok_or_else(|| {
            Refusal::NothingToRepair(format!("version {version} has no unfinished attempt"))
        })
}

fn entry(version: &Version, message: String, detail: serde_json::Value) -> AuditEntry {
    AuditEntry {
        event: "repair",
        version: Some(version.clone()),
        statement: None,
        attempt: None,
        message,
        detail,
    }
}
