//! The ledger: opening a deployment with a run, closing it with `migrate deployed`, and the floor.

use jiff::Timestamp;
use serde::Serialize;

use super::Runner;
use super::connect::run_entry;
use super::run::{CLEAN_UP_TIMEOUT, Run};
use super::transaction::fence;
use crate::database::{DatabaseError, Holder, Session};
use crate::directory::MigrationDirectory;
use crate::error::{Refusal, RunError};
use crate::event::Event;
use crate::history::{AuditEntry, Version};
use crate::ledger::{self, Closing, Deployment, Floor, Opener, Opening};

/// What `migrate deployed` did.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed {
    /// The deployment.
    pub deployment: Deployment,
    /// Releases whose deployments were never completed, and now never will be.
    pub superseded: Vec<String>,
    /// It was closed before.
    pub already: bool,
}

/// The ledger, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Ledger {
    /// Deployments, the oldest first.
    pub deployments: Vec<Deployment>,
    /// The oldest release that may still run, if a contract migration has said so.
    pub floor: Option<Floor>,
}

fn reading(error: DatabaseError) -> RunError {
    RunError::Database {
        doing: "reading the ledger",
        error,
    }
}

impl Runner {
    /// The ledger. Needs only SELECT.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deployments(&self) -> Result<Ledger, RunError> {
        let mut session = self.connect().await?;
        let mut deployments = session.deployments().await.map_err(reading)?;
        deployments.sort_by_key(|deployment| deployment.id);
        let marks = session.floor_marks().await.map_err(reading)?;
        let floor = ledger::floor(&marks, &deployments);
        Ok(Ledger { deployments, floor })
    }

    /// Closes the deployment of the release of this run, or without one the newest: from now on only it runs. With
    /// `unopened`, a release that never had a run of its own is recorded.
    ///
    /// # Errors
    /// [`Refusal::NotClosable`] with the reason.
    pub async fn deployed(&self, unopened: bool) -> Result<Deployed, RunError> {
        const COMMAND: &str = "migrate deployed";
        let mut session = self.connect().await?;
        // What need not or cannot be closed is told before anybody waits for the lock.
        let closing = match self.closing(session.as_mut(), unopened).await {
            Ok(closing) => closing,
            Err(error) => {
                let error = self.or_still_running(session.as_mut(), error).await?;
                self.note_end(COMMAND, &error).await;
                return Err(error);
            }
        };
        if closing.already {
            return Ok(self.closed(&closing));
        }
        self.warn_below_floor(session.as_mut()).await?;
        let mut run = match self.lock(session, COMMAND).await {
            Ok(run) => run,
            Err(error) => {
                self.note_end(COMMAND, &error).await;
                return Err(error);
            }
        };
        let result = async {
            let closing = self.closing(run.session.as_mut(), unopened).await?;
            if !closing.already {
                run.write_closing(&closing).await?;
            }
            Ok(self.closed(&closing))
        }
        .await;
        run.finish(result, |closed| {
            format!("{COMMAND}: release {}", closed.deployment.release)
        })
        .await
    }

    async fn closing(
        &self,
        session: &mut dyn Session,
        unopened: bool,
    ) -> Result<Closing, RunError> {
        let deployments = session.deployments().await.map_err(reading)?;
        let now = Timestamp::now().to_string();
        let release = self.identity.release.as_deref();
        let by = (now.as_str(), self.identity.run_id.as_str(), &*self.who());
        ledger::close(&deployments, release, unopened, by).map_err(|problem| {
            Refusal::NotClosable {
                release: release.map(str::to_owned),
                problem: Box::new(problem),
            }
            .into()
        })
    }

    /// What cannot be closed because its migrations have not ended yet, while somebody runs them.
    async fn or_still_running(
        &self,
        session: &mut dyn Session,
        error: RunError,
    ) -> Result<RunError, RunError> {
        let RunError::Refused(Refusal::NotClosable { problem, .. }) = &error else {
            return Ok(error);
        };
        let ledger::CloseProblem::NotMigrated(row) = problem.as_ref() else {
            return Ok(error);
        };
        let holder = session.holder().await.map_err(reading)?;
        let of_release = |holder: &Holder| {
            let release = holder.release.as_deref();
            release.is_some_and(|release| ledger::same_release(release, &row.release))
        };
        let alive = |holder: &Holder| holder.alive != Some(false) && holder.expires_in_seconds >= 0;
        Ok(match holder {
            Some(holder) if of_release(&holder) && alive(&holder) => RunError::StillMigrating {
                release: row.release.clone(),
                holder,
            },
            _ => error,
        })
    }

    fn closed(&self, closing: &Closing) -> Deployed {
        let superseded = closing.superseded.iter().map(|row| row.release.clone());
        let closed = Deployed {
            deployment: closing.deployment.clone(),
            superseded: superseded.collect(),
            already: closing.already,
        };
        self.events.emit(&Event::DeploymentClosed {
            deployment: closed.deployment.id,
            release: closed.deployment.release.clone(),
            superseded: closed.superseded.clone(),
            already: closed.already,
        });
        closed
    }

    /// What a run of this release does to the ledger; `None` without a release.
    pub(super) async fn opening(
        &self,
        directory: &MigrationDirectory,
        session: &mut dyn Session,
        has_steps: bool,
    ) -> Result<Option<Opening>, RunError> {
        let Some(release) = &self.identity.release else {
            return Ok(None);
        };
        let deployments = session.deployments().await.map_err(reading)?;
        let versions = directory.migrations.iter();
        let versions = versions.map(|migration| &migration.version);
        let now = Timestamp::now().to_string();
        let opener = Opener {
            release,
            directory_version: versions.filter(|version| version.is_number()).max(),
            now: &now,
            run_id: &self.identity.run_id,
            by: &self.who(),
        };
        Ok(Some(ledger::open(&deployments, opener, has_steps)))
    }

    /// Refuses a release that can no longer run, and notes that in the audit as far as it may be written.
    pub(super) async fn refuse_below_floor(
        &self,
        session: &mut dyn Session,
    ) -> Result<(), RunError> {
        let Some((release, floor)) = self.below_floor(session).await? else {
            return Ok(());
        };
        self.events.emit(&Event::BelowFloor {
            release: release.clone(),
            floor: floor.clone(),
        });
        let error = RunError::BelowFloor { release, floor };
        let entry = run_entry(
            "release.refused",
            error.to_string(),
            serde_json::Value::Null,
        );
        let _ = tokio::time::timeout(CLEAN_UP_TIMEOUT, session.audit(&[entry])).await;
        Err(error)
    }

    /// The release of this run and the floor, when it is below.
    pub(super) async fn below_floor(
        &self,
        session: &mut dyn Session,
    ) -> Result<Option<(String, Floor)>, RunError> {
        let Some(release) = &self.identity.release else {
            return Ok(None);
        };
        let marks = session.floor_marks().await.map_err(reading)?;
        if marks.is_empty() {
            return Ok(None);
        }
        let deployments = session.deployments().await.map_err(reading)?;
        let floor = ledger::floor(&marks, &deployments)
            .filter(|floor| ledger::below_floor(release, floor, &deployments));
        Ok(floor.map(|floor| (release.clone(), floor)))
    }

    fn who(&self) -> String {
        format!("{}@{}", self.identity.actor, self.identity.host)
    }
}

