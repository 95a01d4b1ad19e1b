//! The annotation that changes with the contents of the configs that a pod uses.
//!
//! Kubernetes does not restart pods whose Secret or ConfigMap has changed; a changed pod template does. In Jobs named
//! by `hash` it makes a new Job of changed contents.

use std::fmt::Write;

use k8s_openapi::api::core::v1::PodSpec;

use super::metadata::Map;
use super::names::hexadecimal;
use super::references;
use crate::values::{ConfigKind, Values};

/// Name of the annotation. One of this name in the values wins: a fixed text in `podAnnotations` switches it off.
const ANNOTATION: &str = "forerun.dev/configs-checksum";

/// The annotation of a pod; empty when it uses no config of these values.
pub fn annotation(pod: &mut PodSpec, values: &Values) -> Map {
    let mut text = String::new();
    for name in references::configs(pod, values) {
        let Some(config) = values.configs.get(&name) else {
            continue;
        };
        let kind = match config.kind {
            ConfigKind::Secret => "secret",
            ConfigKind::ConfigMap => "configMap",
        };
        // Each value by its own hash: what it contains cannot look like the next line. Writing to a String succeeds.
        let _ = writeln!(text, "{kind} {name}");
        for (key, value) in &config.data {
            let _ = writeln!(
                text,
                "data {key}={}",
                hexadecimal(value.to_string().as_bytes())
            );
        }
        for (key, value) in &config.binary_data {
            let _ = writeln!(text, "binaryData {key}={}", hexadecimal(value.as_bytes()));
        }
    }
    if text.is_empty() {
        return Map::new();
    }
    Map::from([(ANNOTATION.to_owned(), hexadecimal(text.as_bytes()))])
}
