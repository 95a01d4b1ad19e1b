//! `migrate down`: down scripts, newest first.

use super::inspect::read;
use super::past::unfinished_conflicts;
use super::summaries::Summaries;
use super::{Outcome, RunReport, Runner};
use crate::directory::{DirectorySource, MigrationDirectory, Repeat};
use crate::error::{Refusal, RunError};
use crate::event::Event;
use crate::history::{AppliedVersion, Direction, JournalRow, Version};
use crate::number::count;
use crate::plan::{self, Plan};

/// How far down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownTo {
    /// This many migrations.
    Count(usize),
    /// Everything newer than this version.
    Version(Version),
}

impl Runner {
    /// What [`Runner::down`] would do. Changes nothing.
    ///
    /// # Errors
    /// When the directory or database cannot be read, or a script is missing.
    pub async fn plan_down(
        &self,
        directory: &DirectorySource,
        to: DownTo,
    ) -> Result<Plan, RunError> {
        let (directory, _session, recorded) = self.open_verified(directory).await?;
        self.make_down_plan(&directory, &recorded.applied, &recorded.journal, &to)
    }

    /// Reverts applied migrations, newest first, each with its history row in one transaction where the database
    /// can.
    ///
    /// # Errors
    /// See [`RunError`]. Nothing is run when one of the versions has no down script.
    pub async fn down(
        &self,
        directory: &DirectorySource,
        to: DownTo,
    ) -> Result<RunReport, RunError> {
        let (directory, session, recorded) = self.open_verified(directory).await?;
        // Refusals are told before anybody waits for the lock.
        let plan = self.make_down_plan(&directory, &recorded.applied, &recorded.journal, &to)?;
        if plan.steps.is_empty() {
            return Ok(report(
                Outcome::UpToDate,
                &directory,
                &recorded.applied,
                Vec::new(),
            ));
        }
        let mut run = match self.lock(session, "migrate down").await {
            Ok(run) => run,
            Err(error) => {
                self.note_end("migrate down", &error).await;
                return Err(error);
            }
        };
        let result = async {
            let recorded = read(run.session.as_mut()).await?;
            let now = self.make_down_plan(&directory, &recorded.applied, &recorded.journal, &to)?;
            // "The newest" is another one when somebody else was at work meanwhile.
            if now.hash != plan.hash {
                return Err(Refusal::PlanChanged.into());
            }
            self.events.emit(&Event::Planned {
                pending: plan.steps.len(),
                applied: plan.applied,
                bytes: plan.bytes(),
            });
            let finished = run.steps(&plan).await?;
            Ok(report(
                Outcome::Done,
                &directory,
                &recorded.applied,
                finished,
            ))
        }
        .await;
        run.finish(result, |report| {
            format!(
                "migrate down: {} reverted",
                count(report.migrations.len(), "migration")
            )
        })
        .await
    }

    fn make_down_plan(
        &self,
        directory: &MigrationDirectory,
        applied: &[AppliedVersion],
        journal: &[JournalRow],
        to: &DownTo,
    ) -> Result<Plan, RunError> {
        let conflicts = unfinished_conflicts(directory, journal, Direction::Down);
        if !conflicts.is_empty() {
            return Err(RunError::Conflict(conflicts));
        }
        // What repeats, such as the definition of a view, is not reverted.
        let repeats = |version: &Version| {
            directory
                .get(version)
                .is_some_and(|migration| migration.repeat != Repeat::Never)
        };
        // As they stand in the directory; what it does not have is newer.
        let place = |version: &Version| {
            let place = directory.place(version).unwrap_or(usize::MAX);
            (place, version.clone())
        };
        let reverted = applied.iter().filter(|row| !repeats(&row.version));
        let mut newest_first: Vec<&AppliedVersion> = reverted.collect();
        newest_first.sort_by_cached_key(|row| std::cmp::Reverse(place(&row.version)));
        let chosen: Vec<&AppliedVersion> = match to {
            DownTo::Count(count) => newest_first.into_iter().take(*count).collect(),
            DownTo::Version(version) => newest_first
                .into_iter()
                .take_while(|row| match directory.place(version) {
                    Some(_) => place(&row.version) > place(version),
                    None => row.version > *version,
                })
                .collect(),
        };
        let unknown: Vec<Version> = chosen
            .iter()
            .map(|row| row.version.clone())
            .filter(|version| directory.get(version).is_none())
            .collect();
        if !unknown.is_empty() {
            return Err(Refusal::UnknownToDirectory(unknown).into());
        }
        let migrations: Vec<_> = chosen
            .iter()
            .filter_map(|row| directory.get(&row.version))
            .collect();
        let without: Vec<String> = migrations
            .iter()
            .filter(|migration| migration.down.is_none())
            .map(|migration| migration.up.file_name.clone())
            .collect();
        if !without.is_empty() {
            return Err(Refusal::NoDownScript(without).into());
        }
        let mut summaries = Summaries::default();
        let mut steps = Vec::new();
        for migration in migrations {
            let Some(down) = &migration.down else {
                continue;
            };
            let summary = summaries.of(self, down)?.clone();
            let unfinished = journal
                .iter()
                .find(|row| row.version == migration.version)
                .cloned();
            let capabilities = self.database.capabilities();
            steps.push(plan::step(
                migration,
                down,
                Direction::Down,
                summary,
                capabilities,
                unfinished,
            ));
        }
        Ok(plan::plan(steps, Vec::new(), applied.len(), Vec::new()))
    }
}

fn report(
    outcome: Outcome,
    directory: &MigrationDirectory,
    applied: &[AppliedVersion],
    migrations: Vec<super::FinishedMigration>,
) -> RunReport {
    let reverted = |version: &Version| migrations.iter().any(|done| done.version == *version);
    let left: Vec<&Version> = applied
        .iter()
        .map(|row| &row.version)
        .filter(|version| !reverted(version))
        .collect();
    RunReport {
        outcome,
        left_for_later: Vec::new(),
        held: Vec::new(),
        blocked: Vec::new(),
        applied: left.len(),
        newest: directory.newest(left).cloned(),
        migrations,
    }
}
