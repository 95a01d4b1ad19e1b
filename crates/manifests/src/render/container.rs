//! Containers: image, environment, mounts; and the security contexts that are the same everywhere.

use std::collections::BTreeMap;

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapEnvSource, Container as KubeContainer, ContainerPort, EnvFromSource,
    EnvVar as KubeEnvVar, EnvVarSource, LocalObjectReference, PodSecurityContext,
    ResourceRequirements, SeccompProfile, SecretEnvSource, SecretKeySelector, SecurityContext,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::metadata::list;
use crate::values::{
    ConfigKind, Container, Engine, EnvFrom, EnvVar, NamedContainer, Probes, PullPolicy, PullSecret,
    Scalar, Values,
};

/// A user that is in no image: it owns nothing.
const NOBODY: i64 = 65532;
/// Digits of a digest that tell a release, as container tools shorten them.
const DIGITS: usize = 12;

/// `image[:tag][@digest]`.
pub fn image(image: &str, tag: Option<&Scalar>, digest: Option<&str>) -> String {
    let mut reference = image.to_owned();
    if let Some(tag) = tag {
        reference = format!("{reference}:{tag}");
    }
    if let Some(digest) = digest {
        reference = format!("{reference}@{digest}");
    }
    reference
}

/// The image of forerun.
pub fn engine_image(engine: &Engine) -> String {
    let default = Scalar::Text(env!("CARGO_PKG_VERSION").to_owned());
    let name = engine.image.as_deref().unwrap_or("forerun");
    let whole = tag_in(name).is_some() || name.contains('@');
    image(
        name,
        engine.image_tag.as_ref().or((!whole).then_some(&default)),
        engine.image_digest.as_deref(),
    )
}

/// The tag that stands in the name of an image, such as `1.2` in `registry.example:5000/app:1.2`.
pub fn tag_in(image: &str) -> Option<&str> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    Some(tag)
}

/// The release that an image is: its tag, else the beginning of its digest. `latest` is none.
pub fn release(image: &str, tag: Option<&Scalar>, digest: Option<&str>) -> Option<String> {
    let tag = tag
        .map(ToString::to_string)
        .or_else(|| tag_in(image).map(str::to_owned))
        .filter(|tag| tag != "latest");
    tag.or_else(|| {
        let digest = digest.or_else(|| image.split_once('@').map(|(_, digest)| digest))?;
        let (_, digits) = digest.split_once(':')?;
        digits.get(..DIGITS).map(str::to_owned)
    })
}

pub fn texts(scalars: &[Scalar]) -> Vec<String> {
    scalars.iter().map(ToString::to_string).collect()
}

pub fn pull_policy(policy: Option<PullPolicy>) -> Option<String> {
    policy.map(|policy| policy.as_str().to_owned())
}

/// A container's own variables, then those of its `secretRefs` that it does not have yet.
pub fn env(own: &[EnvVar], secret_refs: &[String], values: &Values) -> Vec<KubeEnvVar> {
    let mut all: Vec<KubeEnvVar> = own
        .iter()
        .map(|variable| KubeEnvVar {
            name: variable.name.clone(),
            value: variable.value.as_ref().map(ToString::to_string),
            value_from: variable.value_from.clone(),
        })
        .collect();
    let referenced = secret_refs
        .iter()
        .filter_map(|name| values.secret_refs.get(name))
        .flatten();
    for reference in referenced {
        if all.iter().all(|variable| variable.name != reference.name) {
            all.push(KubeEnvVar {
                name: reference.name.clone(),
                value: None,
                value_from: Some(EnvVarSource {
                    secret_key_ref: Some(SecretKeySelector {
                        name: reference.secret_key_ref.name.clone(),
                        key: reference.secret_key_ref.key.clone(),
                        optional: reference.secret_key_ref.optional,
                    }),
                    ..EnvVarSource::default()
                }),
            });
        }
    }
    all
}

pub fn env_from(sources: &[EnvFrom], values: &Values) -> Vec<EnvFromSource> {
    sources
        .iter()
        .map(|source| {
            let mut secret = source.secret_ref.clone();
            let mut config_map = source.config_map_ref.clone();
            if let Some(name) = &source.config_name {
                let kind = source
                    .kind
                    .or_else(|| values.configs.get(name).map(|config| config.kind))
                    .unwrap_or_default();
                let reference = crate::values::Reference {
                    name: name.clone(),
                    optional: source.optional,
                };
                match kind {
                    ConfigKind::Secret => secret = Some(reference),
                    ConfigKind::ConfigMap => config_map = Some(reference),
                }
            }
            EnvFromSource {
                prefix: source.prefix.clone(),
                secret_ref: secret.map(|reference| SecretEnvSource {
                    name: reference.name,
                    optional: reference.optional,
                }),
                config_map_ref: config_map.map(|reference| ConfigMapEnvSource {
                    name: reference.name,
                    optional: reference.optional,
                }),
            }
        })
        .collect()
}

