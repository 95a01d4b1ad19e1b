//! Values into Kubernetes objects, built with the API's own types.
//!
//! `mod.rs` says what comes out and in which order; `configuration`, `deployment`, `gate`, `migration` and `ledger` build the
//! objects; `container`, `metadata`, `names`, `references` and `checksum` are what they share; `output` writes YAML.

mod checksum;
mod configuration;
mod container;
mod copies;
mod deployment;
mod gate;
mod hook;
mod kube_version;
mod ledger;
mod metadata;
mod migration;
mod names;
mod network_policy;
mod output;
mod plan;
mod references;

use serde::Serialize;
use serde_json::Value;

use crate::values::{self, JobName, Values};
pub(crate) use hook::APPLY;
pub use kube_version::{KubeVersion, NotAVersion};
use metadata::Metadata;
pub use output::yaml;

/// What is not in the values.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the release: the label `app.kubernetes.io/instance`.
    pub release: String,
    /// Who sees to the order; `None`: what each deployment says, else Helm.
    pub delivery: Option<Delivery>,
    /// The cluster: fields that it does not know are left out, with a note.
    pub kube_version: KubeVersion,
    /// Digits for Jobs with `jobName: timestamp` and no `stamp` of their own: seconds since 1970.
    pub stamp: u64,
}

/// Who sees to it that migrations come before the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Helm's hooks.
    Helm,
    /// Argo CD's hooks and waves.
    Argo,
    /// Whoever applies the objects.
    Plain,
    /// `forerun deploy`: plain objects, applied in waves and Jobs one after another.
    Deploy,
}

impl From<values::Delivery> for Delivery {
    fn from(delivery: values::Delivery) -> Self {
        match delivery {
            values::Delivery::Helm => Self::Helm,
            values::Delivery::Argo => Self::Argo,
            values::Delivery::Plain => Self::Plain,
        }
    }
}

/// The objects of a release, in the order in which they are needed.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Name of the release.
    pub release: String,
    /// Secrets and ConfigMaps, service accounts and volume claims of the applications.
    pub configuration: Vec<Object>,
    /// What the migrations need and has to be there before them: copies of configs and service accounts.
    pub preparation: Vec<Object>,
    /// Migrations: application by application, and in each step by step.
    pub migrations: Vec<Step>,
    /// Services and Deployments.
    pub application: Vec<Object>,
    /// Jobs that close the ledger once the new version is rolled out: one for each application that keeps it.
    pub closing: Vec<Closing>,
    /// What takes the Jobs away when Helm uninstalls the release.
    pub cleanup: Vec<Object>,
    /// What the reader of the manifests should know.
    pub notes: Vec<String>,
}

impl Rendered {
    /// All objects that are applied together, in order.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.configuration
            .iter()
            .chain(&self.preparation)
            .chain(
                self.migrations
                    .iter()
                    .flat_map(|step| step.objects.iter().chain([&step.job])),
            )
            .chain(&self.application)
            .chain(
                self.closing
                    .iter()
                    .filter(|closing| !closing.apart)
                    .map(|closing| &closing.job),
            )
            .chain(&self.cleanup)
    }
}

/// One migration Job.
#[derive(Clone, Debug)]
pub struct Step {
    /// The deployment that it belongs to.
    pub app: String,
    /// Name of the step; `None` when there are no steps.
    pub step: Option<String>,
    /// What only this Job needs: its service account, its network policy.
    pub objects: Vec<Object>,
    /// The Job.
    pub job: Object,
}

/// The Job that closes the ledger of one application.
#[derive(Clone, Debug)]
pub struct Closing {
    /// The deployment that it belongs to.
    pub app: String,
    /// Nobody sees to the order: it is not among the objects that are applied together.
    pub apart: bool,
    /// The Job.
    pub job: Object,
}

/// An object of the Kubernetes API.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    fn new<T: Serialize>(object: &T) -> Result<Self, RenderError> {
        let value = serde_json::to_value(object)?;
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            api_version: text("/apiVersion"),
            kind: text("/kind"),
            name: text("/metadata/name"),
            value,
        })
    }
}

