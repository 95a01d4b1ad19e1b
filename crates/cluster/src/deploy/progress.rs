//! How far a deploy has come, and what that means when it ends early.

use std::sync::{Mutex, PoisonError};

use super::release::Release;
use crate::api::Cluster;
use crate::error::{DeployError, Failure};
use crate::object::Object;

/// How far a deploy has come: what tells the state that a failure leaves.
#[derive(Default)]
pub(super) struct Progress(Mutex<ProgressState>);

#[derive(Default, Clone, Copy)]
pub(super) struct ProgressState {
    pub stage: Stage,
    pub has_application: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was changed.
    #[default]
    Nothing,
    /// A step, by index; whether its Job was started.
    Step(usize, bool),
    Application,
    Rollout,
    Pruning,
    /// Closing the ledger: a Job, by index; whether it was started.
    Ledger(usize, bool),
}

impl Progress {
    pub fn set(&self, change: impl FnOnce(&mut ProgressState)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn failure(&self, cluster: &Cluster, release: &Release, error: DeployError) -> Failure {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = matches!(
            error,
            DeployError::Stopped { .. } | DeployError::LeaseLost { .. }
        );
        let state = match &error {
            DeployError::Rollout { serving, .. } => {
                format!("The migrations are applied, and so is the new version. {serving}")
            }
            error => state(now, release, stopped, error),
        };
        let job = now.job(release);
        let advice = match (now.stage, job) {
            (Stage::Step(_, true) | Stage::Ledger(_, true), Some(job)) if stopped => Some(format!(
                "Deploy again to go on: the Job is followed and not started twice. To end it: \
                 kubectl delete job {} -n {}.",
                job.name, cluster.namespace
            )),
            _ if stopped => Some("Deploy again to go on.".to_owned()),
            (Stage::Ledger(..), _) => Some(
                "To close it, deploy the same again: the migrations find nothing to do, and nothing of the application \
                 changes. Or run `forerun migrate deployed` with this release."
                    .to_owned(),
            ),
            _ => None,
        };
        Failure {
            error,
            state,
            advice,
            server: cluster.server.clone(),
            namespace: cluster.namespace.clone(),
        }
    }
}

impl ProgressState {
    /// The Job that is at work, or should be.
    fn job(self, release: &Release) -> Option<&Object> {
        match self.stage {
            Stage::Step(index, _) => release.steps.get(index).map(|step| &step.job),
            Stage::Ledger(index, _) => release.closing.get(index),
            Stage::Nothing | Stage::Application | Stage::Rollout | Stage::Pruning => None,
        }
    }
}

/// Sentences.
fn state(now: ProgressState, release: &Release, stopped: bool, error: &DeployError) -> String {
    match now.stage {
        Stage::Nothing => "Nothing was changed.".to_owned(),
        Stage::Step(index, started) => {
            let mut text = String::new();
            if index > 0 {
                let total = release.steps.len();
                text.push_str(&format!(
                    "{index} of {total} steps of the migration {} done. ",
                    if index == 1 { "is" } else { "are" }
                ));
            }
            let job = now.job(release).map(|job| job.name.as_str());
            let job = job.unwrap_or_default();
            if started && stopped {
                text.push_str(&format!("The Job {job} goes on in the cluster. "));
            } else if started && matches!(error, DeployError::Step { .. }) {
                text.push_str(&format!(
                    "The Job {job} is left to be looked at; the next deploy replaces it. "
                ));
            }
            text.push_str("Nothing of the new version was applied");
            text.push_str(if now.has_application {
                ": the previous one goes on as before."
            } else {
                "; there was no version before."
            });
            text
        }
        Stage::Application => {
            "The migrations are applied; the new version is applied in part.".to_owned()
        }
        Stage::Rollout => "The migrations are applied, and so is the new version; its rollout \
                           goes on in the cluster."
            .to_owned(),
        Stage::Pruning => {
            "The new version runs; what left the values may still be there.".to_owned()
        }
        Stage::Ledger(..) => "The new version is deployed and runs, and no older one does. Its \
                              deployment is still open in the ledger: contract migrations of \
                              later releases are held until it is closed."
            .to_owned(),
    }
}
