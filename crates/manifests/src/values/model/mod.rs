//! The values file as types: the one source of reading, of `values.schema.json` and of the reference page.
//!
//! Keys are in camelCase, and unknown ones are errors. Parts that Kubernetes defines are Kubernetes' types.

mod container;
mod deployment;
mod migrations;
mod scalar;

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::VolumeResourceRequirements;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::Deserialize;

pub use container::{
    ConfigKind, Container, EnvFrom, EnvVar, NamedContainer, Port, Probes, Protocol, PullPolicy,
    Reference, SecretKey, SecretReference,
};
pub use deployment::{Deployment, DeploymentsGeneral, ServiceAccountConfig};
pub use migrations::{
    Allowed, Delivery, FatalExitCode, Hook, JobName, MigrationServiceAccount, Migrations,
    NetworkPolicy, Step,
};
pub use scalar::{NotADuration, OneOrMany, Scalar, Seconds, Wait};

/// A values file: the applications of a release and what they need.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Values {
    /// Secrets and ConfigMaps by name. The pods of Deployments that use one are replaced when its data changes.
    pub configs: BTreeMap<String, Config>,
    /// Lists of variables from Secrets, which containers take by name.
    pub secret_refs: BTreeMap<String, Vec<SecretReference>>,
    /// Applications by name.
    pub deployments: BTreeMap<String, Deployment>,
    /// Defaults of every deployment.
    pub deployments_general: DeploymentsGeneral,
    /// Labels, annotations and pull secrets of everything.
    pub generic: Generic,
    /// Services by name.
    pub services: BTreeMap<String, Service>,
    /// Volumes that outlive their pods, by name.
    pub persistent_volume_claims: BTreeMap<String, PersistentVolumeClaim>,
    /// Service accounts by name.
    pub service_accounts: BTreeMap<String, ServiceAccount>,
    /// Secret for pulling images.
    pub image_pull_secret: Option<String>,
    /// Secrets for pulling images.
    pub image_pull_secrets: Vec<PullSecret>,
    /// What the applications are part of: the label `app.kubernetes.io/part-of`.
    pub name_override: Option<String>,
    /// Labels of every object.
    pub common_labels: BTreeMap<String, String>,
    /// Annotations of every object.
    pub common_annotations: BTreeMap<String, String>,
    /// The image of forerun, for `guard`, `gate` and `waitForDatabase`.
    pub forerun: Engine,
    /// Helm's own, for charts that contain this one under a condition; ignored.
    pub enabled: Option<bool>,
    /// Helm's own, for charts that contain this one; ignored.
    pub global: BTreeMap<String, serde_json::Value>,
}

/// A Secret or ConfigMap.
#[derive(Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// `configMap` (default) or `secret`.
    #[serde(rename = "type")]
    pub kind: ConfigKind,
    /// Values by key, as they are (not base64).
    pub data: BTreeMap<String, Scalar>,
    /// Values by key, in base64.
    pub binary_data: BTreeMap<String, String>,
    /// Kubernetes' type of a Secret; default `Opaque`.
    pub secret_type: Option<String>,
    /// It may never be changed.
    pub immutable: Option<bool>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Keys only: the values may be secret.
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("kind", &self.kind)
            .field(
                "keys",
                &self
                    .data
                    .keys()
                    .chain(self.binary_data.keys())
                    .collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

/// What every object gets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Generic {
    /// Labels of every object; they win over `commonLabels`.
    pub labels: BTreeMap<String, String>,
    /// Annotations of every object; they win over `commonAnnotations`.
    pub annotations: BTreeMap<String, String>,
    /// Secrets for pulling images.
    pub extra_image_pull_secrets: Vec<PullSecret>,
}

/// A Secret for pulling images: its name, or `name: …`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PullSecret {
    /// Its name.
    Name(String),
    /// As Kubernetes writes it.
    Reference(NameOnly),
}

/// A name, as Kubernetes writes references.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameOnly {
    /// The name.
    pub name: String,
}

impl PullSecret {
    /// The name of the Secret.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Reference(NameOnly { name }) => name,
        }
    }
}

/// A Service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Service {
    /// Type; default ClusterIP.
    #[serde(rename = "type")]
    pub kind: Option<ServiceType>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// Labels of the pods it leads to.
    pub selector: BTreeMap<String, String>,
    /// The deployment it leads to; default: the one with its name.
    pub deployment: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its address, or `None` for a headless one.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Option<String>,
    /// The name that an ExternalName Service stands for.
    pub external_name: Option<String>,
    /// `Cluster` or `Local`.
    pub external_traffic_policy: Option<String>,
    /// Class of the load balancer.
    pub load_balancer_class: Option<String>,
    /// `None` or `ClientIP`.
    pub session_affinity: Option<String>,
    /// Leads to pods that are not ready, too.
    pub publish_not_ready_addresses: Option<bool>,
}

/// Type of a Service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// An address inside the cluster.
    #[default]
    ClusterIP,
    /// A port on every node.
    NodePort,
    /// An address outside.
    LoadBalancer,
    /// Another name.
    ExternalName,
}

impl ServiceType {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::ExternalName => "ExternalName",
        }
    }
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePort {
    /// Name of the port; required when there are several.
    pub name: Option<String>,
    /// Port of the Service.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// Port of the pods, or its name; default: the same.
    pub target_port: Option<IntOrString>,
    /// `TCP` (default), `UDP` or `SCTP`.
    pub protocol: Option<Protocol>,
    /// Port of the nodes.
    #[schemars(range(min = 1, max = 65535))]
    pub node_port: Option<i32>,
    /// What is spoken there.
    pub app_protocol: Option<String>,
}

/// A volume that outlives its pods.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PersistentVolumeClaim {
    /// Who may mount it; default `[ReadWriteOnce]`.
    pub access_modes: Option<Vec<AccessMode>>,
    /// Its size, in place of `resources`.
    #[schemars(regex(
        pattern = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
    ))]
    pub size: Option<String>,
    /// Its size, as Kubernetes writes it.
    pub resources: Option<VolumeResourceRequirements>,
    /// Storage class.
    pub storage_class_name: Option<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: Option<String>,
    /// A volume that exists already.
    pub volume_name: Option<String>,
    /// Labels of a volume that exists already.
    pub selector: Option<LabelSelector>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Who may mount a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// One node.
    ReadWriteOnce,
    /// Many nodes, reading.
    ReadOnlyMany,
    /// Many nodes.
    ReadWriteMany,
    /// One pod.
    ReadWriteOncePod,
}

impl AccessMode {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadOnlyMany => "ReadOnlyMany",
            Self::ReadWriteMany => "ReadWriteMany",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
        }
    }
}

/// A service account.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceAccount {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations (such as the role of a cloud provider).
    pub annotations: BTreeMap<String, String>,
    /// Whether pods get a token for the API.
    pub automount_service_account_token: Option<bool>,
    /// Secrets for pulling images.
    pub image_pull_secrets: Vec<PullSecret>,
}

/// The image of forerun.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Engine {
    /// Image; default `forerun`.
    pub image: Option<String>,
    /// Tag; default: the version of forerun.
    pub image_tag: Option<Scalar>,
    /// Digest (`sha256:…`).
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: Option<String>,
    /// When the image is pulled.
    pub image_pull_policy: Option<PullPolicy>,
}
