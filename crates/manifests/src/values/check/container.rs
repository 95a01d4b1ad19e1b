//! Containers: image, environment, ports, probes.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    api::core::v1::{EnvVarSource, Probe, VolumeMount},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{Check, config, quantity, repeated, volume};
use crate::{
    values::{ConfigKind, Container, EnvFrom, EnvVar, NamedContainer, Port, Protocol, Scalar},
    yaml::At,
};

/// The volumes that a container may mount: their names, and where they stand.
pub(super) struct Volumes<'a> {
    pub(super) known: BTreeSet<&'a str>,
    pub(super) holders: Vec<&'a At<'a>>,
}

impl Volumes<'_> {
    pub(super) fn mounted(&self, check: &mut Check<'_, '_>, mounts: &[VolumeMount], at: &At<'_>) {
        volume::mounts(check, mounts, &self.known, &self.holders, at);
    }
}

/// A container of a deployment.
pub(super) fn container(
    check: &mut Check<'_, '_>,
    container: &Container,
    volumes: &Volumes<'_>,
    at: &At<'_>,
) {
    if container.image.is_none() && !check.is_spoiled(&at.key("image")) {
        check.error_in_key(
            at,
            "`image` is missing",
            "name the image that this container runs",
        );
    }
    image(
        check,
        container.image.as_deref(),
        container.image_tag.as_ref(),
        container.image_digest.as_deref(),
        at,
    );
    env(check, &container.env, &at.key("env"));
    env_from(check, &container.env_from, &at.key("envFrom"));
    secret_refs(check, &container.secret_refs, &at.key("secretRefs"));
    ports(check, &container.ports, &at.key("ports"));
    quantity::resources(check, container.resources.as_ref(), &at.key("resources"));
    volumes.mounted(check, &container.volume_mounts, &at.key("volumeMounts"));
    let probes_at = at.key("probes");
    if let Some(probes) = &container.probes {
        for (key, given) in [
            ("livenessProbe", &probes.liveness_probe),
            ("readinessProbe", &probes.readiness_probe),
            ("startupProbe", &probes.startup_probe),
        ] {
            probe(
                check,
                given.as_ref(),
                Some(&container.ports),
                &probes_at.key(key),
            );
        }
    }
}

/// A container that stands in a list.
pub(super) fn named(
    check: &mut Check<'_, '_>,
    container: &NamedContainer,
    volumes: &Volumes<'_>,
    at: &At<'_>,
) {
    image(
        check,
        Some(&container.image),
        container.image_tag.as_ref(),
        container.image_digest.as_deref(),
        at,
    );
    env(check, &container.env, &at.key("env"));
    env_from(check, &container.env_from, &at.key("envFrom"));
    secret_refs(check, &container.secret_refs, &at.key("secretRefs"));
    quantity::resources(check, container.resources.as_ref(), &at.key("resources"));
    volumes.mounted(check, &container.volume_mounts, &at.key("volumeMounts"));
    probe(
        check,
        container.startup_probe.as_ref(),
        None,
        &at.key("startupProbe"),
    );
}

/// Containers of a list, their names, and whether they may be probed.
pub(super) fn named_list(
    check: &mut Check<'_, '_>,
    containers: &[NamedContainer],
    volumes: &Volumes<'_>,
    sidecars: bool,
    at: &At<'_>,
) {
    for (index, first) in repeated(containers.iter().map(|container| &container.name)) {
        let message = format!(
            "the container `{}` is already item {first} of this list",
            containers[index].name
        );
        check.error(
            &at.index(index).key("name"),
            message,
            "give each container a name of its own",
        );
    }
    for (index, container) in containers.iter().enumerate() {
        let at = at.index(index);
        named(check, container, volumes, &at);
        if container.startup_probe.is_some() && !sidecars {
            let message = "a container that runs to its end has no startup probe";
            check.error_in_key(
                &at.key("startupProbe"),
                message,
                "remove it; only sidecars have one",
            );
        }
    }
}

