//! Pods that are not even created: what a controller says about it.

use std::time::Duration;

use super::{Diagnosis, PASSES, Place, Verdict, WRONG};
use crate::api_error::one_line;
use crate::report::Outcome;

/// From the message of a `FailedCreate` event or of a `ReplicaFailure` condition.
pub(crate) fn refused(message: &str, kind: &str, name: &str, namespace: &str) -> Diagnosis {
    let place = Place {
        namespace,
        kind,
        name,
    };
    let text = one_line(message.strip_prefix("Error creating: ").unwrap_or(message));
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let found = if has(&["exceeded quota"]) {
        let mut found = place.diagnosis(
            "quota",
            PASSES,
            "the quota of the namespace has no room for the pod",
            "Raise the quota, lower the resources of the values, or free some; pods that end free \
             theirs by themselves.",
        );
        found.look = format!("kubectl describe quota -n {namespace}");
        found
    } else if has(&["must specify", "failed quota"]) {
        place.diagnosis(
            "quota",
            WRONG,
            "the quota of the namespace asks for resources that the pod does not name",
            "Set resources (requests and limits) in the values.",
        )
    } else if has(&[
        "usage per Container",
        "usage per Pod",
        "limit to request ratio",
    ]) {
        let mut found = place.diagnosis(
            "limit_range",
            WRONG,
            "the LimitRange of the namespace does not allow the pod's resources",
            "Correct resources of the values.",
        );
        found.look = format!("kubectl describe limitrange -n {namespace}");
        found
    } else if has(&["violates PodSecurity"]) {
        place.diagnosis(
            "pod_security",
            WRONG,
            "the Pod Security level of the namespace does not allow the pod",
            "Correct securityContext and volumes of the values, or the level of the namespace.",
        )
    } else if has(&["serviceaccount \"", "service account"]) && has(&["not found"]) {
        place.diagnosis(
            "service_account",
            (
                Verdict::HealsFor(Duration::from_secs(20)),
                Outcome::Configuration,
            ),
            "the service account of the pod does not exist",
            "Create it, put it under serviceAccounts of the values, or correct the name.",
        )
    } else if has(&["admission webhook", "ValidatingAdmissionPolicy"]) {
        place.diagnosis(
            "admission",
            WRONG,
            "an admission rule of the cluster refuses the pod",
            "Correct the values as the rule says, or ask those who own it.",
        )
    } else if has(&[
        "failed calling webhook",
        "connection refused",
        "context deadline exceeded",
        "timeout",
    ]) {
        place.diagnosis(
            "admission_unreachable",
            PASSES,
            "an admission webhook of the cluster does not answer",
            "It is tried again; look at the webhook's own pods.",
        )
    } else if has(&["is forbidden"]) {
        place.diagnosis(
            "forbidden",
            WRONG,
            "the pod may not be created",
            "Correct what the API server says.",
        )
    } else {
        place.diagnosis(
            "pod_not_created",
            PASSES,
            "the pod cannot be created yet",
            "The controller tries again by itself.",
        )
    };
    found.detail("cluster", text)
}
