//! Follows a Job to its end: logs, attempts, what keeps it from working.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event as KubernetesEvent, Pod};
use tokio::time::{Instant, sleep_until};

use super::{PAUSE, Running, pods_of};
use crate::api::Cluster;
use crate::diagnosis::{self, Diagnosis, JobState, Verdict};
use crate::error::DeployError;
use crate::event::{Event, Events};
use crate::logs::{LogLine, Logs};

/// How long a Job may overstep its own deadline: then nobody looks after it.
const OVERSTEP: Duration = Duration::from_secs(180);

/// Looks until a Job has decided what the failure of a pod means.
const DECISION: u32 = 3;

/// A Job that has done its work.
pub(crate) struct Finished {
    /// Pods it took.
    pub attempts: usize,
}

/// Follows a Job until it is done.
///
/// # Errors
/// Why it failed, or cannot work.
pub(crate) async fn follow(
    cluster: &Cluster,
    running: &Running,
    events: &dyn Events,
) -> Result<Finished, DeployError> {
    let mut follower = Follower {
        cluster,
        running,
        events,
        logs: Logs::new(cluster),
        begin: Instant::now(),
        started: BTreeSet::new(),
        failed: BTreeMap::new(),
        problem: None,
    };
    loop {
        if let Some(finished) = follower.look().await? {
            return Ok(finished);
        }
        let next = Instant::now() + PAUSE;
        loop {
            tokio::select! {
                line = follower.logs.next() => follower.tell(line),
                () = sleep_until(next) => break,
            }
        }
    }
}

struct Follower<'a> {
    cluster: &'a Cluster,
    running: &'a Running,
    events: &'a dyn Events,
    logs: Logs,
    begin: Instant,
    /// Pods that were told to run.
    started: BTreeSet<String>,
    /// Pods that have failed, and how often they were seen so.
    failed: BTreeMap<String, u32>,
    /// What keeps it from working now, and since when.
    problem: Option<(Diagnosis, Instant)>,
}

