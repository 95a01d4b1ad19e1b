//! Watches Deployments until every replica is of the new version and ready.
//!
//! Finished is what `kubectl rollout status` calls so: the controller has seen the specification, all replicas are
//! updated, none of the old ones is left, all are available.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep};

use crate::api::Cluster;
use crate::diagnosis::{self, Diagnosis, Verdict};
use crate::error::DeployError;
use crate::event::{Event, Events};
use crate::job::PAUSE;
use crate::report::Outcome;

/// Lines of a crashed container's log that are shown.
const LINES: i64 = 15;
/// Annotation of Deployments and ReplicaSets.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Replicas of a Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Replicas {
    desired: i32,
    updated: i32,
    total: i32,
    available: i32,
    observed: bool,
}

impl Replicas {
    fn of(deployment: &Deployment) -> Self {
        let status = deployment.status.as_ref();
        let number = |field: fn(&k8s_openapi::api::apps::v1::DeploymentStatus) -> Option<i32>| {
            status.and_then(field).unwrap_or(0)
        };
        let generation = deployment.metadata.generation.unwrap_or(0);
        Self {
            desired: deployment
                .spec
                .as_ref()
                .and_then(|spec| spec.replicas)
                .unwrap_or(1),
            updated: number(|status| status.updated_replicas),
            total: number(|status| status.replicas),
            available: number(|status| status.available_replicas),
            observed: status
                .and_then(|status| status.observed_generation)
                .unwrap_or(0)
                >= generation,
        }
    }

    fn done(self) -> bool {
        self.observed
            && self.updated >= self.desired
            && self.total <= self.updated
            && self.available >= self.updated
    }

    fn old(self) -> i32 {
        (self.total - self.updated).max(0)
    }
}

/// Watches all of them; returns when all are done.
///
/// # Errors
/// One that does not come up, or the time is over.
pub(crate) async fn watch(
    cluster: &Cluster,
    names: &[String],
    limit: Duration,
    events: &dyn Events,
) -> Result<(), DeployError> {
    let begin = Instant::now();
    let mut watched: Vec<Watched<'_>> = names.iter().map(|name| Watched::new(name)).collect();
    loop {
        let mut open = Vec::new();
        for mut one in watched {
            if !one.look(cluster, events).await? {
                open.push(one);
            }
        }
        watched = open;
        let Some(first) = watched.first() else {
            return Ok(());
        };
        if begin.elapsed() >= limit {
            return Err(first.late(cluster, limit));
        }
        sleep(PAUSE).await;
    }
}

struct Watched<'a> {
    name: &'a str,
    told: Option<Replicas>,
    /// What is wrong, and since when, by object and code.
    problems: BTreeMap<String, (Diagnosis, Instant)>,
    /// What was told to be wrong: a pod that crashes is well in between.
    told_problems: BTreeSet<String>,
    /// Restarts of pods when they were first seen to crash: one that crashed before this deploy may be about to be well.
    restarts: BTreeMap<String, i32>,
    serving: String,
}

