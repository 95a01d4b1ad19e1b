//! The story of a deploy: lease → whose is what → rehearsal → steps in order → configuration → application → rollout →
//! what left the values → the ledger.
//!
//! Nothing of the new version is applied before every step has succeeded. The steps use copies of the configuration
//! under names of their own, so that a running version does not see new values early either.

mod preview;
mod progress;
mod release;

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::{Cluster, Dependents};
use crate::apply::{apply_all, rehearse};
use crate::error::{DeployError, Failure};
use crate::event::{Event, Events, Wave};
use crate::job;
use crate::lease::Lease;
use crate::object::Object;
use crate::ownership::Survey;
use crate::prune;
use crate::rollout;
use progress::{Progress, Stage};

pub use preview::{Preview, PreviewedChange, preview};
pub use release::{Release, Step};

/// How to deploy.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who deploys: `alice@build-7 (5f0c2a9be1d34477)`. Different for every run.
    pub holder: String,
    /// How long another deploy of the release, or a Job of an earlier one, is waited for.
    pub wait_for_deploy: Duration,
    /// Time limit of the rollout.
    pub rollout_timeout: Duration,
    /// Take fields over from others.
    pub force_conflicts: bool,
}

/// A deploy that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Steps of the migration that ran.
    pub steps: usize,
    /// Objects that were created or changed.
    pub changed: usize,
    /// Deployments whose rollout was watched.
    pub deployments: usize,
    /// Objects that were deleted.
    pub pruned: usize,
    /// Ledgers that were told that only this release runs.
    pub closed: usize,
}

/// Deploys a release, until it is done, fails, or `stop` is ready with what said so.
///
/// # Errors
/// Why it ended early, with the state that it leaves.
pub async fn deploy(
    cluster: &Cluster,
    release: Release,
    options: &Options,
    events: &dyn Events,
    stop: impl Future<Output = String>,
) -> Result<Done, Failure> {
    let release = release.marked();
    let progress = Progress::default();
    let mut stop = pin!(stop);
    let taken = tokio::select! {
        taken = Lease::take(cluster, &release.name, &options.holder, options.wait_for_deploy, events) => taken,
        reason = &mut stop => Err(DeployError::Stopped { reason }),
    };
    let mut lease = taken.map_err(|error| progress.failure(cluster, &release, error))?;
    // Whatever is under way is dropped where it waits: every call can be made again.
    let result = tokio::select! {
        result = run(cluster, &release, options, events, &progress) => result,
        lost = lease.keep() => Err(lost),
        reason = &mut stop => Err(DeployError::Stopped { reason }),
    };
    lease.release().await;
    result.map_err(|error| progress.failure(cluster, &release, error))
}

async fn run(
    cluster: &Cluster,
    release: &Release,
    options: &Options,
    events: &dyn Events,
    progress: &Progress,
) -> Result<Done, DeployError> {
    let objects = release.objects();
    events.emit(&Event::DeployStarted {
        release: release.name.clone(),
        namespace: cluster.namespace.clone(),
        server: cluster.server.clone(),
        steps: release.steps.len(),
        objects: objects.len() - release.steps.len() - release.closing.len(),
    });
    let survey = check(cluster, release, &objects, options.force_conflicts, events).await?;
    progress.set(|state| state.has_application = survey.has_application());

    let steps = release.steps.iter().map(|step| &step.job);
    let jobs: Vec<&Object> = steps.chain(&release.closing).collect();
    job::wait_for_others(
        cluster,
        &release.name,
        &jobs,
        options.wait_for_deploy,
        events,
    )
    .await?;

    let force = options.force_conflicts;
    let mut done = Done {
        steps: release.steps.len(),
        deployments: release.deployments().len(),
        ..Done::default()
    };
    if !release.steps.is_empty() {
        progress.set(|state| state.stage = Stage::Step(0, false));
        done.changed += apply_all(
            cluster,
            Wave::Migration,
            &release.preparation,
            &survey,
            force,
            events,
        )
        .await?;
    }
    for (index, step) in release.steps.iter().enumerate() {
        progress.set(|state| state.stage = Stage::Step(index, false));
        done.changed +=
            apply_all(cluster, Wave::Migration, &step.uses, &survey, force, events).await?;
        run_job(
            cluster,
            &step.job,
            (Wave::Migration, index + 1, release.steps.len()),
            options,
            events,
            || {
                progress.set(|state| state.stage = Stage::Step(index, true));
            },
        )
        .await?;
    }
    progress.set(|state| state.stage = Stage::Application);
    done.changed += apply_all(
        cluster,
        Wave::Configuration,
        &release.configuration,
        &survey,
        force,
        events,
    )
    .await?;
    done.changed += apply_all(
        cluster,
        Wave::Application,
        &release.application,
        &survey,
        force,
        events,
    )
    .await?;
    progress.set(|state| state.stage = Stage::Rollout);
    rollout::watch(
        cluster,
        &release.deployments(),
        options.rollout_timeout,
        events,
    )
    .await?;
    progress.set(|state| state.stage = Stage::Pruning);
    let leftovers = prune::find(cluster, &release.name, &release.objects()).await?;
    done.pruned = prune::prune(cluster, leftovers, events).await?;
    remove_copies(cluster, release).await?;
    // Last: a Deployment that left the values may have run the version before.
    for (index, job) in release.closing.iter().enumerate() {
        progress.set(|state| state.stage = Stage::Ledger(index, false));
        run_job(
            cluster,
            job,
            (Wave::Ledger, index + 1, release.closing.len()),
            options,
            events,
            || {
                progress.set(|state| state.stage = Stage::Ledger(index, true));
            },
        )
        .await?;
        done.closed += 1;
    }
    Ok(done)
}

/// Whose the objects are, and whether the API server would take them.
async fn check(
    cluster: &Cluster,
    release: &Release,
    objects: &[&Object],
    force: bool,
    events: &dyn Events,
) -> Result<Survey, DeployError> {
    let survey = Survey::of(cluster, objects).await?;
    let foreign = survey.foreign(objects, &release.name);
    if !foreign.is_empty() {
        return Err(DeployError::Foreign(foreign));
    }
    rehearse(cluster, objects, &survey, force, events).await?;
    Ok(survey)
}

async fn run_job(
    cluster: &Cluster,
    job: &Object,
    (wave, number, total): (Wave, usize, usize),
    options: &Options,
    events: &dyn Events,
    started: impl FnOnce(),
) -> Result<(), DeployError> {
    let begin = Instant::now();
    let running = job::start(cluster, job, options.wait_for_deploy, events).await?;
    started();
    events.emit(&Event::StepStarted {
        wave,
        job: running.name.clone(),
        number,
        total,
        adopted: running.adopted,
    });
    let finished = job::follow(cluster, &running, events).await?;
    events.emit(&Event::StepFinished {
        job: running.name,
        duration: begin.elapsed(),
        attempts: finished.attempts,
    });
    Ok(())
}

/// A second copy of a password is not left behind once the steps are done.
async fn remove_copies(cluster: &Cluster, release: &Release) -> Result<(), DeployError> {
    for copy in release.copies() {
        cluster
            .delete(copy.kind, &copy.name, None, Dependents::Later)
            .await?;
    }
    Ok(())
}
