//! What makes Helm and Argo CD run migrations before the rest, and take them away afterwards.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container as KubeContainer, PodSpec, PodTemplateSpec};

use super::Delivery;
use super::container::{engine_image, restricted, restricted_pod};
use super::metadata::{self, Map, Metadata, merged, object};
use super::migration;
use super::plan::Plan;
use crate::values::{JobName, Values};

/// Events of Helm at which migrations run (Helm's documentation, "Chart Hooks").
const EVENTS: &str = "pre-install,pre-upgrade";
/// How much earlier than the Job its preparation comes. Hooks of one weight have no order that one could rely on.
const PREPARATION: i32 = 10;

fn map<const N: usize>(entries: [(&str, String); N]) -> Map {
    entries.map(|(key, value)| (key.to_owned(), value)).into()
}

/// Annotations of the Job of a step.
pub fn of_job(plan: &Plan<'_>, index: usize) -> Map {
    let place = plan
        .weight()
        .saturating_add(i32::try_from(index).unwrap_or(i32::MAX));
    let own = &plan.migrations.hook;
    let policy = own
        .delete_policy
        .as_ref()
        .map(crate::values::OneOrMany::joined);
    let log = own
        .log_policy
        .as_ref()
        .map(crate::values::OneOrMany::joined);
    match plan.delivery {
        Delivery::Helm => map([
            ("helm.sh/hook", EVENTS.to_owned()),
            ("helm.sh/hook-weight", place.to_string()),
            (
                "helm.sh/hook-delete-policy",
                policy.unwrap_or_else(|| "before-hook-creation".to_owned()),
            ),
            (
                "helm.sh/hook-output-log-policy",
                log.unwrap_or_else(|| "hook-failed,hook-succeeded".to_owned()),
            ),
        ]),
        Delivery::Argo => map([
            ("argocd.argoproj.io/hook", "PreSync".to_owned()),
            ("argocd.argoproj.io/sync-wave", place.to_string()),
            (
                "argocd.argoproj.io/hook-delete-policy",
                policy.map_or_else(
                    || "BeforeHookCreation".to_owned(),
                    |policy| argo_policy(&policy),
                ),
            ),
        ]),
        Delivery::Plain | Delivery::Deploy => Map::new(),
    }
}

/// Argo CD's words for Helm's (Argo CD's documentation, "Resource Hooks").
fn argo_policy(policy: &str) -> String {
    policy
        .replace("before-hook-creation", "BeforeHookCreation")
        .replace("hook-succeeded", "HookSucceeded")
        .replace("hook-failed", "HookFailed")
}

/// Annotations of what a Job of this weight needs before it. Helm takes it away again when the Job has ended, and
/// after a Helm that was killed meanwhile, when it uninstalls the release.
pub fn before(delivery: Delivery, weight: i32) -> Map {
    let place = weight.saturating_sub(PREPARATION).to_string();
    match delivery {
        Delivery::Helm => map([
            ("helm.sh/hook", format!("{EVENTS},post-delete")),
            ("helm.sh/hook-weight", place),
            (
                "helm.sh/hook-delete-policy",
                "before-hook-creation,hook-succeeded".to_owned(),
            ),
        ]),
        Delivery::Argo => map([
            ("argocd.argoproj.io/hook", "PreSync".to_owned()),
            ("argocd.argoproj.io/sync-wave", place),
            (
                "argocd.argoproj.io/hook-delete-policy",
                "BeforeHookCreation".to_owned(),
            ),
        ]),
        Delivery::Plain | Delivery::Deploy => Map::new(),
    }
}

/// A Job of the same name that runs nothing, at the end of `helm uninstall`.
///
/// Hooks are no part of a release: Helm leaves the finished migration Job behind. But before it creates a hook it
/// deletes the object of that name, and afterwards the hook itself; a Job of no completions is complete at once.
pub fn cleanup(plan: &Plan<'_>, name: &str, metadata: &Metadata, values: &Values) -> Option<Job> {
    if plan.delivery != Delivery::Helm || plan.job_name() != JobName::Fixed {
        return None;
    }
    let labels = migration::labels(plan, metadata, &Map::new());
    let hook = map([
        ("helm.sh/hook", "post-delete".to_owned()),
        (
            "helm.sh/hook-delete-policy",
            "before-hook-creation,hook-succeeded".to_owned(),
        ),
    ]);
    Some(Job {
        metadata: object(
            name,
            labels.clone(),
            merged(&metadata.annotations(&Map::new()), &hook),
        ),
        spec: Some(JobSpec {
            completions: Some(0),
            parallelism: Some(0),
            backoff_limit: Some(0),
            template: PodTemplateSpec {
                metadata: Some(metadata::pod(labels, Map::new())),
                spec: Some(PodSpec {
                    restart_policy: Some("Never".to_owned()),
                    automount_service_account_token: Some(false),
                    security_context: Some(restricted_pod()),
                    containers: vec![KubeContainer {
                        name: "none".to_owned(),
                        image: Some(engine_image(&values.forerun)),
                        security_context: Some(restricted()),
                        ..KubeContainer::default()
                    }],
                    ..PodSpec::default()
                }),
            },
            ..JobSpec::default()
        }),
        status: None,
    })
}