impl<'a> Watched<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            told: None,
            problems: BTreeMap::new(),
            told_problems: BTreeSet::new(),
            restarts: BTreeMap::new(),
            serving: String::new(),
        }
    }

    fn failure(&self, diagnosis: Diagnosis) -> DeployError {
        DeployError::Rollout {
            deployment: self.name.to_owned(),
            diagnosis: Box::new(diagnosis),
            serving: self.serving.clone(),
        }
    }

    /// Whether it is done.
    async fn look(&mut self, cluster: &Cluster, events: &dyn Events) -> Result<bool, DeployError> {
        let Some(deployment) = cluster.get_typed::<Deployment>(self.name).await? else {
            return Err(self.failure(self.of_deployment(
                cluster,
                "deployment_deleted",
                (Verdict::Fatal, Outcome::Temporary),
                "somebody deleted it",
                "Deploy again.",
            )));
        };
        let replicas = Replicas::of(&deployment);
        if replicas.observed && self.told != Some(replicas) {
            self.told = Some(replicas);
            events.emit(&Event::RolloutProgress {
                deployment: self.name.to_owned(),
                desired: replicas.desired,
                updated: replicas.updated,
                ready: replicas.available.min(replicas.updated),
                old: replicas.old(),
            });
        }
        if replicas.done() {
            events.emit(&Event::RolloutFinished {
                deployment: self.name.to_owned(),
                replicas: replicas.desired,
            });
            return Ok(true);
        }
        if replicas.observed {
            self.look_for_problems(cluster, &deployment, events).await?;
        }
        Ok(false)
    }

    async fn look_for_problems(
        &mut self,
        cluster: &Cluster,
        deployment: &Deployment,
        events: &dyn Events,
    ) -> Result<(), DeployError> {
        let (new, old_ready) = new_pods(cluster, deployment).await?;
        self.serving = serving(old_ready);
        let mut found = Vec::new();
        for pod in &new {
            found.extend(self.of_pod(cluster, pod).await?);
        }
        if let Some(message) = condition(deployment, "ReplicaFailure", "True", None) {
            found.push(diagnosis::creation_refused(
                message,
                "Deployment",
                self.name,
                &cluster.namespace,
            ));
        }
        let now = Instant::now();
        let mut problems = BTreeMap::new();
        for diagnosis in found {
            let key = format!("{} {}", diagnosis.object, diagnosis.code);
            let since = match self.problems.remove(&key) {
                Some((_, since)) => since,
                None => {
                    if diagnosis.verdict != Verdict::Fatal && self.told_problems.insert(key.clone())
                    {
                        events.emit(&Event::Problem {
                            diagnosis: diagnosis.clone(),
                        });
                    }
                    now
                }
            };
            let over = match diagnosis.verdict {
                Verdict::Fatal => true,
                Verdict::HealsFor(time) => since.elapsed() >= time,
                Verdict::Heals => false,
            };
            if over {
                return Err(self.failure(diagnosis));
            }
            problems.insert(key, (diagnosis, since));
        }
        self.problems = problems;
        if condition(
            deployment,
            "Progressing",
            "False",
            Some("ProgressDeadlineExceeded"),
        )
        .is_some()
        {
            let seconds = deployment
                .spec
                .as_ref()
                .and_then(|spec| spec.progress_deadline_seconds)
                .unwrap_or(600);
            let limit = format!("there was no progress for {seconds} s (progressDeadlineSeconds)");
            return Err(self.failure(self.over(cluster, limit)));
        }
        Ok(())
    }

    async fn of_pod(
        &mut self,
        cluster: &Cluster,
        pod: &Pod,
    ) -> Result<Option<Diagnosis>, DeployError> {
        let namespace = &cluster.namespace;
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        if pod.metadata.deletion_timestamp.is_some() {
            return Ok(None);
        }
        if let Some((mut found, restarts, container)) = diagnosis::crash_loop(pod, namespace) {
            let before = *self.restarts.entry(name.to_owned()).or_insert(restarts);
            if restarts == before {
                found.verdict = Verdict::Heals;
            }
            let Some(container) = container else {
                return Ok(Some(found));
            };
            let lines = cluster.last_lines(name, &container, true, LINES).await;
            let lines = if lines.is_empty() {
                cluster.last_lines(name, &container, false, LINES).await
            } else {
                lines
            };
            return Ok(Some(if lines.is_empty() {
                found
            } else {
                found.detail("log", lines.join("\n"))
            }));
        }
        let events = match &pod.metadata.uid {
            Some(uid) => cluster.events_of(uid).await?,
            None => Vec::new(),
        };
        if let Some(found) = diagnosis::of_pod(pod, &events, Timestamp::now(), namespace) {
            return Ok(Some(found));
        }
        let unhealthy = events
            .iter()
            .filter(|event| event.reason.as_deref() == Some("Unhealthy"))
            .filter_map(|event| event.message.as_deref())
            .next_back();
        let is_ready = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        let is_ready = is_ready
            .into_iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True");
        Ok(unhealthy.filter(|_| !is_ready).map(|message| {
            Diagnosis {
                code: "probe",
                message: "the pod runs and its probe fails".to_owned(),
                object: format!("Pod {name}"),
                look: format!("kubectl logs {name} -n {namespace}"),
                details: Vec::new(),
                advice: "Look at its log, and at the probes of the values.".to_owned(),
                verdict: Verdict::Heals,
                outcome: Outcome::NotReady,
            }
            .detail("kubelet", crate::api_error::one_line(message))
        }))
    }

    fn late(&self, cluster: &Cluster, limit: Duration) -> DeployError {
        self.failure(self.over(
            cluster,
            format!(
                "the time limit of {} s (--timeout) was reached",
                limit.as_secs()
            ),
        ))
    }

    /// The end of a time, told by what is wrong meanwhile.
    fn over(&self, cluster: &Cluster, limit: String) -> Diagnosis {
        match self.problems.values().next() {
            Some((problem, _)) => {
                let mut found = problem.clone();
                found.outcome = match found.outcome {
                    Outcome::Configuration | Outcome::NotReady => found.outcome,
                    _ => Outcome::Temporary,
                };
                found.detail("limit", limit)
            }
            None => self.of_deployment(
                cluster,
                "rollout_timeout",
                (Verdict::Fatal, Outcome::Temporary),
                &limit,
                "Look at its pods; deploy again, with more time (--timeout) if it needs it.",
            ),
        }
    }

    fn of_deployment(
        &self,
        cluster: &Cluster,
        code: &'static str,
        (verdict, outcome): (Verdict, Outcome),
        message: &str,
        advice: &str,
    ) -> Diagnosis {
        let (name, namespace) = (self.name, &cluster.namespace);
        Diagnosis {
            code,
            message: message.to_owned(),
            object: format!("Deployment {name}"),
            look: format!("kubectl describe deployment {name} -n {namespace}"),
            details: Vec::new(),
            advice: advice.to_owned(),
            verdict,
            outcome,
        }
    }
}

