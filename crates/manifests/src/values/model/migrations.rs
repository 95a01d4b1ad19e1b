//! `deployments.<app>.migrations`: what runs before the application is rolled out.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    PodSecurityContext, ResourceRequirements, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::Deserialize;

use super::container::{EnvFrom, EnvVar, NamedContainer, PullPolicy};
use super::scalar::{OneOrMany, Scalar, Seconds, Wait};

/// Migrations of a deployment: Jobs that reuse the image, environment and secrets of one of its containers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Migrations {
    /// Whether there are any; default `false`.
    pub enabled: bool,
    /// Arguments of the migration command, in place of the container's; default `[migrate, up]` where no command
    /// is given.
    pub args: Option<Vec<Scalar>>,
    /// Command, in place of the container's.
    pub command: Option<Vec<Scalar>>,
    /// The container to reuse; default `main`, or the only one.
    pub container: Option<String>,
    /// Another image than the container's.
    pub image: Option<String>,
    /// Another tag than the container's.
    pub image_tag: Option<Scalar>,
    /// Another digest than the container's (`sha256:…`).
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: Option<String>,
    /// When the image is pulled; default: the container's.
    pub image_pull_policy: Option<PullPolicy>,
    /// Working directory; default: the container's.
    pub working_dir: Option<String>,
    /// How often a failed try is repeated; default 2; 0 is never.
    #[schemars(range(min = 0))]
    pub backoff_limit: Option<i32>,
    /// Several Jobs, one after the other; each may have keys of its own that win over those beside `steps`.
    pub steps: Vec<Step>,
    /// Variables on top of the container's; the same name wins here.
    pub env: Vec<EnvVar>,
    /// Configs on top of the container's.
    pub env_from: Vec<EnvFrom>,
    /// `secretRefs` on top of the container's.
    pub secret_refs: Vec<String>,
    /// Containers that run before it, in order. The deployment's own are not taken over.
    pub init_containers: Vec<NamedContainer>,
    /// Containers that run beside it and end with it (native sidecars, Kubernetes 1.29).
    pub sidecars: Vec<NamedContainer>,
    /// Requests and limits; default: the container's.
    pub resources: Option<ResourceRequirements>,
    /// Time limit of the Job with all its tries, also told to the migration as `MIGRATION_TIMEOUT`; default 270
    /// seconds with Helm (whose own limit is 300), else one hour.
    pub timeout: Option<Seconds>,
    /// How long to wait for another runner, as `MIGRATION_LOCK_TIMEOUT`.
    pub lock_timeout: Option<Seconds>,
    /// Waits until the database answers before the migration starts.
    pub wait_for_database: Option<Wait>,
    /// Runs the command under `forerun exec`: one runner at a time, whatever tool it is.
    pub guard: Option<bool>,
    /// Holds the pods of the new version back until the migrations are applied.
    pub gate: bool,
    /// Keeps the ledger of deployments: a Job after the rollout tells the database that only this release runs now, and
    /// the sessions of the application carry its name and release (`PGAPPNAME`).
    pub ledger: bool,
    /// Service account of the Job; default: the deployment's.
    pub service_account: Option<MigrationServiceAccount>,
    /// Security context of the container, over a restricted default.
    pub security_context: Option<SecurityContext>,
    /// Security context of the pod, over a restricted default.
    pub pod_security_context: Option<PodSecurityContext>,
    /// Volumes on top of the deployment's.
    pub volumes: Vec<Volume>,
    /// Mounts on top of the container's.
    pub volume_mounts: Vec<VolumeMount>,
    /// Labels of the Job and its pod.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Job and its pod.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of the pod alone.
    pub pod_annotations: BTreeMap<String, String>,
    /// How the Job is named; default `fixed`, with `plain` delivery `hash`.
    pub job_name: Option<JobName>,
    /// Digits at the end of the name with `jobName: timestamp`; default: the time of rendering.
    pub stamp: Option<Scalar>,
    /// How the Job comes before the rest.
    pub hook: Hook,
    /// How long a finished Job and its log are kept, in seconds; default 604800 (a week).
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_finished: Option<i32>,
    /// Time to cancel, roll back and let go of the lock, in seconds; default 60.
    #[schemars(range(min = 1))]
    pub termination_grace_period_seconds: Option<i64>,
    /// Exit codes that no retry can mend; default `[2, 3, 4, 5]`, forerun's own.
    pub fatal_exit_codes: Option<Vec<FatalExitCode>>,
    /// Lets the Job talk to name servers and databases alone.
    pub network_policy: Option<NetworkPolicy>,
}

