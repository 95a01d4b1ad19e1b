//! Migration Jobs.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{
    Container as KubeContainer, EmptyDirVolumeSource, PodSpec, PodTemplateSpec,
    ServiceAccount as KubeServiceAccount, Volume, VolumeMount,
};

use super::container::{self, engine_image, engine_resources, named, restricted};
use super::deployment::surroundings;
use super::metadata::{self, Metadata, list, merged, object};
use super::names::{hexadecimal, limited};
use super::plan::{Account, FATAL, Plan, PlannedStep};
use super::{Delivery, Options, RenderError, checksum, copies, hook};
use crate::values::{JobName, Values};

/// Name of the container that migrates.
pub const CONTAINER: &str = "migrate";
/// Name of the container that waits for the database.
const WAIT: &str = "wait-for-database";
/// Where the binary of forerun is put for commands under `guard` and for gates.
pub const BINARY_DIRECTORY: &str = "/forerun-bin";
/// Name of the volume with the binary.
pub const BINARY_VOLUME: &str = "forerun-bin";
/// forerun's exit code for what a retry may mend.
const TEMPORARY: i32 = 75;
/// Time limit of a Job with Helm: 30 seconds below Helm's own default, so that Helm still hears of the failure.
pub const HELM_DEADLINE: u32 = 270;
const DEADLINE: u32 = 3600;
/// Options of forerun that say, besides the URL, where the bookkeeping is and for which release.
pub const LEDGER_OPTIONS: [&str; 2] = ["--history-schema", "--release"];
const WEEK: i32 = 7 * 24 * 3600;
const GRACE: i64 = 60;

/// What a Job runs.
pub struct Work<'p> {
    /// The step that it is, or follows.
    pub step: &'p PlannedStep<'p>,
    /// The container that does it.
    pub main: KubeContainer,
    /// Steps that it runs before, by the names of their containers.
    pub earlier: Vec<(String, &'p PlannedStep<'p>)>,
    /// Exit codes of the container that no retry can mend.
    pub fatal_exit_codes: &'p [i32],
    /// Time limit, in seconds.
    pub deadline: u32,
}

/// The Job of a step.
pub fn job(
    plan: &Plan<'_>,
    index: usize,
    metadata: &Metadata,
    options: &Options,
    copies: &mut copies::Needed,
    notes: &mut Vec<String>,
) -> Result<Job, RenderError> {
    let step = &plan.steps[index];
    let work = Work {
        step,
        main: migrating(CONTAINER, step),
        earlier: earlier(plan, index).collect(),
        fatal_exit_codes: &step.fatal_exit_codes,
        deadline: step.timeout.unwrap_or(match plan.delivery {
            Delivery::Helm => HELM_DEADLINE,
            Delivery::Argo | Delivery::Plain | Delivery::Deploy => DEADLINE,
        }),
    };
    let mut labels = labels(plan, metadata, &plan.migrations.labels);
    if let Some(name) = step.name {
        labels.insert(metadata::STEP.to_owned(), name.to_owned());
    }
    let mut template = template(plan, &work, metadata, labels.clone(), options)?;
    if let Some(pod) = &mut template.spec {
        copies.by_pod(pod, plan);
    }
    let spec = spec(plan, &work, template, options, notes);
    let name = name(plan, step, &spec, options)?;
    let annotations = metadata.annotations(&plan.migrations.annotations);
    Ok(Job {
        metadata: object(
            &name,
            labels,
            merged(&annotations, &hook::of_job(plan, index)),
        ),
        spec: Some(spec),
        status: None,
    })
}

/// The pods of a Job.
pub fn template(
    plan: &Plan<'_>,
    work: &Work<'_>,
    metadata: &Metadata,
    labels: metadata::Map,
    options: &Options,
) -> Result<PodTemplateSpec, RenderError> {
    let mut pod = pod_spec(plan, work, options)?;
    let checksum = checksum::annotation(&mut pod, plan.values);
    let annotations = pod_annotations(plan, metadata, checksum);
    Ok(PodTemplateSpec {
        metadata: Some(metadata::pod(labels, annotations)),
        spec: Some(pod),
    })
}

