//! What the Jobs of a deployment do, once all defaults are filled in.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar as KubeEnvVar, ResourceRequirements, SecurityContext, Volume, VolumeMount,
};

use super::container::{self, texts};
use super::names::limited;
use super::{Delivery, KubeVersion, Options, RenderError, configuration};
use crate::values::{
    Container, Deployment, JobName, Migrations, NamedContainer, PullPolicy, Scalar, Step, Values,
};

/// forerun's exit codes that no retry can mend.
pub const FATAL: [i32; 4] = [2, 3, 4, 5];
/// The variable with the release that is deployed.
const RELEASE: &str = "FORERUN_RELEASE";
/// How long to wait for a database, in seconds.
const WAIT: u32 = 300;

/// The migrations of one deployment.
pub struct Plan<'a> {
    pub values: &'a Values,
    pub app: &'a str,
    pub deployment: &'a Deployment,
    pub migrations: &'a Migrations,
    /// The container that is reused.
    pub container: Cow<'a, Container>,
    /// Name of the Jobs without step, hash or stamp; also the name of what belongs to all of them.
    pub base: String,
    pub delivery: Delivery,
    pub account: Account,
    /// Volumes that the Jobs may mount.
    pub volumes: Vec<Volume>,
    pub steps: Vec<PlannedStep<'a>>,
}

impl Plan<'_> {
    /// Weight or wave of the first Job.
    pub fn weight(&self) -> i32 {
        self.migrations.hook.weight.unwrap_or(0)
    }

    /// A Job of one name can be replaced by Helm, Argo CD and `deploy`, but not by `kubectl apply`.
    pub fn job_name(&self) -> JobName {
        self.migrations.job_name.unwrap_or(match self.delivery {
            Delivery::Plain => JobName::Hash,
            Delivery::Helm | Delivery::Argo | Delivery::Deploy => JobName::Fixed,
        })
    }
}

/// The service account of the Jobs.
pub enum Account {
    /// The namespace's own.
    Default,
    /// One that exists already.
    Existing(String),
    /// One that is made for them.
    Own(String),
    /// A copy of one that these values create, since that one comes after them.
    Copy { of: String },
}

/// One Job.
pub struct PlannedStep<'a> {
    pub name: Option<&'a str>,
    pub image: String,
    pub pull_policy: Option<PullPolicy>,
    pub command: Option<Vec<String>>,
    pub args: Option<Vec<String>>,
    pub working_dir: Option<String>,
    pub backoff_limit: i32,
    pub env: Vec<KubeEnvVar>,
    pub env_from: Vec<EnvFromSource>,
    pub init_containers: &'a [NamedContainer],
    pub resources: ResourceRequirements,
    /// Seconds.
    pub timeout: Option<u32>,
    /// Seconds to wait for the database.
    pub wait: Option<u32>,
    pub guard: bool,
    pub security_context: Option<SecurityContext>,
    pub volume_mounts: Vec<VolumeMount>,
    pub fatal_exit_codes: Vec<i32>,
}

impl PlannedStep<'_> {
    /// Options of forerun found among the arguments: the URL, and those of these names.
    pub fn engine_options(&self, names: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let command = self.command.iter().flatten().skip(1);
        let command = command.filter(|_| self.names_forerun());
        // Under `guard` they are the options of another tool: `python -u` wants no database.
        let mut arguments = command
            .chain(self.args.iter().flatten())
            .filter(|_| !self.guard);
        let wanted = |name: &str| name == "--url" || names.contains(&name);
        while let Some(argument) = arguments.next() {
            if argument == "-u" || wanted(argument) {
                if let Some(value) = arguments.next() {
                    found.extend([argument.clone(), value.clone()]);
                }
            } else if argument
                .split_once('=')
                .is_some_and(|(name, _)| wanted(name))
                || (argument.starts_with("-u") && !argument.starts_with("--"))
            {
                found.push(argument.clone());
            }
        }
        found
    }

    /// Whether the image has forerun: its command is that, or the image's own is told to `migrate`.
    pub fn has_forerun(&self) -> bool {
        let first = self.args.iter().flatten().next();
        let own = self.command.as_ref().is_none_or(Vec::is_empty);
        self.names_forerun() || (own && first.is_some_and(|first| first == "migrate"))
    }

    fn names_forerun(&self) -> bool {
        let program = self.command.iter().flatten().next();
        program.is_some_and(|program| program.rsplit('/').next() == Some("forerun"))
    }

    /// Whether something says which release this is.
    pub fn has_release(&self) -> bool {
        self.env.iter().any(|variable| variable.name == RELEASE)
    }

    /// The release, where it can be known here.
    pub fn release(&self) -> Option<&str> {
        let variable = self.env.iter().find(|variable| variable.name == RELEASE)?;
        variable.value.as_deref().filter(|value| !value.is_empty())
    }
}