impl Run<'_> {
    /// Opens the deployment of the release, if there is one.
    pub(super) async fn open_deployment(
        &mut self,
        opening: Option<Opening>,
    ) -> Result<Option<Deployment>, RunError> {
        let Some(opening) = opening else {
            return Ok(None);
        };
        let deployment = opening.deployment;
        self.deployment = Some(deployment.id);
        if !opening.changed {
            return Ok(None);
        }
        let (event, word) = match opening.reopened {
            true => ("deployment.reopened", "opened again"),
            false => ("deployment.opened", "opened"),
        };
        let entry = entry(event, word, &deployment);
        self.write_ledger("opening the deployment", &[&deployment], &[entry])
            .await?;
        self.runner.events.emit(&Event::DeploymentOpened {
            deployment: deployment.id,
            release: deployment.release.clone(),
            previous_release: deployment.previous_release.clone(),
            reopened: opening.reopened,
        });
        Ok(Some(deployment))
    }

    /// Notes how the run of a deployment ended.
    pub(super) async fn end_deployment(
        &mut self,
        deployment: &Deployment,
        well: bool,
    ) -> Result<(), RunError> {
        let now = Timestamp::now().to_string();
        let deployment = ledger::finished(deployment, well, &now);
        let (event, word) = match well {
            true => ("deployment.migrated", "migrated"),
            false => ("deployment.failed", "failed"),
        };
        let entry = entry(event, word, &deployment);
        self.write_ledger("recording the deployment", &[&deployment], &[entry])
            .await
    }

    /// The same after a failure, best effort: the row says that it is open, which is what the next run finds.
    pub(super) async fn fail_deployment(&mut self, deployment: &Deployment) {
        let failed = self.end_deployment(deployment, false);
        let _ = tokio::time::timeout(CLEAN_UP_TIMEOUT, failed).await;
    }

    async fn write_closing(&mut self, closing: &Closing) -> Result<(), RunError> {
        let mut rows = vec![&closing.deployment];
        rows.extend(&closing.superseded);
        let mut entries = vec![entry(
            "deployment.completed",
            "completed: only this release runs now",
            &closing.deployment,
        )];
        let superseded = closing.superseded.iter();
        entries.extend(superseded.map(|row| entry("deployment.superseded", "superseded", row)));
        self.write_ledger("closing the deployment", &rows, &entries)
            .await
    }

    async fn write_ledger(
        &mut self,
        doing: &'static str,
        rows: &[&Deployment],
        entries: &[AuditEntry],
    ) -> Result<(), RunError> {
        self.bookkeeping(doing, async |run| {
            for row in rows {
                fence(run.session.write_deployment(&run.lease, row).await?)?;
            }
            Ok(run.session.audit(entries).await?)
        })
        .await
    }
}

fn entry(event: &'static str, word: &str, deployment: &Deployment) -> AuditEntry {
    let message = format!(
        "deployment {} of release {} {word}",
        deployment.id, deployment.release
    );
    let detail = serde_json::json!({
        "deployment": deployment.id,
        "release": deployment.release,
        "previous_release": deployment.previous_release,
        "directory_version": deployment.directory_version.as_ref().map(Version::as_str),
    });
    run_entry(event, message, detail)
}
