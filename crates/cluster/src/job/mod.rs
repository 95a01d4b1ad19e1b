//! One step of a migration: its Job is made, or found at work, and followed to its end.
//!
//! A Job whose pod works is never deleted: it is followed when it is the same, and waited for or left alone when it is
//! another.

mod follow;

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::api::{Cluster, Dependents};
use crate::api_error::ApiErrorKind;
use crate::containers::workers;
use crate::diagnosis::{JobState, job_state};
use crate::error::DeployError;
use crate::event::{Event, Events};
use crate::object::{Kind, Object, RELEASE_LABEL};

pub(crate) use follow::follow;

/// Annotation with the hash of what a Job was made from.
const HASH: &str = "forerun.dev/specification";
/// Pause between looks.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// A Job that is at work.
pub(crate) struct Running {
    pub name: String,
    pub uid: String,
    /// It was there before.
    pub adopted: bool,
}

/// Marks a Job with what it is made from: its own specification and the objects that it uses.
pub(crate) fn hashed(mut job: Object, uses: &[&[Object]]) -> Object {
    let mut hash = Sha256::new();
    for value in std::iter::once(&job.value["spec"])
        .chain(uses.iter().copied().flatten().map(|object| &object.value))
    {
        hash.update(value.to_string());
        hash.update([0]);
    }
    let hash: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    job.annotate(HASH, &hash);
    job
}

/// Waits until no Job of the release is at work but those that are wanted: also one of another name, which an earlier
/// deploy left.
///
/// # Errors
/// One is at work and the time to wait for it is over.
pub(crate) async fn wait_for_others(
    cluster: &Cluster,
    release: &str,
    wanted: &[&Object],
    wait: Duration,
    events: &dyn Events,
) -> Result<(), DeployError> {
    let begin = Instant::now();
    let mut told = false;
    loop {
        let jobs: Vec<Job> = cluster
            .list_typed(&format!("{RELEASE_LABEL}={release}"))
            .await?;
        let mut busy = None;
        for job in &jobs {
            let name = job.metadata.name.as_deref().unwrap_or_default();
            if job_state(job) != JobState::Running
                || wanted
                    .iter()
                    .any(|wanted| wanted.name == name && is_same(job, wanted))
            {
                continue;
            }
            let pods = pods_of(
                cluster,
                name,
                job.metadata.uid.as_deref().unwrap_or_default(),
            )
            .await?;
            let working = working(&pods);
            if !working.is_empty() {
                busy = Some((name.to_owned(), working));
            }
        }
        let Some((job, pods)) = busy else {
            return Ok(());
        };
        if begin.elapsed() >= wait {
            return Err(DeployError::JobBusy { job, pods });
        }
        if !told {
            told = true;
            let reason =
                "it still works, with another specification: waiting for its end".to_owned();
            events.emit(&Event::JobReplaced { job, reason });
        }
        sleep(PAUSE).await;
    }
}

fn is_same(found: &Job, wanted: &Object) -> bool {
    let hash = found
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(HASH));
    let wanted = wanted
        .value
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(HASH));
    hash.map(String::as_str) == wanted.and_then(Value::as_str)
}

/// Makes the Job, once nothing of its name works any more; one that works and is the same is taken as it is.
pub(crate) async fn start(
    cluster: &Cluster,
    job: &Object,
    wait: Duration,
    events: &dyn Events,
) -> Result<Running, DeployError> {
    let begin = Instant::now();
    let mut told = false;
    let mut tell = |reason: String| {
        if !told {
            told = true;
            events.emit(&Event::JobReplaced {
                job: job.name.clone(),
                reason,
            });
        }
    };
    loop {
        let Some(found) = cluster.get_typed::<Job>(&job.name).await? else {
            match cluster.create(job, false).await {
                Ok(created) => return Ok(running(&created, &job.name, false)),
                // Another deploy was faster, or our own request came through though its answer was lost.
                Err(error) if error.kind == ApiErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error.into()),
            }
        };
        let uid = found.metadata.uid.clone().unwrap_or_default();
        let pods = pods_of(cluster, &job.name, &uid).await?;
        match standing(&found, &pods, job) {
            Standing::Same => {
                return Ok(Running {
                    name: job.name.clone(),
                    uid,
                    adopted: true,
                });
            }
            Standing::Replaceable(reason) => {
                tell(reason.to_owned());
                cluster
                    .delete(Kind::JOB, &job.name, Some(&uid), Dependents::First)
                    .await?;
            }
            Standing::Going => tell("its pods are ending".to_owned()),
            Standing::Busy => {
                if begin.elapsed() >= wait {
                    return Err(DeployError::JobBusy {
                        job: job.name.clone(),
                        pods: working(&pods),
                    });
                }
                tell("it still works, with another specification: waiting for its end".to_owned());
            }
        }
        sleep(PAUSE).await;
    }
}