/// The plan of a deployment; `None` when its migrations are not enabled.
pub fn plan<'a>(
    values: &'a Values,
    app: &'a str,
    deployment: &'a Deployment,
    options: &Options,
) -> Result<Option<Plan<'a>>, RenderError> {
    let Some(migrations) = deployment
        .migrations
        .as_ref()
        .filter(|migrations| migrations.enabled)
    else {
        return Ok(None);
    };
    let container = reused(app, deployment, migrations)?;
    let base = limited(&format!("{app}-migrations"), "");
    let delivery = options
        .delivery
        .unwrap_or_else(|| migrations.hook.delivery.unwrap_or_default().into());
    let volumes = volumes(deployment, migrations, options.kube_version);
    let context = Context {
        values,
        app,
        deployment,
        migrations,
        container: &container,
        volumes: &volumes,
    };
    let steps = if migrations.steps.is_empty() {
        vec![planned(&context, None)?]
    } else {
        let steps = migrations.steps.iter();
        steps
            .map(|step| planned(&context, Some(step)))
            .collect::<Result<_, _>>()?
    };
    if migrations.gate && steps.iter().any(|step: &PlannedStep<'_>| step.guard) {
        return Err(RenderError::Values {
            path: format!("deployments.{app}.migrations.gate"),
            message:
                "a gate asks forerun's own history, which a command under `guard` does not write"
                    .into(),
        });
    }
    if let Some(step) = steps
        .last()
        .filter(|step| migrations.ledger && !step.has_release())
    {
        return Err(RenderError::Values {
            path: format!("deployments.{app}.migrations.ledger"),
            message: format!(
                "nothing says which release this is: the image {} has no tag other than latest, and no digest; give it \
                 one, or {RELEASE} in `env`",
                step.image
            ),
        });
    }
    let account = account(values, app, deployment, migrations, delivery, &base);
    Ok(Some(Plan {
        values,
        app,
        deployment,
        migrations,
        base,
        delivery,
        account,
        steps,
        volumes,
        container,
    }))
}

/// The container whose image and environment the migrations use.
fn reused<'a>(
    app: &str,
    deployment: &'a Deployment,
    migrations: &Migrations,
) -> Result<Cow<'a, Container>, RenderError> {
    let containers = &deployment.containers;
    let name = migrations.container.as_deref().unwrap_or("main");
    if let Some(container) = containers.get(name) {
        return Ok(Cow::Borrowed(container));
    }
    if migrations.container.is_none() {
        let mut all = containers.values();
        match (all.next(), all.next()) {
            (None, _) => return Ok(Cow::Owned(Container::default())),
            (Some(only), None) => return Ok(Cow::Borrowed(only)),
            _ => {}
        }
    }
    let known: Vec<&str> = containers.keys().map(String::as_str).collect();
    Err(RenderError::Values {
        path: format!("deployments.{app}.migrations.container"),
        message: format!(
            "there is no container {name}; say which one the migrations reuse: {}",
            known.join(", ")
        ),
    })
}

/// Volumes that a Job can have besides the application: contents that come from objects, and scratch space. Claims
/// are never among them: most can be mounted once.
fn volumes(deployment: &Deployment, migrations: &Migrations, cluster: KubeVersion) -> Vec<Volume> {
    let of_contents = |volume: &&Volume| {
        volume.config_map.is_some()
            || volume.secret.is_some()
            || volume.projected.is_some()
            || volume.downward_api.is_some()
            || volume.empty_dir.is_some()
            || volume.csi.is_some()
            || (volume.image.is_some() && cluster.has_image_volumes())
    };
    let mut volumes: Vec<Volume> = deployment
        .volumes
        .iter()
        .filter(of_contents)
        .filter(|volume| migrations.volumes.iter().all(|own| own.name != volume.name))
        .cloned()
        .collect();
    volumes.extend(migrations.volumes.iter().cloned());
    volumes
}