/// One of several Jobs. What is missing here is taken from `migrations`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Name, at the end of the Job's.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// Arguments of the migration command.
    pub args: Option<Vec<Scalar>>,
    /// Command.
    pub command: Option<Vec<Scalar>>,
    /// Another image.
    pub image: Option<String>,
    /// Another tag.
    pub image_tag: Option<Scalar>,
    /// Another digest (`sha256:…`).
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: Option<String>,
    /// When the image is pulled.
    pub image_pull_policy: Option<PullPolicy>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// How often a failed try is repeated; 0 is never.
    #[schemars(range(min = 0))]
    pub backoff_limit: Option<i32>,
    /// Variables on top of those of `migrations`; the same name wins here.
    #[serde(default)]
    pub env: Vec<EnvVar>,
    /// Configs, in place of those of `migrations`.
    pub env_from: Option<Vec<EnvFrom>>,
    /// `secretRefs`, in place of those of `migrations`.
    pub secret_refs: Option<Vec<String>>,
    /// Containers that run before it, in place of those of `migrations`.
    pub init_containers: Option<Vec<NamedContainer>>,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Time limit of the Job with all its tries.
    pub timeout: Option<Seconds>,
    /// How long to wait for another runner.
    pub lock_timeout: Option<Seconds>,
    /// Waits until the database answers.
    pub wait_for_database: Option<Wait>,
    /// Runs the command under `forerun exec`.
    pub guard: Option<bool>,
    /// Security context of the container.
    pub security_context: Option<SecurityContext>,
    /// Mounts, in place of those of `migrations`.
    pub volume_mounts: Option<Vec<VolumeMount>>,
    /// Exit codes that no retry can mend.
    pub fatal_exit_codes: Option<Vec<FatalExitCode>>,
}

/// An exit code other than 0, which is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FatalExitCode(#[schemars(range(min = 1, max = 255))] pub i32);

/// Service account of migration Jobs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MigrationServiceAccount {
    /// Creates it before the Job.
    pub create: bool,
    /// Its name; default when created: the Job's.
    pub name: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations (such as the role of a cloud provider).
    pub annotations: BTreeMap<String, String>,
}

/// How Jobs are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum JobName {
    /// `<app>-migrations[-<step>]`.
    Fixed,
    /// The same, and a hash of what the Job does and of the configs that it uses.
    Hash,
    /// The same, and `stamp`.
    Timestamp,
}

/// Who sees to it that the Job comes before the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// Helm's hooks.
    #[default]
    Helm,
    /// Argo CD's hooks and waves.
    Argo,
    /// Nobody: plain objects.
    Plain,
}

/// How Jobs come before the rest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hook {
    /// Who sees to the order; default `helm`.
    pub delivery: Option<Delivery>,
    /// Weight of the first Job's hook, or its wave; default 0.
    pub weight: Option<i32>,
    /// When the Job is deleted; default `before-hook-creation`.
    pub delete_policy: Option<OneOrMany>,
    /// When Helm prints the log; default `hook-failed,hook-succeeded`.
    pub log_policy: Option<OneOrMany>,
}

/// `true`, or what a migration Job may talk to besides.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NetworkPolicy {
    /// Name servers, and ports 3306 and 5432.
    Switch(bool),
    /// Name servers, and these.
    Allowed(Allowed),
}

/// What a migration Job may talk to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Allowed {
    /// Ports of databases; default 3306 and 5432.
    pub ports: Option<Vec<u16>>,
    /// Further rules.
    pub egress: Vec<NetworkPolicyEgressRule>,
}
