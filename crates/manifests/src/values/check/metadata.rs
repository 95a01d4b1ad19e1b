//! Labels and annotations.

use std::collections::BTreeMap;

use super::Check;
use crate::yaml::At;

/// All annotations of an object together, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;
/// Set by forerun on every object; a value of the user's would be replaced.
const OWN_LABELS: [&str; 2] = ["app.kubernetes.io/name", "app.kubernetes.io/instance"];

pub(super) fn check(check: &mut Check<'_, '_>) {
    let values = check.values;
    let root = At::ROOT;
    labels(check, &values.common_labels, &root.key("commonLabels"));
    annotations(
        check,
        &values.common_annotations,
        &root.key("commonAnnotations"),
    );
    let generic = root.key("generic");
    labels(check, &values.generic.labels, &generic.key("labels"));
    annotations(
        check,
        &values.generic.annotations,
        &generic.key("annotations"),
    );
    if let Some(name) = &values.name_override
        && !is_label_value(name)
    {
        check.error(
            &root.key("nameOverride"),
            format!("{name:?} cannot be the value of a label"),
            LABEL_VALUE,
        );
    }
    let general = root.key("deploymentsGeneral");
    labels(
        check,
        &values.deployments_general.pod_labels,
        &general.key("podLabels"),
    );
    annotations(
        check,
        &values.deployments_general.annotations,
        &general.key("annotations"),
    );
    annotations(
        check,
        &values.deployments_general.pod_annotations,
        &general.key("podAnnotations"),
    );
    selector(
        check,
        &values.deployments_general.node_selector,
        &general.key("nodeSelector"),
    );
}

const LABEL_VALUE: &str =
    "at most 63 letters, digits, dashes, dots and underscores, with a letter or digit at both ends";

/// Labels that objects get.
pub(super) fn labels(check: &mut Check<'_, '_>, labels: &BTreeMap<String, String>, at: &At<'_>) {
    selector(check, labels, at);
    for name in OWN_LABELS.iter().filter(|name| labels.contains_key(**name)) {
        let message = format!("forerun sets the label {name} itself; this value is not used");
        check.warn(&at.key(name), message, "remove it");
    }
}

/// Labels that other objects must have.
pub(super) fn selector(check: &mut Check<'_, '_>, labels: &BTreeMap<String, String>, at: &At<'_>) {
    for (name, value) in labels {
        qualified_name(check, name, &at.key(name));
        if !is_label_value(value) {
            check.error(
                &at.key(name),
                format!("{value:?} cannot be the value of a label"),
                LABEL_VALUE,
            );
        }
    }
}

pub(super) fn annotations(
    check: &mut Check<'_, '_>,
    annotations: &BTreeMap<String, String>,
    at: &At<'_>,
) {
    annotations
        .keys()
        .for_each(|name| qualified_name(check, name, &at.key(name)));
    let size: usize = annotations
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > MAX_ANNOTATIONS {
        check.error_in_key(
            at,
            format!("annotations of {size} bytes; Kubernetes stores at most 256 KiB"),
            "",
        );
    }
}

fn qualified_name(check: &mut Check<'_, '_>, name: &str, at: &At<'_>) {
    let (prefix, short) = match name.split_once('/') {
        Some((prefix, short)) => (Some(prefix), short),
        None => (None, name),
    };
    let good_prefix = prefix.is_none_or(|prefix| {
        prefix.len() <= 253
            && prefix.split('.').all(|part| {
                !part.is_empty()
                    && !part.starts_with('-')
                    && !part.ends_with('-')
                    && part.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
                    })
            })
    });
    if !good_prefix || short.is_empty() || !is_label_value(short) {
        let help = "a name of at most 63 letters, digits, dashes, dots and underscores, and before it, if anything, \
                    a domain and a slash: example.com/team";
        check.error_in_key(
            at,
            format!("{name:?} cannot be the name of a label or annotation"),
            help,
        );
    }
}

fn is_label_value(text: &str) -> bool {
    let at_ends = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && at_ends(text.bytes().next())
        && at_ends(text.bytes().next_back())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}
