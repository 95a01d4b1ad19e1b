//! The story of a deploy: lease → whose is what → rehearsal → steps in order → configuration → application → rollout →
//! what left the values.
//!
//! Nothing of the new version is applied before every step has succeeded. The steps use copies of the configuration
//! under names of their own, so that a running version does not see new values early either.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::api::{Cluster, Dependents};
use crate::apply::{apply, apply_all, marked, rehearse, replicas_left};
use crate::difference::{self, FieldChange};
use crate::error::{DeployError, Failure};
use crate::event::{Event, Events, Wave};
use crate::job;
use crate::lease::Lease;
use crate::object::{Kind, Object};
use crate::ownership::Survey;
use crate::prune;
use crate::rollout;

/// What is to be in the cluster.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// What the steps need besides their own: copies of configuration, service accounts.
    pub preparation: Vec<Object>,
    /// The steps of the migration, in order.
    pub steps: Vec<Step>,
    /// Secrets, ConfigMaps, service accounts, claims.
    pub configuration: Vec<Object>,
    /// Services and Deployments.
    pub application: Vec<Object>,
}

/// One Job and what it needs.
#[derive(Debug, Clone)]
pub struct Step {
    /// A service account, a network policy.
    pub uses: Vec<Object>,
    /// The Job.
    pub job: Object,
}

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
        objects: objects.len() - release.steps.len(),
    });
    let survey = check(cluster, release, &objects, options.force_conflicts, events).await?;
    progress.set(|state| state.has_application = survey.has_application());

    let jobs: Vec<&Object> = release.steps.iter().map(|step| &step.job).collect();
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
        run_step(
            cluster,
            step,
            (index + 1, release.steps.len()),
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

async fn run_step(
    cluster: &Cluster,
    step: &Step,
    (number, total): (usize, usize),
    options: &Options,
    events: &dyn Events,
    started: impl FnOnce(),
) -> Result<(), DeployError> {
    let begin = Instant::now();
    let running = job::start(cluster, &step.job, options.wait_for_deploy, events).await?;
    started();
    events.emit(&Event::StepStarted {
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

/// What a deploy would do to one object.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// Part of the deploy.
    pub wave: Wave,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// What would be done. A Job always runs anew.
    pub change: PreviewedChange,
    /// Field by field, where it would change.
    pub fields: Vec<FieldChange>,
}

/// What would be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewedChange {
    /// It would be created.
    Create,
    /// It would be changed.
    Change,
    /// It is as it should be.
    Unchanged,
    /// The Job would run.
    Run,
    /// It would be deleted.
    Delete,
    /// It left the values and would stay.
    Keep,
}

/// What a deploy would do, as the API server says. Changes nothing.
///
/// # Errors
/// What a deploy would end with before it changes anything.
pub async fn preview(
    cluster: &Cluster,
    release: Release,
    force: bool,
    events: &dyn Events,
) -> Result<Vec<Preview>, Failure> {
    let release = release.marked();
    let progress = Progress::default();
    preview_of(cluster, &release, force, events)
        .await
        .map_err(|error| progress.failure(cluster, &release, error))
}

async fn preview_of(
    cluster: &Cluster,
    release: &Release,
    force: bool,
    events: &dyn Events,
) -> Result<Vec<Preview>, DeployError> {
    let objects = release.objects();
    let survey = check(cluster, release, &objects, force, events).await?;
    let mut previews = Vec::new();
    for (wave, object) in release.waves() {
        let (change, fields) = match survey.live(object) {
            _ if object.kind == Kind::JOB => (PreviewedChange::Run, Vec::new()),
            None => (PreviewedChange::Create, Vec::new()),
            Some(live) => {
                let applied = apply(cluster, object, Some(live), force, true).await?;
                if let Some(owner) = &applied.replicas_of {
                    events.emit(&replicas_left(object, owner));
                }
                let fields = difference::between(object.kind, live, &applied.value);
                let change = if fields.is_empty() {
                    PreviewedChange::Unchanged
                } else {
                    PreviewedChange::Change
                };
                (change, fields)
            }
        };
        previews.push(Preview {
            wave,
            kind: object.kind.kind.to_owned(),
            name: object.name.clone(),
            change,
            fields,
        });
    }
    let leftovers = prune::find(cluster, &release.name, &objects).await?;
    let delete = leftovers
        .delete
        .into_iter()
        .map(|leftover| (leftover, PreviewedChange::Delete));
    let keep = leftovers
        .keep
        .into_iter()
        .map(|(leftover, _)| (leftover, PreviewedChange::Keep));
    previews.extend(delete.chain(keep).map(|(leftover, change)| Preview {
        wave: Wave::Application,
        kind: leftover.kind.kind.to_owned(),
        name: leftover.name,
        change,
        fields: Vec::new(),
    }));
    Ok(previews)
}

impl Release {
    fn marked(self) -> Self {
        let Self {
            name,
            preparation,
            steps,
            configuration,
            application,
        } = self;
        let mark = |objects: Vec<Object>| {
            objects
                .into_iter()
                .map(|object| marked(object, &name))
                .collect()
        };
        let steps = steps
            .into_iter()
            .map(|step| {
                let job = job::hashed(marked(step.job, &name), &[&preparation, &step.uses]);
                Step {
                    uses: mark(step.uses),
                    job,
                }
            })
            .collect();
        let (preparation, configuration, application) =
            (mark(preparation), mark(configuration), mark(application));
        Self {
            name,
            preparation,
            steps,
            configuration,
            application,
        }
    }

    /// Every object with its part of the deploy, in the order of the deploy.
    pub fn waves(&self) -> Vec<(Wave, &Object)> {
        let steps = self
            .steps
            .iter()
            .flat_map(|step| step.uses.iter().chain([&step.job]));
        let steps = self
            .preparation
            .iter()
            .chain(steps)
            .map(|object| (Wave::Migration, object));
        let configuration = self
            .configuration
            .iter()
            .map(|object| (Wave::Configuration, object));
        let application = self
            .application
            .iter()
            .map(|object| (Wave::Application, object));
        steps.chain(configuration).chain(application).collect()
    }

    /// Every object once: steps may share what they use.
    fn objects(&self) -> Vec<&Object> {
        let mut objects: Vec<&Object> = Vec::new();
        for (_, object) in self.waves() {
            if !objects
                .iter()
                .any(|known| known.kind == object.kind && known.name == object.name)
            {
                objects.push(object);
            }
        }
        objects
    }

    /// The copies of configuration that only the steps need.
    fn copies(&self) -> Vec<&Object> {
        let lasts = |object: &Object| {
            let lasting = self.configuration.iter().chain(&self.application);
            lasting
                .into_iter()
                .any(|other| other.kind == object.kind && other.name == object.name)
        };
        let uses = self.steps.iter().flat_map(|step| &step.uses);
        self.preparation
            .iter()
            .chain(uses)
            .filter(|object| matches!(object.kind, Kind::SECRET | Kind::CONFIG_MAP))
            .filter(|object| !lasts(object))
            .collect()
    }

    fn deployments(&self) -> Vec<String> {
        let deployments = self
            .application
            .iter()
            .filter(|object| object.kind == Kind::DEPLOYMENT);
        deployments.map(|object| object.name.clone()).collect()
    }
}

/// How far a deploy has come: what tells the state that a failure leaves.
#[derive(Default)]
struct Progress(Mutex<ProgressState>);

#[derive(Default, Clone, Copy)]
struct ProgressState {
    stage: Stage,
    has_application: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was changed.
    #[default]
    Nothing,
    /// A step, by index; whether its Job was started.
    Step(usize, bool),
    Application,
    Rollout,
    Pruning,
}

impl Progress {
    fn set(&self, change: impl FnOnce(&mut ProgressState)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn failure(&self, cluster: &Cluster, release: &Release, error: DeployError) -> Failure {
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
        let advice = match now.stage {
            Stage::Step(index, true) if stopped => release.steps.get(index).map(|step| {
                format!(
                    "Deploy again to go on: the Job is followed and not started twice. To end it: kubectl delete job {} -n {}.",
                    step.job.name, cluster.namespace
                )
            }),
            _ if stopped => Some("Deploy again to go on.".to_owned()),
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

/// Sentences.
fn state(now: ProgressState, release: &Release, stopped: bool, error: &DeployError) -> String {
    match now.stage {
        Stage::Nothing => "Nothing was changed.".to_owned(),
        Stage::Step(index, started) => {
            let mut text = String::new();
            if index > 0 {
                let total = release.steps.len();
                text.push_str(&format!("{index} of {total} steps of the migration {} done. ", if index == 1 { "is" } else { "are" }));
            }
            let job = release.steps.get(index).map(|step| step.job.name.as_str()).unwrap_or_default();
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
        Stage::Application => "The migrations are applied; the new version is applied in part.".to_owned(),
        Stage::Rollout => "The migrations are applied, and so is the new version; its rollout goes on in the cluster.".to_owned(),
        Stage::Pruning => "The new version runs; what left the values may still be there.".to_owned(),
    }
}