/// A container of an application. `probes` are those where it has none.
pub fn of_application(
    name: &str,
    container: &Container,
    default_image: &str,
    probes: Option<&Probes>,
    security_context: Option<&SecurityContext>,
    values: &Values,
) -> KubeContainer {
    let own = container.probes.clone().unwrap_or_default();
    let default = probes.cloned().unwrap_or_default();
    KubeContainer {
        name: name.to_owned(),
        image: Some(image(
            container.image.as_deref().unwrap_or(default_image),
            container.image_tag.as_ref(),
            container.image_digest.as_deref(),
        )),
        image_pull_policy: pull_policy(container.image_pull_policy),
        command: container.command.as_deref().map(texts).and_then(list),
        args: container.args.as_deref().map(texts).and_then(list),
        working_dir: container.working_dir.clone(),
        env: list(env(&container.env, &container.secret_refs, values)),
        env_from: list(env_from(&container.env_from, values)),
        ports: list(
            container
                .ports
                .iter()
                .map(|(name, port)| ContainerPort {
                    name: Some(name.clone()),
                    container_port: port.container_port,
                    protocol: Some(port.protocol.unwrap_or_default().as_str().to_owned()),
                    ..ContainerPort::default()
                })
                .collect(),
        ),
        resources: given(container.resources.as_ref()),
        security_context: overlaid(security_context, container.security_context.as_ref()),
        liveness_probe: own.liveness_probe.or(default.liveness_probe),
        readiness_probe: own.readiness_probe.or(default.readiness_probe),
        startup_probe: own.startup_probe.or(default.startup_probe),
        volume_mounts: list(container.volume_mounts.clone()),
        lifecycle: container.lifecycle.clone(),
        ..KubeContainer::default()
    }
}

/// A container beside or before the others.
pub fn named(container: &NamedContainer, values: &Values) -> KubeContainer {
    KubeContainer {
        name: container.name.clone(),
        image: Some(image(
            &container.image,
            container.image_tag.as_ref(),
            container.image_digest.as_deref(),
        )),
        image_pull_policy: pull_policy(container.image_pull_policy),
        command: container.command.as_deref().map(texts).and_then(list),
        args: container.args.as_deref().map(texts).and_then(list),
        working_dir: container.working_dir.clone(),
        env: list(env(&container.env, &container.secret_refs, values)),
        env_from: list(env_from(&container.env_from, values)),
        resources: given(container.resources.as_ref()),
        security_context: container.security_context.clone(),
        volume_mounts: list(container.volume_mounts.clone()),
        startup_probe: container.startup_probe.clone(),
        ..KubeContainer::default()
    }
}

/// Two security contexts; the second wins, key by key.
pub fn overlaid(
    first: Option<&SecurityContext>,
    second: Option<&SecurityContext>,
) -> Option<SecurityContext> {
    let mut both = first.cloned();
    both.merge_from(second.cloned());
    both.filter(|context| *context != SecurityContext::default())
}

/// The same for pods.
pub fn overlaid_pod(
    first: Option<&PodSecurityContext>,
    second: Option<&PodSecurityContext>,
) -> Option<PodSecurityContext> {
    let mut both = first.cloned();
    both.merge_from(second.cloned());
    both.filter(|context| *context != PodSecurityContext::default())
}

/// What the "restricted" Pod Security Standard asks of a container, and a read-only file system.
pub fn restricted() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            ..Capabilities::default()
        }),
        ..SecurityContext::default()
    }
}

/// What the "restricted" Pod Security Standard asks of a pod, as a user of its own.
pub fn restricted_pod() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(NOBODY),
        run_as_group: Some(NOBODY),
        fs_group: Some(NOBODY),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

/// Resources, unless there are none in them.
pub fn given(resources: Option<&ResourceRequirements>) -> Option<ResourceRequirements> {
    resources
        .filter(|resources| **resources != ResourceRequirements::default())
        .cloned()
}

pub fn resources(cpu: &str, memory: &str, memory_limit: &str) -> ResourceRequirements {
    let quantity = |text: &str| Quantity(text.to_owned());
    ResourceRequirements {
        requests: Some(BTreeMap::from([
            ("cpu".to_owned(), quantity(cpu)),
            ("memory".to_owned(), quantity(memory)),
        ])),
        limits: Some(BTreeMap::from([(
            "memory".to_owned(),
            quantity(memory_limit),
        )])),
        ..ResourceRequirements::default()
    }
}

/// Enough for forerun to copy itself or to wait.
pub fn engine_resources() -> ResourceRequirements {
    resources("10m", "32Mi", "128Mi")
}

/// The Secrets for pulling images: of the top level, then of the deployment; each once.
pub fn pull_secrets(values: &Values, own: &[PullSecret]) -> Option<Vec<LocalObjectReference>> {
    let mut names: Vec<&str> = Vec::new();
    let all = values
        .image_pull_secret
        .as_deref()
        .into_iter()
        .chain(values.image_pull_secrets.iter().map(PullSecret::name))
        .chain(
            values
                .generic
                .extra_image_pull_secrets
                .iter()
                .map(PullSecret::name),
        )
        .chain(own.iter().map(PullSecret::name));
    for name in all {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    list(
        names
            .into_iter()
            .map(|name| LocalObjectReference {
                name: name.to_owned(),
            })
            .collect(),
    )
}