struct Context<'a, 'b> {
    values: &'a Values,
    app: &'a str,
    deployment: &'a Deployment,
    migrations: &'a Migrations,
    container: &'b Container,
    volumes: &'b [Volume],
}

fn planned<'a>(
    context: &Context<'a, '_>,
    step: Option<&'a Step>,
) -> Result<PlannedStep<'a>, RenderError> {
    let Context {
        values,
        app,
        deployment,
        migrations,
        container,
        volumes,
    } = *context;
    let image = step
        .and_then(|step| step.image.as_deref())
        .or(migrations.image.as_deref());
    let tag = step
        .and_then(|step| step.image_tag.as_ref())
        .or(migrations.image_tag.as_ref());
    let digest = step
        .and_then(|step| step.image_digest.as_deref())
        .or(migrations.image_digest.as_deref());
    let (image, tag, digest) = match image {
        Some(image) => (image, tag, digest),
        None => (
            container.image.as_deref().unwrap_or(app),
            tag.or(container.image_tag.as_ref()),
            if tag.is_some() {
                digest
            } else {
                digest.or(container.image_digest.as_deref())
            },
        ),
    };

    let own_command = step
        .and_then(|step| step.command.as_ref())
        .or(migrations.command.as_ref());
    let own_image = step
        .and_then(|step| step.image.as_ref())
        .or(migrations.image.as_ref());
    let command = own_command.or(if own_image.is_some() {
        None
    } else {
        container.command.as_ref()
    });
    let guard = step
        .and_then(|step| step.guard)
        .or(migrations.guard)
        .unwrap_or(false);
    if guard && command.is_none_or(Vec::is_empty) {
        return Err(RenderError::Values {
            path: path(app, step, "guard"),
            message: "the command to guard is not known: the image's own entrypoint cannot be seen from here; \
                      give it as `command`"
                .into(),
        });
    }
    let args = step
        .and_then(|step| step.args.as_ref())
        .or(migrations.args.as_ref());
    let args = match args {
        Some(args) => Some(texts(args)),
        None if own_command.is_some() || guard => None,
        None => Some(vec!["migrate".to_owned(), "up".to_owned()]),
    };

    let timeout = step
        .and_then(|step| step.timeout)
        .or(migrations.timeout)
        .map(|time| time.0);
    let lock_timeout = step
        .and_then(|step| step.lock_timeout)
        .or(migrations.lock_timeout);
    let mut env = container::env(&container.env, &container.secret_refs, values);
    overlay(&mut env, &migrations.env);
    overlay(&mut env, step.map_or(&[][..], |step| &step.env));
    let secret_refs = step
        .and_then(|step| step.secret_refs.as_ref())
        .unwrap_or(&migrations.secret_refs);
    append(&mut env, container::env(&[], secret_refs, values));
    let known = [
        ("MIGRATION_TIMEOUT", timeout.map(|time| time.to_string())),
        (
            "MIGRATION_LOCK_TIMEOUT",
            lock_timeout.map(|time| time.0.to_string()),
        ),
        (RELEASE, container::release(image, tag, digest)),
    ];
    append(
        &mut env,
        known
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| variable(name, value))),
    );

    let mut env_from = container::env_from(&container.env_from, values);
    let own = step
        .and_then(|step| step.env_from.as_ref())
        .unwrap_or(&migrations.env_from);
    env_from.extend(container::env_from(own, values));

    let own = step
        .and_then(|step| step.volume_mounts.as_ref())
        .unwrap_or(&migrations.volume_mounts);
    let mut volume_mounts: Vec<VolumeMount> = container
        .volume_mounts
        .iter()
        .filter(|mount| volumes.iter().any(|volume| volume.name == mount.name))
        .filter(|mount| own.iter().all(|own| own.mount_path != mount.mount_path))
        .cloned()
        .collect();
    volume_mounts.extend(own.iter().cloned());

    let general = values
        .deployments_general
        .container_security_context
        .as_ref();
    let of_app = container::overlaid(general, deployment.container_security_context.as_ref());
    let of_app = container::overlaid(of_app.as_ref(), container.security_context.as_ref());
    let restricted = container::overlaid(Some(&container::restricted()), of_app.as_ref());
    let own = step
        .and_then(|step| step.security_context.as_ref())
        .or(migrations.security_context.as_ref());

    Ok(PlannedStep {
        name: step.map(|step| step.name.as_str()),
        image: container::image(image, tag, digest),
        pull_policy: step
            .and_then(|step| step.image_pull_policy)
            .or(migrations.image_pull_policy)
            .or(container.image_pull_policy),
        command: command.map(|command| texts(command)),
        args,
        working_dir: step
            .and_then(|step| step.working_dir.clone())
            .or_else(|| migrations.working_dir.clone())
            .or_else(|| container.working_dir.clone()),
        backoff_limit: step
            .and_then(|step| step.backoff_limit)
            .or(migrations.backoff_limit)
            .unwrap_or(2),
        env,
        env_from,
        init_containers: step
            .and_then(|step| step.init_containers.as_deref())
            .unwrap_or(&migrations.init_containers),
        resources: step
            .and_then(|step| container::given(step.resources.as_ref()))
            .or_else(|| container::given(migrations.resources.as_ref()))
            .or_else(|| container::given(container.resources.as_ref()))
            .unwrap_or_else(|| container::resources("100m", "128Mi", "512Mi")),
        timeout,
        wait: step
            .and_then(|step| step.wait_for_database)
            .or(migrations.wait_for_database)
            .and_then(|wait| wait.seconds(WAIT)),
        guard,
        security_context: container::overlaid(restricted.as_ref(), own),
        volume_mounts,
        fatal_exit_codes: step
            .and_then(|step| step.fatal_exit_codes.as_ref())
            .or(migrations.fatal_exit_codes.as_ref())
            .map_or_else(
                || FATAL.to_vec(),
                |codes| codes.iter().map(|code| code.0).collect(),
            ),
    })
}

