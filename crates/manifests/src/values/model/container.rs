//! Containers, and what they take from configs and secrets.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    EnvVarSource, Lifecycle, Probe, ResourceRequirements, SecurityContext, VolumeMount,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::Scalar;

/// A container of an application. Its image is `image[:imageTag][@imageDigest]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Container {
    /// Image, with or without a tag.
    pub image: Option<String>,
    /// Tag of the image; not together with an image that has one.
    pub image_tag: Option<Scalar>,
    /// Digest of the image (`sha256:…`).
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: Option<String>,
    /// When the image is pulled.
    pub image_pull_policy: Option<PullPolicy>,
    /// Command, in place of the image's entrypoint.
    pub command: Option<Vec<Scalar>>,
    /// Arguments, in place of the image's.
    pub args: Option<Vec<Scalar>>,
    /// Working directory, in place of the image's.
    pub working_dir: Option<String>,
    /// Environment variables.
    pub env: Vec<EnvVar>,
    /// All keys of a config as environment variables.
    pub env_from: Vec<EnvFrom>,
    /// Names of `secretRefs` whose variables are added.
    pub secret_refs: Vec<String>,
    /// Ports by name.
    pub ports: BTreeMap<String, Port>,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Security context of the container.
    pub security_context: Option<SecurityContext>,
    /// Probes.
    pub probes: Option<Probes>,
    /// Where the volumes of the deployment are mounted.
    pub volume_mounts: Vec<VolumeMount>,
    /// Hooks at start and stop.
    pub lifecycle: Option<Lifecycle>,
}

/// A container that runs before or beside the others: without ports, readiness and liveness.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedContainer {
    /// Name of the container.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// Image, with or without a tag.
    pub image: String,
    /// Tag of the image; not together with an image that has one.
    pub image_tag: Option<Scalar>,
    /// Digest of the image (`sha256:…`).
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: Option<String>,
    /// When the image is pulled.
    pub image_pull_policy: Option<PullPolicy>,
    /// Command, in place of the image's entrypoint.
    pub command: Option<Vec<Scalar>>,
    /// Arguments, in place of the image's.
    pub args: Option<Vec<Scalar>>,
    /// Working directory, in place of the image's.
    pub working_dir: Option<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: Vec<EnvVar>,
    /// All keys of a config as environment variables.
    #[serde(default)]
    pub env_from: Vec<EnvFrom>,
    /// Names of `secretRefs` whose variables are added.
    #[serde(default)]
    pub secret_refs: Vec<String>,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Security context of the container.
    pub security_context: Option<SecurityContext>,
    /// Where volumes are mounted.
    #[serde(default)]
    pub volume_mounts: Vec<VolumeMount>,
    /// Sidecars: when the containers after it may start.
    pub startup_probe: Option<Probe>,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Never: the node has it.
    Never,
}

impl PullPolicy {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// An environment variable: a value, or where it comes from.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvVar {
    /// Name of the variable.
    #[schemars(regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
    pub name: String,
    /// The value; numbers and truth values become text.
    pub value: Option<Scalar>,
    /// A key of a Secret or ConfigMap, or a field of the pod.
    pub value_from: Option<EnvVarSource>,
}

/// All keys of a Secret or ConfigMap as environment variables: `type` and `configName`, or Kubernetes' own
/// `secretRef` or `configMapRef`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvFrom {
    /// What `configName` is; default: what `configs` says.
    #[serde(rename = "type")]
    pub kind: Option<ConfigKind>,
    /// A name in `configs`.
    pub config_name: Option<String>,
    /// A Secret, of these values or not.
    pub secret_ref: Option<Reference>,
    /// A ConfigMap, of these values or not.
    pub config_map_ref: Option<Reference>,
    /// Put before each name.
    pub prefix: Option<String>,
    /// It may be missing.
    pub optional: Option<bool>,
}

/// A Secret or ConfigMap by name.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// It may be missing.
    pub optional: Option<bool>,
}

/// What a config becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConfigKind {
    /// A ConfigMap.
    #[default]
    ConfigMap,
    /// A Secret.
    Secret,
}

/// A variable whose value is a key of a Secret.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretReference {
    /// Name of the variable.
    #[schemars(regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
    pub name: String,
    /// The Secret and its key.
    pub secret_key_ref: SecretKey,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKey {
    /// Name of the Secret.
    pub name: String,
    /// Key in it.
    pub key: String,
    /// It may be missing.
    pub optional: Option<bool>,
}

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Port that the container listens on.
    #[schemars(range(min = 1, max = 65535))]
    pub container_port: i32,
    /// Port of the Service that `autoCreateService` makes; default: the same.
    #[schemars(range(min = 1, max = 65535))]
    pub service_port: Option<i32>,
    /// `TCP` (default), `UDP` or `SCTP`.
    pub protocol: Option<Protocol>,
}

/// Protocol of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Protocol {
    /// TCP.
    #[default]
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// SCTP.
    #[serde(rename = "SCTP")]
    Sctp,
}

impl Protocol {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

/// Probes of a container. Migration Jobs never have them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probes {
    /// Restarts the container when it fails.
    pub liveness_probe: Option<Probe>,
    /// Takes the pod out of its Services while it fails.
    pub readiness_probe: Option<Probe>,
    /// Holds the other probes back until it succeeds.
    pub startup_probe: Option<Probe>,
}