/// The pods of the newest ReplicaSet, and how many pods of older ones are ready.
async fn new_pods(
    cluster: &Cluster,
    deployment: &Deployment,
) -> Result<(Vec<Pod>, usize), DeployError> {
    let uid = deployment.metadata.uid.as_deref().unwrap_or_default();
    let labels = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.match_labels.clone())
        .unwrap_or_default();
    let selector = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(",");
    let revision = |annotations: &Option<BTreeMap<String, String>>| {
        annotations
            .as_ref()
            .and_then(|map| map.get(REVISION).cloned())
    };
    let wanted = revision(&deployment.metadata.annotations);
    let sets: Vec<ReplicaSet> = cluster.list_typed(&selector).await?;
    let new: Vec<String> = sets
        .iter()
        .filter(|set| {
            set.metadata
                .owner_references
                .iter()
                .flatten()
                .any(|owner| owner.uid == uid)
        })
        .filter(|set| wanted.is_some() && revision(&set.metadata.annotations) == wanted)
        .filter_map(|set| set.metadata.uid.clone())
        .collect();
    let pods: Vec<Pod> = cluster.list_typed(&selector).await?;
    let (new, old): (Vec<Pod>, Vec<Pod>) = pods.into_iter().partition(|pod| {
        pod.metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| new.contains(&owner.uid))
    });
    let ready = |pod: &&Pod| {
        let mut conditions = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    Ok((new, old.iter().filter(ready).count()))
}

fn serving(old_ready: usize) -> String {
    match old_ready {
        0 => "No pod of a previous version is there.".to_owned(),
        1 => "1 pod of the previous version still serves.".to_owned(),
        ready => format!("{ready} pods of the previous version still serve."),
    }
}

fn condition<'a>(
    deployment: &'a Deployment,
    kind: &str,
    status: &str,
    reason: Option<&str>,
) -> Option<&'a str> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| {
            condition.type_ == kind
                && condition.status == status
                && reason.is_none_or(|reason| condition.reason.as_deref() == Some(reason))
        })
        .map(|condition| condition.message.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replicas(value: serde_json::Value) -> Replicas {
        Replicas::of(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_rollout_is_done_when_nothing_of_the_old_version_is_left() {
        let deployment = |generation: i64,
                          observed: i64,
                          updated: i32,
                          total: i32,
                          available: i32| {
            json!({
                "metadata": {"generation": generation},
                "spec": {"replicas": 2, "selector": {}, "template": {}},
                "status": {"observedGeneration": observed, "updatedReplicas": updated, "replicas": total, "availableReplicas": available},
            })
        };
        for (generation, observed, updated, total, available, done) in [
            (2, 2, 2, 2, 2, true),
            // The status is still that of the version before.
            (2, 1, 2, 2, 2, false),
            (2, 2, 1, 3, 3, false),
            // An old pod is ending.
            (2, 2, 2, 3, 3, false),
            (2, 2, 2, 2, 1, false),
        ] {
            assert_eq!(
                replicas(deployment(generation, observed, updated, total, available)).done(),
                done
            );
        }
        assert!(
            !replicas(
                json!({"metadata": {"generation": 1}, "spec": {"selector": {}, "template": {}}})
            )
            .done()
        );
    }

    #[test]
    fn scaled_to_zero_is_done() {
        let value = json!({
            "metadata": {"generation": 1},
            "spec": {"replicas": 0, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1},
        });
        assert!(replicas(value).done());
    }
}
