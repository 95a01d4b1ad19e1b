//! Deployments and what is the same for all of them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::{
    Affinity, HostAlias, PodDNSConfig, PodSecurityContext, SecurityContext, Toleration,
    TopologySpreadConstraint, Volume,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::container::{Container, NamedContainer, Probes};
use super::migrations::Migrations;
use super::{PullSecret, ServiceType};

/// Defaults of every deployment. A deployment's own key wins; maps are merged.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeploymentsGeneral {
    /// Number of pods; default 1.
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// How old pods are replaced by new ones.
    pub strategy: Option<DeploymentStrategy>,
    /// Security context of the pod.
    pub security_context: Option<PodSecurityContext>,
    /// Security context of each container.
    pub container_security_context: Option<SecurityContext>,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods accept.
    pub tolerations: Option<Vec<Toleration>>,
    /// Which nodes and pods they like to be near.
    pub affinity: Option<Affinity>,
    /// How the pods are spread. Not taken over by migration Jobs.
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// Priority class.
    pub priority_class_name: Option<String>,
    /// Time to stop, in seconds.
    #[schemars(range(min = 0))]
    pub termination_grace_period_seconds: Option<i64>,
    /// How many old ReplicaSets are kept.
    #[schemars(range(min = 0))]
    pub revision_history_limit: Option<i32>,
    /// Probes of the container `main` (or the first one), where it has none.
    pub probes: Option<Probes>,
    /// Annotations of the Deployment.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of its pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels of its pods.
    pub pod_labels: BTreeMap<String, String>,
}

/// An application: a Deployment, and the migrations that run before it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deployment {
    /// Number of pods; default 1.
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// Containers by name. Without any: one named `main` whose image has the deployment's name.
    pub containers: BTreeMap<String, Container>,
    /// Containers that run before them, in order. Not taken over by migration Jobs.
    pub init_containers: Vec<NamedContainer>,
    /// Volumes of the pods.
    pub volumes: Vec<Volume>,
    /// How old pods are replaced by new ones.
    pub strategy: Option<DeploymentStrategy>,
    /// Security context of the pod.
    pub security_context: Option<PodSecurityContext>,
    /// Security context of each container.
    pub container_security_context: Option<SecurityContext>,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods accept.
    pub tolerations: Option<Vec<Toleration>>,
    /// Which nodes and pods they like to be near.
    pub affinity: Option<Affinity>,
    /// How the pods are spread. Not taken over by migration Jobs.
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// Priority class.
    pub priority_class_name: Option<String>,
    /// Time to stop, in seconds.
    #[schemars(range(min = 0))]
    pub termination_grace_period_seconds: Option<i64>,
    /// How many old ReplicaSets are kept.
    #[schemars(range(min = 0))]
    pub revision_history_limit: Option<i32>,
    /// Time a pod must be ready before it counts, in seconds.
    #[schemars(range(min = 0))]
    pub min_ready_seconds: Option<i32>,
    /// Time without progress until the rollout counts as failed, in seconds.
    #[schemars(range(min = 1))]
    pub progress_deadline_seconds: Option<i32>,
    /// Probes of the container `main` (or the first one), where it has none.
    pub probes: Option<Probes>,
    /// Labels of the Deployment.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Deployment.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of its pods; also of the migration Job's. A text of your own for `forerun.dev/configs-checksum`
    /// keeps changed configs from replacing the pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels of its pods. Not of the migration Job's: a Service may select by them.
    pub pod_labels: BTreeMap<String, String>,
    /// Lines for `/etc/hosts`.
    pub host_aliases: Option<Vec<HostAlias>>,
    /// How names are looked up.
    pub dns_policy: Option<String>,
    /// Name servers and search domains.
    pub dns_config: Option<PodDNSConfig>,
    /// Runtime class.
    pub runtime_class_name: Option<String>,
    /// Scheduler.
    pub scheduler_name: Option<String>,
    /// Whether pods get a token for the API.
    pub automount_service_account_token: Option<bool>,
    /// Secrets for pulling images, besides those of the top level.
    pub image_pull_secrets: Vec<PullSecret>,
    /// Service account that exists already or stands in `serviceAccounts`.
    pub service_account_name: Option<String>,
    /// Creates a service account for the deployment.
    pub auto_create_service_account: bool,
    /// Name, labels and annotations of that service account.
    pub service_account_config: Option<ServiceAccountConfig>,
    /// Creates a Service with the ports of all containers.
    pub auto_create_service: bool,
    /// Type of that Service; default ClusterIP.
    pub service_type: Option<ServiceType>,
    /// What runs before the deployment is rolled out.
    pub migrations: Option<Migrations>,
}

/// The service account that `autoCreateServiceAccount` makes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceAccountConfig {
    /// Its name; default: the deployment's.
    pub name: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations (such as the role of a cloud provider).
    pub annotations: BTreeMap<String, String>,
}
