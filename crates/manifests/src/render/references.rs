//! The Secrets and ConfigMaps that a pod refers to.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;

use crate::values::{ConfigKind, Values};

/// Shows every name of a Secret or ConfigMap whose content a pod uses, for a change.
pub fn of_contents(pod: &mut PodSpec, found: &mut dyn FnMut(ConfigKind, &mut String)) {
    let containers = pod
        .init_containers
        .iter_mut()
        .flatten()
        .chain(&mut pod.containers);
    for container in containers {
        for source in container
            .env
            .iter_mut()
            .flatten()
            .filter_map(|env| env.value_from.as_mut())
        {
            if let Some(secret) = &mut source.secret_key_ref {
                found(ConfigKind::Secret, &mut secret.name);
            }
            if let Some(config_map) = &mut source.config_map_key_ref {
                found(ConfigKind::ConfigMap, &mut config_map.name);
            }
        }
        for source in container.env_from.iter_mut().flatten() {
            if let Some(secret) = &mut source.secret_ref {
                found(ConfigKind::Secret, &mut secret.name);
            }
            if let Some(config_map) = &mut source.config_map_ref {
                found(ConfigKind::ConfigMap, &mut config_map.name);
            }
        }
    }
    for volume in pod.volumes.iter_mut().flatten() {
        if let Some(name) = volume
            .secret
            .as_mut()
            .and_then(|secret| secret.secret_name.as_mut())
        {
            found(ConfigKind::Secret, name);
        }
        if let Some(config_map) = &mut volume.config_map {
            found(ConfigKind::ConfigMap, &mut config_map.name);
        }
        let projected = volume
            .projected
            .as_mut()
            .and_then(|projected| projected.sources.as_mut());
        for source in projected.into_iter().flatten() {
            if let Some(secret) = &mut source.secret {
                found(ConfigKind::Secret, &mut secret.name);
            }
            if let Some(config_map) = &mut source.config_map {
                found(ConfigKind::ConfigMap, &mut config_map.name);
            }
        }
    }
}

/// The same with the Secrets that its images are pulled with.
pub fn of_everything(pod: &mut PodSpec, found: &mut dyn FnMut(ConfigKind, &mut String)) {
    of_contents(pod, found);
    for secret in pod.image_pull_secrets.iter_mut().flatten() {
        found(ConfigKind::Secret, &mut secret.name);
    }
}

/// Names of the configs of these values whose content a pod uses.
pub fn configs(pod: &mut PodSpec, values: &Values) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    of_contents(pod, &mut |kind, name| {
        if is_config(values, kind, name) {
            names.insert(name.clone());
        }
    });
    names
}

/// Whether the values have such a config.
pub fn is_config(values: &Values, kind: ConfigKind, name: &str) -> bool {
    values
        .configs
        .get(name)
        .is_some_and(|config| config.kind == kind)
}
