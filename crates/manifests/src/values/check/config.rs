//! `configs` and `secretRefs`.

use super::{Check, metadata, repeated};
use crate::{
    values::{Config, ConfigKind},
    yaml::At,
};

/// Kubernetes stores at most so many bytes in a Secret or ConfigMap.
const MAX_SIZE: usize = 1 << 20;

pub(super) fn check(check: &mut Check<'_, '_>) {
    let values = check.values;
    let (root, configs) = (At::ROOT, At::ROOT.key("configs"));
    for (name, config) in &values.configs {
        one(check, config, &configs.key(name));
    }
    let all = root.key("secretRefs");
    for (name, references) in &values.secret_refs {
        let at = all.key(name);
        for (index, reference) in references.iter().enumerate() {
            let key = &reference.secret_key_ref;
            let optional = key.optional == Some(true);
            let at = at.index(index);
            key_reference(
                check,
                ConfigKind::Secret,
                &key.name,
                &key.key,
                optional,
                &at.key("secretKeyRef"),
            );
        }
        for (index, first) in repeated(references.iter().map(|reference| reference.name.as_str())) {
            let message = format!(
                "the variable {} is already set by item {first}",
                references[index].name
            );
            check.error(&at.index(index).key("name"), message, "remove one of them");
        }
    }
}

fn one(check: &mut Check<'_, '_>, config: &Config, at: &At<'_>) {
    metadata::labels(check, &config.labels, &at.key("labels"));
    metadata::annotations(check, &config.annotations, &at.key("annotations"));
    let mut size = 0;
    for (key, value) in &config.data {
        size += key.len() + value.to_string().len();
        if config.binary_data.contains_key(key) {
            let message = format!("the key {key:?} is in `data` and in `binaryData`");
            check.error_in_key(&at.key("binaryData").key(key), message, "keep one of them");
        }
    }
    for (key, value) in &config.binary_data {
        match base64_length(value) {
            Some(length) => size += key.len() + length,
            None => check.error(
                &at.key("binaryData").key(key),
                "this is not base64",
                "encode it (`base64 -w0 FILE`), or put plain text under `data`",
            ),
        }
    }
    if size > MAX_SIZE {
        let message =
            format!("{size} bytes; Kubernetes stores at most 1 MiB (1048576 bytes) in one object");
        check.error_in_key(at, message, "split it, or mount a volume");
    }
    match (&config.secret_type, config.kind) {
        (Some(_), ConfigKind::ConfigMap) => {
            let message = "`secretType` is for Secrets, and this is a ConfigMap";
            check.error_in_key(
                &at.key("secretType"),
                message,
                "set `type: secret`, or remove `secretType`",
            );
        }
        (Some(kind), ConfigKind::Secret) => required_keys(check, config, kind, at),
        (None, _) => {}
    }
}

/// The API server refuses Secrets of some types without certain keys.
fn required_keys(check: &mut Check<'_, '_>, config: &Config, kind: &str, at: &At<'_>) {
    let required: &[&str] = match kind {
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in required {
        if !config.data.contains_key(*key) && !config.binary_data.contains_key(*key) {
            let message = format!("a Secret of type {kind} needs the key `{key}`");
            check.error(&at.key("secretType"), message, "");
        }
    }
}

/// Whether a name leads to a config of these values of the right kind that has the key. A name that is not in
/// these values may exist in the cluster.
pub(super) fn key_reference(
    check: &mut Check<'_, '_>,
    kind: ConfigKind,
    name: &str,
    key: &str,
    optional: bool,
    at: &At<'_>,
) {
    let Some(config) = check.values.configs.get(name) else {
        return;
    };
    if !same_kind(check, config, kind, name, &at.key("name")) || optional {
        return;
    }
    if !config.data.contains_key(key) && !config.binary_data.contains_key(key) {
        let configs = At::ROOT.key("configs");
        let (holder, known) = (
            configs.key(name),
            config.data.keys().chain(config.binary_data.keys()),
        );
        let known: Vec<&str> = known.map(String::as_str).collect();
        check.no_such(&at.key("key"), key, &holder.key("data"), &known, "the key");
    }
}

/// Whether a config of these values is what a reference says. Reports where it is not.
pub(super) fn same_kind(
    check: &mut Check<'_, '_>,
    config: &Config,
    kind: ConfigKind,
    name: &str,
    at: &At<'_>,
) -> bool {
    let configs = At::ROOT.key("configs");
    let same = config.kind == kind;
    if !same && !check.is_spoiled(&configs.key(name)) {
        let words = |kind| match kind {
            ConfigKind::ConfigMap => "a ConfigMap",
            ConfigKind::Secret => "a Secret",
        };
        let message = format!(
            "`{name}` is {} in `configs`, not {}",
            words(config.kind),
            words(kind)
        );
        let help = match kind {
            ConfigKind::Secret => {
                format!("set `type: secret` in `configs.{name}`, or refer to a ConfigMap")
            }
            ConfigKind::ConfigMap => {
                format!("refer to a Secret, or remove `type: secret` from `configs.{name}`")
            }
        };
        check.error(at, message, help);
    }
    same
}

/// The length of what base64 stands for, with padding, line ends allowed.
fn base64_length(text: &str) -> Option<usize> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    let good = digits
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (good && padding <= 2 && text.len().is_multiple_of(4)).then_some(text.len() / 4 * 3 - padding)
}