fn path(app: &str, step: Option<&Step>, key: &str) -> String {
    let step = step
        .map(|step| format!(".steps[{}]", step.name))
        .unwrap_or_default();
    format!("deployments.{app}.migrations{step}.{key}")
}

fn variable(name: &str, value: String) -> KubeEnvVar {
    KubeEnvVar {
        name: name.to_owned(),
        value: Some(value),
        value_from: None,
    }
}

/// Variables with a name that is there take its place, the others come after it.
fn overlay(env: &mut Vec<KubeEnvVar>, own: &[crate::values::EnvVar]) {
    for new in own {
        let new = KubeEnvVar {
            name: new.name.clone(),
            value: new.value.as_ref().map(Scalar::to_string),
            value_from: new.value_from.clone(),
        };
        match env.iter_mut().find(|old| old.name == new.name) {
            Some(old) => *old = new,
            None => env.push(new),
        }
    }
}

/// Variables with a name that is not there yet.
fn append(env: &mut Vec<KubeEnvVar>, more: impl IntoIterator<Item = KubeEnvVar>) {
    for new in more {
        if env.iter().all(|old| old.name != new.name) {
            env.push(new);
        }
    }
}

/// Name of the service account of a deployment.
pub fn account_of(app: &str, deployment: &Deployment) -> Option<String> {
    if deployment.auto_create_service_account {
        let own = deployment.service_account_config.as_ref();
        return Some(
            own.and_then(|own| own.name.clone())
                .unwrap_or_else(|| app.to_owned()),
        );
    }
    deployment.service_account_name.clone()
}

fn account(
    values: &Values,
    app: &str,
    deployment: &Deployment,
    migrations: &Migrations,
    delivery: Delivery,
    base: &str,
) -> Account {
    let own = migrations.service_account.clone().unwrap_or_default();
    if own.create {
        return Account::Own(own.name.unwrap_or_else(|| base.to_owned()));
    }
    let Some(name) = own.name.or_else(|| account_of(app, deployment)) else {
        return Account::Default;
    };
    let created = configuration::service_accounts(values).contains_key(&name);
    if created && delivery != Delivery::Plain {
        Account::Copy { of: name }
    } else {
        Account::Existing(name)
    }
}