/// What a Job is, besides its name.
pub fn spec(
    plan: &Plan<'_>,
    work: &Work<'_>,
    template: PodTemplateSpec,
    options: &Options,
    notes: &mut Vec<String>,
) -> JobSpec {
    JobSpec {
        parallelism: Some(1),
        completions: Some(1),
        backoff_limit: Some(work.step.backoff_limit),
        active_deadline_seconds: Some(i64::from(work.deadline)),
        ttl_seconds_after_finished: Some(plan.migrations.ttl_seconds_after_finished.unwrap_or(WEEK)),
        pod_replacement_policy: known(
            options.kube_version.has_pod_replacement_policy(),
            "podReplacementPolicy is left out: Kubernetes knows it since 1.29. A deleted pod may still work while the next one starts; the runner lock holds",
            options,
            notes,
        )
        .then(|| "Failed".to_owned()),
        pod_failure_policy: known(
            options.kube_version.has_pod_failure_policy(),
            "podFailurePolicy is left out: Kubernetes knows it since 1.26. Failures that no retry can mend are retried",
            options,
            notes,
        )
        .then(|| failure_policy(work)),
        template,
        ..JobSpec::default()
    }
}

fn known(known: bool, note: &str, options: &Options, notes: &mut Vec<String>) -> bool {
    if !known {
        notes.push(format!("Kubernetes {}: {note}.", options.kube_version));
    }
    known
}

/// Labels of the Jobs and their pods. Their name is not the application's, so that no Service leads to them.
pub fn labels(plan: &Plan<'_>, metadata: &Metadata, own: &metadata::Map) -> metadata::Map {
    let mut labels = metadata.migration_labels(own);
    labels.insert(metadata::NAME.to_owned(), plan.base.clone());
    labels
}

/// Nobody moves a migration to another node half-way; meshes put their proxy in so that it ends with the Job.
fn pod_annotations(plan: &Plan<'_>, metadata: &Metadata, checksum: metadata::Map) -> metadata::Map {
    let default = [
        ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"),
        ("karpenter.sh/do-not-disrupt", "true"),
        ("sidecar.istio.io/nativeSidecar", "true"),
        ("config.linkerd.io/proxy-enable-native-sidecar", "true"),
        ("kubectl.kubernetes.io/default-container", CONTAINER),
    ];
    let mut all = checksum;
    all.extend(default.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let own = [
        &metadata.annotations(&BTreeMap::new()),
        &plan.values.deployments_general.pod_annotations,
        &plan.deployment.pod_annotations,
        &plan.migrations.annotations,
        &plan.migrations.pod_annotations,
    ];
    for annotations in own {
        all = merged(&all, annotations);
    }
    all
}

fn name(
    plan: &Plan<'_>,
    step: &PlannedStep<'_>,
    spec: &JobSpec,
    options: &Options,
) -> Result<String, RenderError> {
    let base = match step.name {
        Some(step) => format!("{}-migrations-{step}", plan.app),
        None => format!("{}-migrations", plan.app),
    };
    let suffix = match plan.job_name() {
        JobName::Fixed => String::new(),
        JobName::Hash => {
            let hash = hexadecimal(go_json(&serde_json::to_value(spec)?)?.as_bytes());
            format!("-{}", &hash[..10])
        }
        JobName::Timestamp => match &plan.migrations.stamp {
            Some(stamp) => format!("-{stamp}"),
            None => format!("-{}", options.stamp),
        },
    };
    Ok(limited(&base, &suffix))
}

/// JSON as Go writes it, which is what Helm can hash: sorted keys, and some characters escaped.
fn go_json(value: &serde_json::Value) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(value)?;
    for (character, escaped) in [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ] {
        text = text.replace(character, escaped);
    }
    Ok(text)
}