/// Values that cannot become objects.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The values contradict themselves or the cluster. Most of this `values::read` finds, with a place.
    #[error("{path}: {message}")]
    Values {
        /// Path of the key.
        path: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// No name for the release.
    #[error(
        "the release needs a name: there are {deployments} deployments, and nameOverride is not set"
    )]
    NoRelease {
        /// How many deployments there are.
        deployments: usize,
    },
    /// An object that JSON cannot hold; a bug.
    #[error("an object cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The name of a release that was not given one: `nameOverride`, else the only deployment.
///
/// # Errors
/// [`RenderError::NoRelease`] when neither is there.
pub fn release_name(values: &Values) -> Result<String, RenderError> {
    if let Some(name) = &values.name_override {
        return Ok(name.clone());
    }
    let mut names = values.deployments.keys();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        _ => Err(RenderError::NoRelease {
            deployments: values.deployments.len(),
        }),
    }
}

/// Renders a release.
///
/// # Errors
/// When the values contradict themselves or the cluster; with values from [`values::read`] only the latter.
pub fn render(values: &Values, options: &Options) -> Result<Rendered, RenderError> {
    let metadata = Metadata::new(values, &options.release);
    let mut notes = Vec::new();
    let mut plans = Vec::new();
    for (app, deployment) in &values.deployments {
        if deployment.containers.is_empty() {
            notes.push(format!(
                "deployments.{app} has no containers: one named main with the image {app} is assumed"
            ));
        }
        if let Some(plan) = plan::plan(values, app, deployment, options)? {
            plans.push(plan);
        }
    }

    let mut migrations = Vec::new();
    let mut closing = Vec::new();
    let mut cleanup = Vec::new();
    let mut copies = copies::Needed::default();
    for plan in &plans {
        let mut own = Vec::new();
        if let Some(account) = migration::service_account(plan, &metadata) {
            own.push(Object::new(&account)?);
        }
        if let Some(policy) = network_policy::network_policy(plan, &metadata) {
            own.push(Object::new(&policy)?);
        }
        for index in 0..plan.steps.len() {
            let job = Object::new(&migration::job(
                plan,
                index,
                &metadata,
                options,
                &mut copies,
                &mut notes,
            )?)?;
            let fixed = plan.job_name() == JobName::Fixed;
            let gone = fixed.then(|| hook::cleanup(plan, &job.name, &metadata, values));
            if let Some(gone) = gone.flatten() {
                cleanup.push(Object::new(&gone)?);
            }
            if !plan.steps[index].has_release() {
                notes.push(format!(
                    "deployments.{}: the image {} of its migrations has no tag other than latest, and no digest: \
                     FORERUN_RELEASE is left out, and nobody knows which release they belong to",
                    plan.app, plan.steps[index].image
                ));
            }
            migrations.push(Step {
                app: plan.app.to_owned(),
                step: plan.steps[index].name.map(str::to_owned),
                objects: std::mem::take(&mut own),
                job,
            });
        }
    }

    for plan in &plans {
        let Some(job) = ledger::closing(plan, &metadata, options, &mut notes)? else {
            continue;
        };
        let job = Object::new(&job)?;
        if let Some(gone) = hook::cleanup(plan, &job.name, &metadata, values) {
            cleanup.push(Object::new(&gone)?);
        }
        let apart = plan.delivery == Delivery::Plain;
        if apart {
            notes.push(format!(
                "the Job {} closes the ledger and is not among these objects. When `kubectl rollout status \
                 deployment/{}` has succeeded: forerun render … --wave deployed | kubectl replace --force -f -",
                job.name, plan.app
            ));
        }
        closing.push(Closing {
            app: plan.app.to_owned(),
            apart,
            job,
        });
    }

    let mut application = configuration::services(values, &metadata)?;
    for (app, deployment) in &values.deployments {
        let plan = plans.iter().find(|plan| plan.app == app);
        application.extend(deployment::objects(
            values, app, deployment, plan, &metadata,
        )?);
    }
    notes.sort();
    notes.dedup();
    Ok(Rendered {
        release: options.release.clone(),
        configuration: configuration::objects(values, &metadata)?,
        preparation: copies.objects(values, &metadata)?,
        migrations,
        application,
        closing,
        cleanup,
        notes,
    })
}