/// An image with its tag and digest.
pub(super) fn image(
    check: &mut Check<'_, '_>,
    image: Option<&str>,
    tag: Option<&Scalar>,
    digest: Option<&str>,
    at: &At<'_>,
) {
    if let Some(image) = image.filter(|image| !image.contains("{{")) {
        let place = at.key("image");
        let shown = |check: &Check<'_, '_>| check.quoted(&place, image);
        let name = image.split('@').next().unwrap_or_default();
        let path = name.rsplit('/').next().unwrap_or_default();
        if image.trim() != image || image.is_empty() || image.contains(char::is_whitespace) {
            check.error(
                &place,
                "the name of an image must not be empty or hold blanks",
                "",
            );
        } else if name.split(':').next().is_some_and(|name| {
            name.contains(|c: char| c.is_ascii_uppercase()) && !name.contains('.')
        }) {
            check.error(&place, "the name of an image is in lower-case letters", "");
        } else if image.ends_with([':', '@', '/']) {
            check.error(
                &place,
                format!("the image {} ends too early", shown(check)),
                "add the tag, or remove the colon",
            );
        }
        let has_tag = path.contains(':');
        if tag.is_some() && (has_tag || image.contains('@')) {
            let what = if has_tag { "tag" } else { "digest" };
            let message = format!("the image {} has a {what} already", shown(check));
            check.error(
                &at.key("imageTag"),
                message,
                format!("remove `imageTag`, or the {what} from `image`"),
            );
        }
        if digest.is_some() && image.contains('@') {
            let message = format!("the image {} has a digest already", shown(check));
            check.error(&at.key("imageDigest"), message, "keep one of them");
        }
    }
    if let Some(tag) = tag.map(Scalar::to_string) {
        let good = (1..=128).contains(&tag.len())
            && !tag.starts_with(['.', '-'])
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        if !good {
            let help =
                "at most 128 letters, digits, `_`, `.` and `-`, the first a letter, digit or `_`";
            check.error(
                &at.key("imageTag"),
                format!("{tag:?} cannot be the tag of an image"),
                help,
            );
        }
    }
}

/// Environment variables.
pub(super) fn env(check: &mut Check<'_, '_>, env: &[EnvVar], at: &At<'_>) {
    for (index, first) in repeated(env.iter().map(|variable| &variable.name)) {
        let message = format!(
            "the variable {} is already set by item {first} of this list",
            env[index].name
        );
        check.error(&at.index(index).key("name"), message, "remove one of them");
    }
    for (index, variable) in env.iter().enumerate() {
        let at = at.index(index);
        match (&variable.value, &variable.value_from) {
            (Some(_), Some(_)) => {
                let message = format!("the variable {} has `value` and `valueFrom`", variable.name);
                check.error_in_key(&at.key("valueFrom"), message, "keep one of them");
            }
            (None, Some(source)) => value_from(check, source, &at.key("valueFrom")),
            (None, None) if !check.is_spoiled(&at) => {
                let message = format!(
                    "the variable {} has neither `value` nor `valueFrom`",
                    variable.name
                );
                check.warn(
                    &at.key("name"),
                    message,
                    "it will be empty; to say so, write `value: \"\"`",
                );
            }
            _ => {}
        }
    }
}

fn value_from(check: &mut Check<'_, '_>, source: &EnvVarSource, at: &At<'_>) {
    let given = [
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let help = "one of `secretKeyRef`, `configMapKeyRef`, `fieldRef` and `resourceFieldRef`";
        check.error_in_key(at, "`valueFrom` needs exactly one source", help);
    }
    if let Some(key) = &source.secret_key_ref {
        let (optional, at) = (key.optional == Some(true), at.key("secretKeyRef"));
        config::key_reference(
            check,
            ConfigKind::Secret,
            &key.name,
            &key.key,
            optional,
            &at,
        );
    }
    if let Some(key) = &source.config_map_key_ref {
        let (optional, at) = (key.optional == Some(true), at.key("configMapKeyRef"));
        config::key_reference(
            check,
            ConfigKind::ConfigMap,
            &key.name,
            &key.key,
            optional,
            &at,
        );
    }
}

