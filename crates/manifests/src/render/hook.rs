//! What makes Helm and Argo CD run migrations before the rest and close the ledger after it, and take the Jobs away
//! afterwards.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container as KubeContainer, PodSpec, PodTemplateSpec};

use super::Delivery;
use super::container::{engine_image, restricted, restricted_pod};
use super::metadata::{self, Map, Metadata, merged, object};
use super::migration;
use super::plan::Plan;
use crate::values::Values;

/// Events of Helm at which migrations run (Helm's documentation, "Chart Hooks").
const EVENTS: &str = "pre-install,pre-upgrade";
/// The event at which what is left is taken away.
const REMOVAL: &str = "post-delete";
/// Annotation of a plain object that is not applied together with the others.
pub const APPLY: &str = "forerun.dev/apply";
/// Events at which the new version is rolled out, or an old one again.
const LATE_EVENTS: &str = "post-install,post-upgrade,post-rollback";
/// How much later than the first Job the one that closes the ledger comes: after hooks of one's own.
const LATE: i32 = 1000;
/// How much earlier than the Job its preparation comes. Hooks of one weight have no order that one could rely on.
const PREPARATION: i32 = 10;

fn map<const N: usize>(entries: [(&str, String); N]) -> Map {
    entries.map(|(key, value)| (key.to_owned(), value)).into()
}

/// Annotations of the Job of a step.
pub fn of_job(plan: &Plan<'_>, index: usize) -> Map {
    let place = i32::try_from(index).unwrap_or(i32::MAX);
    of_work(plan, place, (EVENTS, "PreSync"))
}

/// Annotations of the Job that closes the ledger.
pub fn of_closing(plan: &Plan<'_>) -> Map {
    if plan.delivery == Delivery::Plain {
        return map([(
            APPLY,
            format!(
                "kubectl replace --force, after kubectl rollout status deployment/{}",
                plan.app
            ),
        )]);
    }
    of_work(plan, LATE, (LATE_EVENTS, "PostSync"))
}

/// Annotations of a Job at Helm's events or in Argo CD's phase.
fn of_work(plan: &Plan<'_>, after: i32, (events, phase): (&str, &str)) -> Map {
    let place = plan.weight().saturating_add(after);
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
            ("helm.sh/hook", events.to_owned()),
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
            ("argocd.argoproj.io/hook", phase.to_owned()),
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

/// Annotations of what the Jobs of a deployment have for themselves; the one that closes the ledger needs it again.
pub fn of_own(plan: &Plan<'_>) -> Map {
    let mut annotations = before(plan.delivery, plan.weight());
    if plan.migrations.ledger && plan.delivery == Delivery::Helm {
        annotations.extend(map([(
            "helm.sh/hook",
            format!("{EVENTS},{LATE_EVENTS},{REMOVAL}"),
        )]));
    }
    annotations
}

/// Annotations of what a Job of this weight needs before it. Helm takes it away again when the Job has ended, and
/// after a Helm that was killed meanwhile, when it uninstalls the release.
pub fn before(delivery: Delivery, weight: i32) -> Map {
    let place = weight.saturating_sub(PREPARATION).to_string();
    match delivery {
        Delivery::Helm => map([
            ("helm.sh/hook", format!("{EVENTS},{REMOVAL}")),
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
    if plan.delivery != Delivery::Helm {
        return None;
    }
    let labels = migration::labels(plan, metadata, &Map::new());
    let hook = map([
        ("helm.sh/hook", REMOVAL.to_owned()),
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
