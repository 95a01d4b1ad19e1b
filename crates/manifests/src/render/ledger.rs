//! The ledger of deployments: the Job that closes a deployment after the rollout, and the name that the sessions of the
//! application have.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container as KubeContainer, EnvVar as KubeEnvVar};

use super::container::engine_resources;
use super::metadata::{self, Metadata, list, merged, object};
use super::migration::{
    BINARY_DIRECTORY, CONTAINER, HELM_DEADLINE, LEDGER_OPTIONS, Work, engine, labels, migrating,
    spec, template,
};
use super::names::limited;
use super::plan::{Account, FATAL, Plan, PlannedStep};
use super::{Options, RenderError, hook};

/// Name of the step that closes the ledger.
const STEP: &str = "deployed";
/// What PostgreSQL's client libraries call their sessions (libpq, "Environment Variables").
const SESSION_NAME: &str = "PGAPPNAME";
/// Bytes that PostgreSQL keeps of the name of a session (NAMEDATALEN - 1).
const LONGEST_SESSION_NAME: usize = 63;

/// The Job that says, once the new version is rolled out, that only this release runs. It does what the last migration
/// Job does, with the application's own objects, which are there by now.
pub fn closing(
    plan: &Plan<'_>,
    metadata: &Metadata,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Option<Job>, RenderError> {
    let Some(step) = plan.steps.last().filter(|_| plan.migrations.ledger) else {
        return Ok(None);
    };
    let work = Work {
        step,
        main: container(plan, step),
        earlier: Vec::new(),
        fatal_exit_codes: &FATAL,
        deadline: step
            .timeout
            .map_or(HELM_DEADLINE, |timeout| timeout.min(HELM_DEADLINE)),
    };
    let mut labels = labels(plan, metadata, &plan.migrations.labels);
    labels.insert(metadata::STEP.to_owned(), STEP.to_owned());
    let mut template = template(plan, &work, metadata, labels.clone(), options)?;
    if let (Some(pod), Account::Copy { of }) = (&mut template.spec, &plan.account) {
        pod.service_account_name = Some(of.clone());
    }
    let annotations = metadata.annotations(&plan.migrations.annotations);
    Ok(Some(Job {
        metadata: object(
            &limited(&format!("{}-{STEP}", plan.app), ""),
            labels,
            merged(&annotations, &hook::of_closing(plan)),
        ),
        spec: Some(spec(plan, &work, template, options, notes)),
        status: None,
    }))
}

/// forerun from where the migration has it: the copied binary, the image of the migrations, or else its own image.
fn container(plan: &Plan<'_>, step: &PlannedStep<'_>) -> KubeContainer {
    // A release that Helm has rolled back to, and one that another tool has migrated, have no run of their own.
    let mut line = ["migrate", "deployed", "--unopened"]
        .map(str::to_owned)
        .to_vec();
    line.extend(step.engine_options(&LEDGER_OPTIONS));
    let migrate = migrating(CONTAINER, step);
    if step.guard {
        line.insert(0, format!("{BINARY_DIRECTORY}/forerun"));
        return KubeContainer {
            command: list(line),
            args: None,
            resources: Some(engine_resources()),
            ..migrate
        };
    }
    if step.has_forerun() {
        let program = migrate.command.as_ref().and_then(|command| command.first());
        return KubeContainer {
            command: program.map(|program| vec![program.clone()]),
            args: list(line),
            ..migrate
        };
    }
    let engine = engine(plan.values);
    KubeContainer {
        image: engine.image,
        image_pull_policy: engine.image_pull_policy,
        resources: engine.resources,
        security_context: engine.security_context,
        command: None,
        args: list(line),
        working_dir: None,
        ..migrate
    }
}

/// `app@release`, by which the ledger knows an old version that is still connected. The release is not cut.
fn session_name(plan: &Plan<'_>) -> Option<String> {
    let release = plan.steps.last()?.release()?;
    let room = LONGEST_SESSION_NAME.checked_sub(release.len() + 1)?;
    let app = plan.app.get(..room).unwrap_or(plan.app);
    Some(format!("{app}@{release}"))
}

/// Names the sessions of the containers of an application.
pub fn name_sessions(plan: Option<&Plan<'_>>, containers: &mut [KubeContainer]) {
    let Some(plan) = plan.filter(|plan| plan.migrations.ledger) else {
        return;
    };
    let Some(name) = session_name(plan) else {
        return;
    };
    for container in containers {
        let env = container.env.get_or_insert_default();
        if env.iter().all(|variable| variable.name != SESSION_NAME) {
            env.push(KubeEnvVar {
                name: SESSION_NAME.to_owned(),
                value: Some(name.clone()),
                value_from: None,
            });
        }
    }
}