impl Follower<'_> {
    /// A line of a log; before the first one of a pod, that the pod has started: its init containers write while it
    /// still counts as pending.
    fn tell(&mut self, line: LogLine) {
        self.tell_start(&line.pod);
        self.events.emit(&Event::Log {
            job: self.running.name.clone(),
            pod: line.pod,
            container: line.container,
            line: line.line,
        });
    }

    fn failure(&self, diagnosis: Diagnosis) -> DeployError {
        DeployError::Step {
            job: self.running.name.clone(),
            diagnosis: Box::new(diagnosis),
        }
    }

    async fn look(&mut self) -> Result<Option<Finished>, DeployError> {
        let job = self.cluster.get_typed::<Job>(&self.running.name).await?;
        let Some(job) =
            job.filter(|job| job.metadata.uid.as_deref() == Some(self.running.uid.as_str()))
        else {
            return Err(DeployError::JobGone {
                job: self.running.name.clone(),
            });
        };
        let pods = pods_of(self.cluster, &self.running.name, &self.running.uid).await?;
        self.logs.update(&pods);
        self.tell_starts(&pods);
        let state = diagnosis::job_state(&job);
        if matches!(state, JobState::Running)
            || (state == JobState::Failing && pods.iter().any(is_unfinished))
        {
            self.tell_failures(&pods, &job)?;
            self.look_for_problems(&job, &pods).await?;
            self.check_deadline(&job)?;
            return Ok(None);
        }
        for line in self.logs.rest().await {
            self.tell(line);
        }
        if state == JobState::Succeeded {
            return Ok(Some(Finished {
                attempts: self.started.len().max(1),
            }));
        }
        let problem = self.problem.as_ref().map(|(problem, _)| problem);
        Err(self.failure(diagnosis::job_failure(
            &job,
            &pods,
            problem,
            &self.cluster.namespace,
        )))
    }

    fn tell_starts(&mut self, pods: &[Pod]) {
        for pod in pods {
            let name = pod.metadata.name.clone().unwrap_or_default();
            let phase = pod
                .status
                .as_ref()
                .and_then(|status| status.phase.as_deref());
            if phase.is_some_and(|phase| phase != "Pending") {
                self.tell_start(&name);
            }
        }
    }

    fn tell_start(&mut self, pod: &str) {
        if self.started.insert(pod.to_owned()) {
            self.events.emit(&Event::PodStarted {
                job: self.running.name.clone(),
                pod: pod.to_owned(),
                attempt: self.started.len(),
            });
        }
    }

    /// Failed pods that the Job replaces. The one that ends the Job is told by its error, so each waits until the Job has
    /// decided what it means.
    fn tell_failures(&mut self, pods: &[Pod], job: &Job) -> Result<(), DeployError> {
        let limit = job
            .spec
            .as_ref()
            .and_then(|spec| spec.backoff_limit)
            .unwrap_or(6);
        let ended: Vec<_> = pods
            .iter()
            .filter_map(|pod| Some((pod, diagnosis::ended(pod)?)))
            .collect();
        let count = ended.iter().filter(|(_, ended)| !ended.disrupted).count();
        for (pod, ended) in &ended {
            let name = pod.metadata.name.clone().unwrap_or_default();
            let looks = self.failed.entry(name).or_insert(0);
            *looks += 1;
            if *looks != DECISION {
                continue;
            }
            let found = diagnosis::of_ended(pod, ended, &self.cluster.namespace);
            if found.verdict == Verdict::Fatal {
                return Err(self.failure(found));
            }
            let found = if ended.disrupted {
                found
            } else {
                let text = format!("failure {count}, backoffLimit is {limit}: the Job tries again");
                found.detail("retries", text)
            };
            self.events.emit(&Event::Problem { diagnosis: found });
        }
        Ok(())
    }

    async fn look_for_problems(&mut self, job: &Job, pods: &[Pod]) -> Result<(), DeployError> {
        let found = self.find_problem(job, pods).await?;
        let Some(found) = found else {
            self.problem = None;
            return Ok(());
        };
        let same = |known: &Diagnosis| known.code == found.code && known.object == found.object;
        let since = match &self.problem {
            Some((known, since)) if same(known) => *since,
            _ => {
                let fatal = found.verdict == Verdict::Fatal;
                if !fatal {
                    self.events.emit(&Event::Problem {
                        diagnosis: found.clone(),
                    });
                }
                Instant::now()
            }
        };
        let over = match found.verdict {
            Verdict::Fatal => true,
            Verdict::HealsFor(time) => since.elapsed() >= time,
            Verdict::Heals => false,
        };
        self.problem = Some((found.clone(), since));
        if over {
            Err(self.failure(found))
        } else {
            Ok(())
        }
    }

    async fn find_problem(
        &self,
        job: &Job,
        pods: &[Pod],
    ) -> Result<Option<Diagnosis>, DeployError> {
        let namespace = &self.cluster.namespace;
        let unfinished: Vec<&Pod> = pods.iter().filter(|pod| is_unfinished(pod)).collect();
        for pod in &unfinished {
            if !needs_events(pod) {
                continue;
            }
            let events = match &pod.metadata.uid {
                Some(uid) => self.cluster.events_of(uid).await?,
                None => Vec::new(),
            };
            if let Some(found) = diagnosis::of_pod(pod, &events, Timestamp::now(), namespace) {
                return Ok(Some(found));
            }
        }
        if !unfinished.is_empty() {
            return Ok(None);
        }
        let events = self.cluster.events_of(&self.running.uid).await?;
        let refused = latest_refusal(&events, pods);
        if let Some(message) = refused {
            return Ok(Some(diagnosis::creation_refused(
                message,
                "Job",
                &self.running.name,
                namespace,
            )));
        }
        let waited = i64::try_from(self.begin.elapsed().as_secs()).unwrap_or(i64::MAX);
        Ok(diagnosis::untouched(job, namespace, waited))
    }

    fn check_deadline(&self, job: &Job) -> Result<(), DeployError> {
        let spec = job.spec.as_ref();
        let Some(deadline) = spec.and_then(|spec| spec.active_deadline_seconds) else {
            return Ok(());
        };
        let grace = spec
            .and_then(|spec| spec.template.spec.as_ref())
            .and_then(|pod| pod.termination_grace_period_seconds)
            .unwrap_or(30);
        let limit = Duration::from_secs(u64::try_from(deadline.saturating_add(grace)).unwrap_or(0))
            + OVERSTEP;
        if self.begin.elapsed() < limit {
            return Ok(());
        }
        let name = &self.running.name;
        let namespace = &self.cluster.namespace;
        Err(self.failure(Diagnosis {
            code: "deadline_ignored",
            message: format!("the Job's time limit of {deadline} s is over and nothing ends it"),
            object: format!("Job {name}"),
            look: format!("kubectl describe job {name} -n {namespace}"),
            details: Vec::new(),
            advice: "Check that kube-controller-manager and the node of the pod work.".to_owned(),
            verdict: Verdict::Fatal,
            outcome: crate::report::Outcome::Temporary,
        }))
    }
}

fn is_unfinished(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// A pod that works has nothing to explain.
fn needs_events(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    phase != Some("Running") || pod.metadata.deletion_timestamp.is_some()
}

/// The newest refusal to create a pod, unless a pod was created after it.
fn latest_refusal<'a>(events: &'a [KubernetesEvent], pods: &[Pod]) -> Option<&'a str> {
    let time = |event: &KubernetesEvent| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.or_else(|| event.event_time.as_ref().map(|time| time.0))
    };
    let created = pods
        .iter()
        .filter_map(|pod| pod.metadata.creation_timestamp.as_ref())
        .map(|time| time.0)
        .max();
    events
        .iter()
        .filter(|event| event.reason.as_deref() == Some("FailedCreate"))
        .filter(|event| time(event) >= created)
        .max_by_key(|event| time(event))
        .and_then(|event| event.message.as_deref())
}
