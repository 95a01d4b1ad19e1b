//! Takes away what was part of the release and has left the values.
//!
//! Only what carries the release's label and was written by us. Never a claim: data is a person's to delete. Never a Job
//! whose pod may work.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use serde_json::Value;

use crate::api::{Cluster, Dependents};
use crate::diagnosis::{JobState, job_state};
use crate::error::DeployError;
use crate::event::{Event, Events};
use crate::object::{Kind, Object, RELEASE_LABEL, is_ours, metadata, reference};

/// What would go, and what would stay and why.
pub(crate) struct Leftovers {
    pub delete: Vec<Leftover>,
    pub keep: Vec<(Leftover, String)>,
}

/// An object that left the values.
pub(crate) struct Leftover {
    pub kind: Kind,
    pub name: String,
    uid: String,
}

/// What is in the cluster of the release and not among `wanted`.
pub(crate) async fn find(
    cluster: &Cluster,
    release: &str,
    wanted: &[&Object],
) -> Result<Leftovers, DeployError> {
    let wanted: BTreeSet<String> = wanted.iter().map(|object| object.title()).collect();
    let mut leftovers = Leftovers {
        delete: Vec::new(),
        keep: Vec::new(),
    };
    for kind in Kind::ALL {
        for found in cluster
            .list(*kind, &format!("{RELEASE_LABEL}={release}"))
            .await?
        {
            let text = |key: &str| metadata(&found, key).unwrap_or_default().to_owned();
            let leftover = Leftover {
                kind: *kind,
                name: text("name"),
                uid: text("uid"),
            };
            let title = format!("{} {}", kind.kind, leftover.name);
            if wanted.contains(&title) || metadata(&found, "deletionTimestamp").is_some() {
                continue;
            }
            match reason_to_keep(&found, &leftover, &cluster.namespace) {
                Some(reason) => leftovers.keep.push((leftover, reason)),
                None => leftovers.delete.push(leftover),
            }
        }
    }
    Ok(leftovers)
}

fn reason_to_keep(found: &Value, leftover: &Leftover, namespace: &str) -> Option<String> {
    if !is_ours(found) {
        return Some("forerun has not made it, though it has the release's label".to_owned());
    }
    if leftover.kind == Kind::PERSISTENT_VOLUME_CLAIM {
        let reference = reference(leftover.kind.kind, &leftover.name);
        return Some(format!(
            "it may hold data; to delete it: kubectl delete {reference} -n {namespace}"
        ));
    }
    if leftover.kind == Kind::JOB {
        let job: Option<Job> = serde_json::from_value(found.clone()).ok();
        let ended = job
            .is_some_and(|job| matches!(job_state(&job), JobState::Succeeded | JobState::Failed));
        if !ended {
            return Some("it has not ended; the next deploy takes it away".to_owned());
        }
    }
    None
}

/// Deletes what has to go; returns how many.
pub(crate) async fn prune(
    cluster: &Cluster,
    leftovers: Leftovers,
    events: &dyn Events,
) -> Result<usize, DeployError> {
    let number = leftovers.delete.len();
    for leftover in leftovers.delete {
        cluster
            .delete(
                leftover.kind,
                &leftover.name,
                Some(&leftover.uid),
                Dependents::Later,
            )
            .await?;
        events.emit(&Event::ObjectPruned {
            kind: leftover.kind.kind.to_owned(),
            name: leftover.name,
        });
    }
    for (leftover, reason) in leftovers.keep {
        events.emit(&Event::ObjectKept {
            kind: leftover.kind.kind.to_owned(),
            name: leftover.name,
            reason,
        });
    }
    Ok(number)
}
