//! Volumes and where they are mounted.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Volume, VolumeMount};
use serde_json::Value;

use super::{Check, config, repeated};
use crate::{values::ConfigKind, yaml::At};

/// The volumes of a pod.
pub(super) fn volumes(check: &mut Check<'_, '_>, volumes: &[Volume], at: &At<'_>) {
    for (index, first) in repeated(volumes.iter().map(|volume| &volume.name)) {
        let message = format!(
            "the volume `{}` is already item {first} of this list",
            volumes[index].name
        );
        check.error(
            &at.index(index).key("name"),
            message,
            "give each volume a name of its own",
        );
    }
    for (index, volume) in volumes.iter().enumerate() {
        let at = at.index(index);
        name(check, &volume.name, &at.key("name"));
        let mut sources = sources(volume);
        match sources.len() {
            0 => check.error_in_key(
                &at,
                format!("the volume `{}` says not what it is", volume.name),
                "add one of `configMap`, `secret`, `emptyDir: {}`, `persistentVolumeClaim`, …",
            ),
            1 => {}
            _ => {
                let second = sources.swap_remove(1);
                let message = format!("the volume `{}` has more than one source", volume.name);
                check.error_in_key(&at.key(&second), message, "keep one");
            }
        }
        let configs = &check.values.configs;
        if let Some(source) = &volume.config_map
            && let Some(found) = configs.get(&source.name)
        {
            config::same_kind(
                check,
                found,
                ConfigKind::ConfigMap,
                &source.name,
                &at.key("configMap").key("name"),
            );
        }
        if let Some(source) = volume
            .secret
            .as_ref()
            .and_then(|source| source.secret_name.as_ref())
            && let Some(found) = configs.get(source)
        {
            config::same_kind(
                check,
                found,
                ConfigKind::Secret,
                source,
                &at.key("secret").key("secretName"),
            );
        }
    }
}

/// The keys of a volume besides its name.
fn sources(volume: &Volume) -> Vec<String> {
    match serde_json::to_value(volume) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(key, _)| key)
            .filter(|key| key != "name")
            .collect(),
        _ => Vec::new(),
    }
}

fn name(check: &mut Check<'_, '_>, name: &str, at: &At<'_>) {
    let inner = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if name.is_empty() || name.len() > 63 || !inner || name.starts_with('-') || name.ends_with('-')
    {
        let help =
            "at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends";
        check.error(at, format!("{name:?} cannot be the name of a volume"), help);
    }
}

/// Where a container mounts volumes. `known` are the names of the pod's volumes, which stand in `holders`.
pub(super) fn mounts(
    check: &mut Check<'_, '_>,
    mounts: &[VolumeMount],
    known: &BTreeSet<&str>,
    holders: &[&At<'_>],
    at: &At<'_>,
) {
    for (index, first) in repeated(
        mounts
            .iter()
            .map(|mount| mount.mount_path.trim_end_matches('/')),
    ) {
        let message = format!(
            "item {first} of this list is mounted at {} already",
            mounts[index].mount_path
        );
        check.error(&at.index(index).key("mountPath"), message, "");
    }
    for (index, mount) in mounts.iter().enumerate() {
        let at = at.index(index);
        if mount.mount_path.is_empty() || mount.mount_path.contains(':') {
            check.error(
                &at.key("mountPath"),
                "a path to mount at must not be empty or hold a colon",
                "",
            );
        }
        if mount.sub_path.is_some() && mount.sub_path_expr.is_some() {
            check.error(
                &at.key("subPathExpr"),
                "`subPath` and `subPathExpr` exclude each other",
                "",
            );
        }
        if known.contains(mount.name.as_str())
            || holders.iter().any(|holder| check.is_spoiled(holder))
        {
            continue;
        }
        let names: Vec<&str> = known.iter().copied().collect();
        if let Some(holder) = holders.first() {
            check.no_such(&at.key("name"), &mount.name, holder, &names, "the volume");
        }
    }
}