/// Disruptions are not counted as failures; what no retry can mend ends the Job at once.
fn failure_policy(work: &Work<'_>) -> PodFailurePolicy {
    let mut rules = vec![PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
        }]),
        on_exit_codes: None,
    }];
    let on_exit = |action: &str, container: String, codes: Vec<i32>| PodFailurePolicyRule {
        action: action.to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(container),
            operator: "In".to_owned(),
            values: codes,
        }),
        on_pod_conditions: None,
    };
    if work.step.wait.is_some() {
        rules.push(on_exit("FailJob", WAIT.to_owned(), FATAL.to_vec()));
    }
    let earlier = work.earlier.iter();
    let earlier = earlier.map(|(container, step)| (container.as_str(), &*step.fatal_exit_codes));
    for (container, codes) in earlier.chain([(CONTAINER, work.fatal_exit_codes)]) {
        let mut codes = codes.to_vec();
        codes.sort_unstable();
        codes.dedup();
        if !codes.is_empty() {
            rules.push(on_exit("FailJob", container.to_owned(), codes));
        }
    }
    rules.push(on_exit("Count", CONTAINER.to_owned(), vec![TEMPORARY]));
    PodFailurePolicy { rules }
}

/// With plain objects nobody sees to the order of steps: each Job runs the earlier ones again first, which finds
/// nothing to do.
fn earlier<'p>(
    plan: &'p Plan<'_>,
    index: usize,
) -> impl Iterator<Item = (String, &'p PlannedStep<'p>)> {
    let count = if plan.delivery == Delivery::Plain {
        index
    } else {
        0
    };
    plan.steps[..count].iter().map(|step| {
        (
            limited(&format!("step-{}", step.name.unwrap_or_default()), ""),
            step,
        )
    })
}

/// The pod of a Job, with the names of configs as in the values.
fn pod_spec(plan: &Plan<'_>, work: &Work<'_>, options: &Options) -> Result<PodSpec, RenderError> {
    let step = work.step;
    let deployment = plan.deployment;
    let general = &plan.values.deployments_general;

    let mut init_containers = Vec::new();
    if !plan.migrations.sidecars.is_empty() && !options.kube_version.has_native_sidecars() {
        return Err(RenderError::Values {
            path: format!("deployments.{}.migrations.sidecars", plan.app),
            message: format!(
                "Kubernetes {} has no native sidecars (1.29 has): an ordinary container beside the migration would \
                 keep the Job from ever finishing",
                options.kube_version
            ),
        });
    }
    init_containers.extend(
        plan.migrations
            .sidecars
            .iter()
            .map(|sidecar| KubeContainer {
                restart_policy: Some("Always".to_owned()),
                ..beside(named(sidecar, plan.values))
            }),
    );
    let guarded = step.guard || work.earlier.iter().any(|(_, step)| step.guard);
    if guarded {
        init_containers.push(binary(plan.values));
    }
    if let Some(wait) = step.wait {
        init_containers.push(wait_for_database(plan.values, step, &work.main, wait));
    }
    init_containers.extend(
        step.init_containers
            .iter()
            .map(|own| beside(named(own, plan.values))),
    );
    init_containers.extend(
        work.earlier
            .iter()
            .map(|(name, step)| migrating(name, step)),
    );

    let mut volumes = plan.volumes.clone();
    volumes.extend([scratch(BINARY_VOLUME), scratch(SCRATCH_VOLUME)]);
    let containers = vec![work.main.clone()];
    volumes.retain(|volume| {
        init_containers.iter().chain(&containers).any(|container| {
            container
                .volume_mounts
                .iter()
                .flatten()
                .any(|mount| mount.name == volume.name)
        })
    });

    let security_context = container::overlaid_pod(
        Some(&container::restricted_pod()),
        general.security_context.as_ref(),
    );
    let security_context = container::overlaid_pod(
        security_context.as_ref(),
        deployment.security_context.as_ref(),
    );
    Ok(PodSpec {
        restart_policy: Some("Never".to_owned()),
        service_account_name: match &plan.account {
            Account::Default => None,
            Account::Existing(name) | Account::Own(name) => Some(name.clone()),
            Account::Copy { of } => Some(copies::name(of)),
        },
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(
            plan.migrations
                .termination_grace_period_seconds
                .unwrap_or(GRACE),
        ),
        security_context: container::overlaid_pod(
            security_context.as_ref(),
            plan.migrations.pod_security_context.as_ref(),
        ),
        init_containers: list(init_containers),
        containers,
        volumes: list(volumes),
        ..surroundings(plan.values, deployment)
    })
}