/// What may be done with a Job that is there.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// It is at work and what we want.
    Same,
    /// It can be deleted.
    Replaceable(&'static str),
    /// It is ending.
    Going,
    /// It is at work and not what we want.
    Busy,
}

fn standing(found: &Job, pods: &[Pod], wanted: &Object) -> Standing {
    if found.metadata.deletion_timestamp.is_some() {
        return Standing::Going;
    }
    match job_state(found) {
        JobState::Succeeded | JobState::Failed => return Standing::Replaceable("it has ended"),
        JobState::Failing => return Standing::Going,
        JobState::Running => {}
    }
    if is_same(found, wanted) {
        return Standing::Same;
    }
    // Deleted with its pods first, so that even one that starts this very moment has ended before the next begins.
    if working(pods).is_empty() {
        Standing::Replaceable("none of its pods works")
    } else {
        Standing::Busy
    }
}

/// Pods in which a container runs, be it one of those before the migration; a sidecar alone migrates nothing.
fn working(pods: &[Pod]) -> Vec<String> {
    let runs = |pod: &&Pod| {
        workers(pod).any(|container| {
            let state = container.state.as_ref();
            state.is_some_and(|state| state.running.is_some())
        })
    };
    let unfinished = |pod: &&Pod| {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        !matches!(phase, Some("Succeeded" | "Failed"))
    };
    let working = pods.iter().filter(unfinished).filter(runs);
    working
        .map(|pod| pod.metadata.name.clone().unwrap_or_default())
        .collect()
}

/// The pods of one Job, the oldest first.
pub(crate) async fn pods_of(
    cluster: &Cluster,
    job: &str,
    uid: &str,
) -> Result<Vec<Pod>, DeployError> {
    // The old name of the label is the one that every version of Kubernetes sets.
    let mut pods: Vec<Pod> = cluster.list_typed(&format!("job-name={job}")).await?;
    pods.retain(|pod| {
        pod.metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| owner.uid == uid)
    });
    pods.sort_by(|one, other| {
        let key = |pod: &Pod| {
            let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (created, pod.metadata.name.clone())
        };
        key(one).cmp(&key(other))
    });
    Ok(pods)
}

fn running(created: &Value, name: &str, adopted: bool) -> Running {
    let uid = crate::object::metadata(created, "uid").unwrap_or_default();
    Running {
        name: name.to_owned(),
        uid: uid.to_owned(),
        adopted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(image: &str) -> Object {
        let value = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": {"image": image}});
        hashed(Object::from_value(value).unwrap(), &[])
    }

    fn found(from: &Object, conditions: &Value) -> Job {
        serde_json::from_value(json!({
            "metadata": {"name": "m", "annotations": from.value["metadata"]["annotations"]},
            "status": {"conditions": conditions},
        }))
        .unwrap()
    }

    fn pod(state: &Value) -> Pod {
        serde_json::from_value(json!({"status": {"phase": "Pending", "containerStatuses": [
            {"name": "migrate", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}
        ]}}))
        .unwrap()
    }

    #[test]
    fn only_what_does_not_work_is_replaced() {
        let (old, new) = (wanted("1"), wanted("2"));
        let running = pod(&json!({"running": {}}));
        let waiting = pod(&json!({"waiting": {"reason": "ImagePullBackOff"}}));
        let complete = json!([{"type": "Complete", "status": "True"}]);
        let failing = json!([{"type": "FailureTarget", "status": "True"}]);
        for (job, pods, expected) in [
            (
                found(&new, &json!([])),
                vec![running.clone()],
                Standing::Same,
            ),
            (found(&new, &json!([])), vec![], Standing::Same),
            (
                found(&old, &json!([])),
                vec![running.clone()],
                Standing::Busy,
            ),
            (
                found(&old, &json!([])),
                vec![waiting.clone(), running.clone()],
                Standing::Busy,
            ),
            (
                found(&old, &json!([])),
                vec![waiting],
                Standing::Replaceable("none of its pods works"),
            ),
            (
                found(&new, &complete),
                vec![],
                Standing::Replaceable("it has ended"),
            ),
            (found(&new, &failing), vec![running], Standing::Going),
        ] {
            assert_eq!(standing(&job, &pods, &new), expected);
        }
    }

    #[test]
    fn a_changed_secret_makes_another_job() {
        let secret = |value: &str| {
            Object::from_value(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": value}})).unwrap()
        };
        let job = || {
            Object::from_value(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": {}})).unwrap()
        };
        let (one, other) = (
            hashed(job(), &[&[secret("a")]]),
            hashed(job(), &[&[secret("b")]]),
        );
        assert_ne!(one.value, other.value);
        assert_eq!(one.value, hashed(job(), &[&[secret("a")]]).value);
    }
}
