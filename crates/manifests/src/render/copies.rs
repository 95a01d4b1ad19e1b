//! Copies of what the values create and a migration needs before it is created.
//!
//! A Job that runs before the release finds neither its Secrets nor its ConfigMaps on a first install; and the old
//! version's must not change before the migrations have succeeded. So the Job gets copies under names of their own,
//! and the application's stay ordinary objects of the release.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, ServiceAccount as KubeServiceAccount};

use super::metadata::{Metadata, merged, object};
use super::names::limited;
use super::plan::{Account, Plan};
use super::{Delivery, Object, Options, RenderError, configuration, hook, migration};
use crate::values::{ConfigKind, Values};

/// Name of the copy.
pub fn name(original: &str) -> String {
    limited(&format!("{original}-migrations"), "")
}

/// The copies that all plans need, each once.
pub fn objects(
    values: &Values,
    plans: &[Plan<'_>],
    metadata: &Metadata,
    options: &Options,
) -> Result<Vec<Object>, RenderError> {
    let mut configs: BTreeMap<String, (Delivery, i32)> = BTreeMap::new();
    let mut accounts: BTreeMap<String, (Delivery, i32)> = BTreeMap::new();
    for plan in plans.iter().filter(|plan| plan.delivery != Delivery::Plain) {
        for index in 0..plan.steps.len() {
            let mut pod = migration::pod_spec(plan, index, options)?;
            visit(&mut pod, &mut |kind, name| {
                if values
                    .configs
                    .get(name)
                    .is_some_and(|config| config.kind == kind)
                {
                    earliest(&mut configs, name, plan);
                }
            });
        }
        if let Account::Copy { of } = &plan.account {
            earliest(&mut accounts, of, plan);
        }
    }

    let mut objects = Vec::new();
    for (original, (delivery, weight)) in configs {
        if let Some(config) = values.configs.get(&original) {
            let annotations = metadata.annotations(&config.annotations);
            objects.push(configuration::config(
                config,
                object(
                    &name(&original),
                    metadata.migration_labels(&config.labels),
                    merged(&annotations, &hook::before(delivery, weight)),
                ),
            )?);
        }
    }
    let mut created = configuration::service_accounts(values);
    for (original, (delivery, weight)) in accounts {
        if let Some(account) = created.remove(&original) {
            let account = account.account;
            let annotations = metadata.annotations(&account.annotations);
            let copy: KubeServiceAccount = configuration::service_account(
                &account,
                object(
                    &name(&original),
                    metadata.migration_labels(&account.labels),
                    merged(&annotations, &hook::before(delivery, weight)),
                ),
            );
            objects.push(Object::new(&copy)?);
        }
    }
    Ok(objects)
}

/// A copy that several need comes before the first of them.
fn earliest(copies: &mut BTreeMap<String, (Delivery, i32)>, name: &str, plan: &Plan<'_>) {
    let entry = copies
        .entry(name.to_owned())
        .or_insert((plan.delivery, plan.weight()));
    entry.1 = entry.1.min(plan.weight());
}

/// Lets a pod use the copies.
pub fn rename(pod: &mut PodSpec, values: &Values) {
    visit(pod, &mut |kind, reference| {
        if values
            .configs
            .get(reference)
            .is_some_and(|config| config.kind == kind)
        {
            *reference = name(reference);
        }
    });
}

/// Every Secret and ConfigMap that a pod refers to.
fn visit(pod: &mut PodSpec, found: &mut dyn FnMut(ConfigKind, &mut String)) {
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
    for secret in pod.image_pull_secrets.iter_mut().flatten() {
        found(ConfigKind::Secret, &mut secret.name);
    }
}