/// Configs as a whole.
pub(super) fn env_from(check: &mut Check<'_, '_>, env_from: &[EnvFrom], at: &At<'_>) {
    for (index, source) in env_from.iter().enumerate() {
        let at = at.index(index);
        let given = [
            source.config_name.is_some(),
            source.secret_ref.is_some(),
            source.config_map_ref.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            let help = "`configName` with `type`, or `secretRef`, or `configMapRef`";
            check.error_in_key(&at, "an item of `envFrom` needs exactly one source", help);
            continue;
        }
        let configs = &check.values.configs;
        let native = [
            (&source.secret_ref, ConfigKind::Secret, "secretRef"),
            (
                &source.config_map_ref,
                ConfigKind::ConfigMap,
                "configMapRef",
            ),
        ];
        for (reference, kind, key) in native {
            let Some(reference) = reference else { continue };
            if source.kind.is_some() || source.optional.is_some() {
                let key = if source.kind.is_some() {
                    "type"
                } else {
                    "optional"
                };
                let message = format!("`{key}` belongs to `configName`");
                check.error_in_key(
                    &at.key(key),
                    message,
                    "remove it, or move it into the reference",
                );
            }
            if let Some(config) = configs.get(&reference.name) {
                config::same_kind(
                    check,
                    config,
                    kind,
                    &reference.name,
                    &at.key(key).key("name"),
                );
            }
        }
        let Some(name) = &source.config_name else {
            continue;
        };
        match configs.get(name) {
            Some(config) => {
                if let Some(kind) = source.kind {
                    config::same_kind(check, config, kind, name, &at.key("type"));
                }
            }
            None => {
                let known: Vec<&str> = configs.keys().map(String::as_str).collect();
                check.no_such(
                    &at.key("configName"),
                    name,
                    &At::ROOT.key("configs"),
                    &known,
                    "the config",
                );
            }
        }
    }
}

/// Names of `secretRefs`.
pub(super) fn secret_refs(check: &mut Check<'_, '_>, names: &[String], at: &At<'_>) {
    for (index, name) in names.iter().enumerate() {
        if !check.values.secret_refs.contains_key(name) {
            let known: Vec<&str> = check
                .values
                .secret_refs
                .keys()
                .map(String::as_str)
                .collect();
            check.no_such(
                &at.index(index),
                name,
                &At::ROOT.key("secretRefs"),
                &known,
                "the list",
            );
        }
    }
}

fn ports(check: &mut Check<'_, '_>, ports: &BTreeMap<String, Port>, at: &At<'_>) {
    let mut taken: BTreeMap<(i32, &str), &str> = BTreeMap::new();
    for (name, port) in ports {
        if !name.contains(|c: char| c.is_ascii_lowercase()) {
            let message = format!("the port name {name:?} has no letter");
            check.error_in_key(&at.key(name), message, "begin it with a word, such as http");
        }
        let protocol = port.protocol.unwrap_or(Protocol::Tcp).as_str();
        if let Some(first) = taken.insert((port.container_port, protocol), name) {
            let message = format!("port {} is `{first}` already", port.container_port);
            check.error(
                &at.key(name).key("containerPort"),
                message,
                "a container lists each port once",
            );
        }
    }
}

/// A probe, and the port it names.
pub(super) fn probe(
    check: &mut Check<'_, '_>,
    probe: Option<&Probe>,
    ports: Option<&BTreeMap<String, Port>>,
    at: &At<'_>,
) {
    let Some(probe) = probe else { return };
    let given = [
        probe.http_get.is_some(),
        probe.tcp_socket.is_some(),
        probe.exec.is_some(),
        probe.grpc.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let help = "one of `httpGet`, `tcpSocket`, `exec` and `grpc`";
        check.error_in_key(at, "a probe needs exactly one way to ask", help);
    }
    let named = [
        (probe.http_get.as_ref().map(|get| &get.port), "httpGet"),
        (
            probe.tcp_socket.as_ref().map(|socket| &socket.port),
            "tcpSocket",
        ),
    ];
    for (port, key) in named {
        let at = at.key(key);
        match (port, ports) {
            (Some(IntOrString::Int(number)), _) if !(1..=65535).contains(number) => {
                check.error(
                    &at.key("port"),
                    format!("port {number}: ports are numbers from 1 to 65535"),
                    "",
                );
            }
            (Some(IntOrString::String(name)), Some(ports)) if !ports.contains_key(name) => {
                let known: Vec<&str> = ports.keys().map(String::as_str).collect();
                let help = match known.is_empty() {
                    true => "the container has no ports: add it, or write its number".to_owned(),
                    false => format!("the container's ports are: {}", known.join(", ")),
                };
                check.error(
                    &at.key("port"),
                    format!("the container has no port named {name:?}"),
                    help,
                );
            }
            _ => {}
        }
    }
}
