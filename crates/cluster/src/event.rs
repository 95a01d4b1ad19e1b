//! Everything that can happen in a deploy, and the only way out of it while it runs.

use std::time::Duration;

use serde::Serialize;

use crate::diagnosis::Diagnosis;

/// Takes events as they happen. Must not block for long: the deploy waits for it.
pub trait Events: Send + Sync {
    /// One event.
    fn emit(&self, event: &Event);
}

/// What applying an object did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Created,
    /// It is different now.
    Changed,
    /// It was as it should be.
    Unchanged,
}

/// A part of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// What the migration's Job needs.
    Migration,
    /// Secrets, ConfigMaps, service accounts and claims of the application.
    Configuration,
    /// Services and Deployments.
    Application,
    /// The Jobs that close the ledger of deployments, after the rollout.
    Ledger,
}

/// Something that happened. Durations are seconds as numbers in JSON.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The deploy began.
    DeployStarted {
        /// Name of the release.
        release: String,
        /// Namespace.
        namespace: String,
        /// Address of the API.
        server: String,
        /// Migration Jobs that will run.
        steps: usize,
        /// Objects that will be applied, without the Jobs.
        objects: usize,
    },
    /// Another deploy of the release is at work. Repeated while waiting, at least every ten seconds.
    DeployWaiting {
        /// Who, where, since when.
        holder: String,
        /// Time since the first try.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
    },
    /// The lease of a deploy that died was taken over.
    DeployTakenOver {
        /// Of whom.
        holder: String,
    },
    /// An object is as it should be.
    ObjectApplied {
        /// Part of the deploy.
        wave: Wave,
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// What was done.
        change: Change,
    },
    /// A Job begins: a step of the migration, or one that closes the ledger.
    StepStarted {
        /// Part of the deploy: [`Wave::Migration`] or [`Wave::Ledger`].
        wave: Wave,
        /// Job.
        job: String,
        /// Position in this part, from 1.
        number: usize,
        /// Jobs of this part.
        total: usize,
        /// It was running already, from an earlier deploy, and is followed.
        adopted: bool,
    },
    /// An earlier Job of the same name goes away first.
    JobReplaced {
        /// Job.
        job: String,
        /// Why it may go, and what is waited for.
        reason: String,
    },
    /// A pod of a Job runs.
    PodStarted {
        /// Job.
        job: String,
        /// Pod.
        pod: String,
        /// Which one of the Job, from 1.
        attempt: usize,
    },
    /// A line that a container wrote.
    Log {
        /// Job.
        job: String,
        /// Pod.
        pod: String,
        /// Container.
        container: String,
        /// What it wrote.
        line: String,
    },
    /// Something is wrong that may pass.
    Problem {
        /// What.
        #[serde(flatten)]
        diagnosis: Diagnosis,
    },
    /// A Job is done.
    StepFinished {
        /// Job.
        job: String,
        /// Time since it was created, or found.
        #[serde(serialize_with = "seconds")]
        duration: Duration,
        /// Pods it took.
        attempts: usize,
    },
    /// How far a rollout is. Sent when it changes.
    RolloutProgress {
        /// Deployment.
        deployment: String,
        /// Replicas that are wanted.
        desired: i32,
        /// Replicas of the new version.
        updated: i32,
        /// Replicas of the new version that are ready.
        ready: i32,
        /// Replicas of the old version.
        old: i32,
    },
    /// A rollout is done.
    RolloutFinished {
        /// Deployment.
        deployment: String,
        /// Replicas.
        replicas: i32,
    },
    /// An object that left the values is gone.
    ObjectPruned {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
    },
    /// An object that left the values stays.
    ObjectKept {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Something a person should know and that does not stop the deploy.
    Warning {
        /// Stable word.
        code: &'static str,
        /// One sentence.
        message: String,
    },
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}
