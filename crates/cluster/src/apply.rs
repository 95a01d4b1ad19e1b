//! Server-side apply of objects, and conflicts explained.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::api::Cluster;
use crate::api_error::{ApiError, ApiErrorKind};
use crate::error::DeployError;
use crate::event::{Change, Event, Events, Wave};
use crate::object::{Kind, MANAGED_BY_LABEL, Object, RELEASE_LABEL, metadata};
use crate::ownership::{PARALLEL, Survey};

/// A field that somebody else owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOwner {
    /// `.spec.template.spec.containers[name="main"].image`.
    pub field: String,
    /// `kubectl-edit`.
    pub owner: String,
}

/// Marks an object as one of a release.
pub(crate) fn marked(mut object: Object, release: &str) -> Object {
    object.label(MANAGED_BY_LABEL, "forerun");
    object.label(RELEASE_LABEL, release);
    object
}

/// Applies objects, several at a time, told in their order; returns how many are not as they were.
pub(crate) async fn apply_all(
    cluster: &Cluster,
    wave: Wave,
    objects: &[Object],
    survey: &Survey,
    force: bool,
    events: &dyn Events,
) -> Result<usize, DeployError> {
    let mut different = 0;
    let mut applied = stream::iter(objects)
        .map(|object| async move {
            let live = survey.live(object);
            Ok((object, apply(cluster, object, live, force, false).await?))
        })
        .buffered(PARALLEL);
    while let Some((object, applied)) = applied
        .try_next()
        .await
        .map_err(|error: DeployError| error)?
    {
        if let Some(owner) = &applied.replicas_of {
            events.emit(&replicas_left(object, owner));
        }
        let change = match survey.live(object) {
            None => Change::Created,
            Some(live)
                if metadata(live, "resourceVersion")
                    == metadata(&applied.value, "resourceVersion") =>
            {
                Change::Unchanged
            }
            Some(_) => Change::Changed,
        };
        different += usize::from(change != Change::Unchanged);
        events.emit(&Event::ObjectApplied {
            wave,
            kind: object.kind.kind.to_owned(),
            name: object.name.clone(),
            change,
        });
    }
    Ok(different)
}

/// An object after it was applied.
pub(crate) struct Applied {
    /// As it is, or would be.
    pub value: Value,
    /// Who owns the replicas, where they were left alone.
    pub replicas_of: Option<String>,
}

/// Applies one object. The replicas of a Deployment that somebody else scales are left alone.
pub(crate) async fn apply(
    cluster: &Cluster,
    object: &Object,
    live: Option<&Value>,
    force: bool,
    dry_run: bool,
) -> Result<Applied, DeployError> {
    let object = &without_old_account(object, live);
    let error = match cluster.apply(object, force, dry_run).await {
        Ok(value) => {
            return Ok(Applied {
                value,
                replicas_of: None,
            });
        }
        Err(error) => error,
    };
    let owners = field_owners(&error);
    match owners.as_slice() {
        [] => Err(error.into()),
        [only] if only.field == ".spec.replicas" && object.kind == Kind::DEPLOYMENT => {
            let owner = only.owner.clone();
            let value = cluster
                .apply(&without_replicas(object), force, dry_run)
                .await?;
            Ok(Applied {
                value,
                replicas_of: Some(owner),
            })
        }
        _ => Err(DeployError::FieldOwners {
            object: object.title(),
            owners,
        }),
    }
}

/// Says that replicas were left alone.
pub(crate) fn replicas_left(object: &Object, owner: &str) -> Event {
    Event::Warning {
        code: "replicas_left",
        message: format!(
            "the number of replicas of {} is left as it is: {owner} sets it (an autoscaler, or \
             kubectl scale); --force-conflicts takes it over",
            object.title()
        ),
    }
}

/// A service account that left a pod template is taken out by its old name too: the server keeps that one and fills the
/// new one from it, so that the pods would go on with an account that may be about to be deleted.
fn without_old_account(object: &Object, live: Option<&Value>) -> Object {
    const TEMPLATE: &str = "/spec/template/spec";
    let mut object = object.clone();
    let account = |value: &Value| value.pointer(TEMPLATE)?.get("serviceAccountName").cloned();
    if live.and_then(account).is_some() && account(&object.value).is_none() {
        let template = object
            .value
            .pointer_mut(TEMPLATE)
            .and_then(Value::as_object_mut);
        if let Some(template) = template {
            template.insert("serviceAccount".to_owned(), Value::String(String::new()));
        }
    }
    object
}

fn without_replicas(object: &Object) -> Object {
    let mut object = object.clone();
    if let Some(spec) = object.value.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
    }
    object
}

/// From `conflict with "kubectl-edit" using apps/v1`.
fn field_owners(error: &ApiError) -> Vec<FieldOwner> {
    if error.kind != ApiErrorKind::Conflict {
        return Vec::new();
    }
    let conflicts = error
        .causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict");
    conflicts
        .map(|cause| FieldOwner {
            field: cause.field.clone(),
            owner: cause
                .message
                .split('"')
                .nth(1)
                .unwrap_or(&cause.message)
                .to_owned(),
        })
        .collect()
}

/// Asks the API server about every object before any is changed, so that a refusal comes before the migration.
///
/// Where admission webhooks forbid dry runs, nothing is learnt about that object.
pub(crate) async fn rehearse(
    cluster: &Cluster,
    objects: &[&Object],
    survey: &Survey,
    force: bool,
    events: &dyn Events,
) -> Result<(), DeployError> {
    let mut answers = stream::iter(objects)
        .map(
            |object| async move { rehearse_one(cluster, object, survey.live(object), force).await },
        )
        .buffered(PARALLEL);
    let mut unknown = false;
    while let Some(known) = answers.try_next().await? {
        unknown |= !known;
    }
    if unknown {
        events.emit(&Event::Warning {
            code: "no_dry_run",
            message: "an admission webhook of the cluster allows no dry run: what it refuses \
                      shows only when it is applied"
                .to_owned(),
        });
    }
    Ok(())
}

async fn rehearse_one(
    cluster: &Cluster,
    object: &Object,
    live: Option<&Value>,
    force: bool,
) -> Result<bool, DeployError> {
    let result = if object.kind == Kind::JOB {
        // Its own name may be taken by the Job of the last deploy, which cannot be changed.
        let mut trial = object.clone();
        trial.name = "forerun-rehearsal".to_owned();
        if let Some(name) = trial.value.pointer_mut("/metadata/name") {
            *name = Value::String(trial.name.clone());
        }
        let answer = cluster.create(&trial, true).await;
        answer.map(drop).map_err(|mut error| {
            error.action = format!("create {}", object.title());
            error.into()
        })
    } else {
        apply(cluster, object, live, force, true).await.map(drop)
    };
    match result {
        Ok(()) => Ok(true),
        Err(DeployError::Api(error)) if error.message.contains("does not support dry run") => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