/// Name of the volume for `/tmp`, since the file system is read-only.
const SCRATCH_VOLUME: &str = "forerun-tmp";

/// An empty volume.
pub fn scratch(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    }
}

/// A mount of a volume.
pub fn mounted(name: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

/// The container that runs the command of a step.
pub fn migrating(name: &str, step: &PlannedStep<'_>) -> KubeContainer {
    let mut volume_mounts = step.volume_mounts.clone();
    let (mut command, mut args) = (step.command.clone(), step.args.clone());
    if step.guard {
        let guard = [&format!("{BINARY_DIRECTORY}/forerun"), "exec", "--"].map(str::to_owned);
        let guarded = command.into_iter().chain(args).flatten();
        command = Some(guard.into_iter().chain(guarded).collect());
        args = None;
        volume_mounts.push(mounted(BINARY_VOLUME, BINARY_DIRECTORY));
    }
    if volume_mounts.iter().all(|mount| mount.mount_path != "/tmp") {
        volume_mounts.push(mounted(SCRATCH_VOLUME, "/tmp"));
    }
    KubeContainer {
        name: name.to_owned(),
        image: Some(step.image.clone()),
        image_pull_policy: container::pull_policy(step.pull_policy),
        command: command.and_then(list),
        args: args.and_then(list),
        working_dir: step.working_dir.clone(),
        env: list(step.env.clone()),
        env_from: list(step.env_from.clone()),
        resources: Some(step.resources.clone()),
        security_context: step.security_context.clone(),
        termination_message_path: Some("/dev/termination-log".to_owned()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: list(volume_mounts),
        ..KubeContainer::default()
    }
}

/// The user's own containers, restricted where they say nothing.
fn beside(container: KubeContainer) -> KubeContainer {
    KubeContainer {
        security_context: container.security_context.or_else(|| Some(restricted())),
        resources: container.resources.or_else(|| Some(engine_resources())),
        ..container
    }
}

/// Copies forerun into a volume, for commands in images that do not have it.
pub fn binary(values: &Values) -> KubeContainer {
    KubeContainer {
        name: "forerun".to_owned(),
        args: Some(vec!["install".to_owned(), BINARY_DIRECTORY.to_owned()]),
        volume_mounts: Some(vec![mounted(BINARY_VOLUME, BINARY_DIRECTORY)]),
        ..engine(values)
    }
}

/// A container of forerun's own image.
pub fn engine(values: &Values) -> KubeContainer {
    KubeContainer {
        image: Some(engine_image(&values.forerun)),
        image_pull_policy: container::pull_policy(values.forerun.image_pull_policy),
        resources: Some(engine_resources()),
        security_context: Some(restricted()),
        ..KubeContainer::default()
    }
}

fn wait_for_database(
    values: &Values,
    step: &PlannedStep<'_>,
    migrate: &KubeContainer,
    seconds: u32,
) -> KubeContainer {
    let mut args = ["migrate", "wait", "--timeout", &format!("{seconds}s")]
        .map(str::to_owned)
        .to_vec();
    args.extend(step.engine_options(&LEDGER_OPTIONS));
    KubeContainer {
        name: WAIT.to_owned(),
        args: Some(args),
        env: migrate.env.clone(),
        env_from: migrate.env_from.clone(),
        // Passwords and URLs may be in files.
        volume_mounts: migrate.volume_mounts.clone(),
        ..engine(values)
    }
}

/// The service account that is made for the Jobs.
pub fn service_account(plan: &Plan<'_>, metadata: &Metadata) -> Option<KubeServiceAccount> {
    let Account::Own(name) = &plan.account else {
        return None;
    };
    let own = plan.migrations.service_account.clone().unwrap_or_default();
    let annotations = metadata.annotations(&own.annotations);
    Some(KubeServiceAccount {
        metadata: object(
            name,
            labels(plan, metadata, &own.labels),
            merged(&annotations, &hook::of_own(plan)),
        ),
        ..KubeServiceAccount::default()
    })
}
