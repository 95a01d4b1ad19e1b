//! Where a Job is, and why it failed.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::{Diagnosis, Place, Verdict, ended, of_ended};
use crate::report::Outcome;

/// Where a Job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Not finished.
    Running,
    /// It will fail when its pods have ended.
    Failing,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
}

/// Where a Job is.
pub(crate) fn state(job: &Job) -> JobState {
    if condition(job, "Complete").is_some() {
        JobState::Succeeded
    } else if condition(job, "Failed").is_some() {
        JobState::Failed
    } else if condition(job, "FailureTarget").is_some() {
        JobState::Failing
    } else {
        JobState::Running
    }
}

/// Reason and message of a condition that holds.
fn condition<'a>(job: &'a Job, kind: &str) -> Option<(&'a str, &'a str)> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == kind && condition.status == "True")?;
    Some((
        condition.reason.as_deref().unwrap_or_default(),
        condition.message.as_deref().unwrap_or_default(),
    ))
}

/// Why a Job failed: the Job's own reason, told by the last pod that failed or by what kept its pod from working.
pub(crate) fn failure(
    job: &Job,
    pods: &[Pod],
    problem: Option<&Diagnosis>,
    namespace: &str,
) -> Diagnosis {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let place = Place {
        namespace,
        kind: "Job",
        name,
    };
    let (reason, message) = condition(job, "Failed")
        .or_else(|| condition(job, "FailureTarget"))
        .unwrap_or_default();
    let mut failed: Vec<(&Pod, super::Ended)> = pods
        .iter()
        .filter_map(|pod| Some((pod, ended(pod)?)))
        .collect();
    failed.sort_by_key(|(pod, _)| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let attempts = failed.iter().filter(|(_, ended)| !ended.disrupted).count();
    let last = failed
        .last()
        .map(|(pod, ended)| of_ended(pod, ended, namespace));
    if reason == "DeadlineExceeded" {
        return deadline(&place, job, problem.cloned().or(last));
    }
    let Some(mut found) = last.or_else(|| problem.cloned()) else {
        return place
            .diagnosis(
                "job_failed",
                (Verdict::Fatal, Outcome::MigrationFailed),
                format!("the Job failed: {reason}"),
                "Look at its events.",
            )
            .detail("controller", message);
    };
    found.verdict = Verdict::Fatal;
    match reason {
        "BackoffLimitExceeded" => {
            let limit = job
                .spec
                .as_ref()
                .and_then(|spec| spec.backoff_limit)
                .unwrap_or(6);
            let text = match (limit, attempts) {
                (0, _) => "none: backoffLimit is 0".to_owned(),
                (limit, attempts) => {
                    format!("used up: {attempts} pods failed, backoffLimit is {limit}")
                }
            };
            found.detail("retries", text)
        }
        "PodFailurePolicy" => found.detail(
            "retries",
            "none: podFailurePolicy says that this exit code is not worth another try",
        ),
        "" => found,
        other => found.detail("reason", other.to_owned()),
    }
}

fn deadline(place: &Place<'_>, job: &Job, cause: Option<Diagnosis>) -> Diagnosis {
    let seconds = job
        .spec
        .as_ref()
        .and_then(|spec| spec.active_deadline_seconds)
        .unwrap_or_default();
    let limit = format!("the time limit of the Job ({seconds} s) was reached");
    match cause {
        Some(mut cause) if cause.outcome == Outcome::Configuration => {
            cause.verdict = Verdict::Fatal;
            cause.detail("limit", limit)
        }
        Some(cause) if !matches!(cause.code, "interrupted" | "killed") => {
            let mut found = place.diagnosis(
                "deadline",
                (Verdict::Fatal, Outcome::Temporary),
                format!("{limit}: {}", cause.message),
                cause.advice.clone(),
            );
            found.object = cause.object;
            found.look = cause.look;
            found.details = cause.details;
            found
        }
        // It was at work until it was ended.
        cause => {
            let mut found = place.diagnosis(
                "deadline",
                (Verdict::Fatal, Outcome::Temporary),
                limit,
                "Deploy again: the migration goes on where it stopped. Give it more time (timeout \
                 of \
                 the values) if it needs it.",
            );
            if let Some(cause) = cause {
                (found.object, found.look, found.details) =
                    (cause.object, cause.look, cause.details);
            }
            found
        }
    }
}

/// A Job whose controller has not looked at it, though it had the time.
pub(crate) fn untouched(job: &Job, namespace: &str, seconds: i64) -> Option<Diagnosis> {
    let started = job
        .status
        .as_ref()
        .is_some_and(|status| status.start_time.is_some());
    let suspended = job
        .spec
        .as_ref()
        .and_then(|spec| spec.suspend)
        .unwrap_or(false);
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let place = Place {
        namespace,
        kind: "Job",
        name,
    };
    if suspended {
        return Some(place.diagnosis(
            "suspended",
            super::PASSES,
            "the Job is suspended",
            format!(
                "Whoever suspended it (Kueue, for example) resumes it; by hand: kubectl patch \
                     job {name} -n {namespace} -p '{{\"spec\":{{\"suspend\":false}}}}'."
            ),
        ));
    }
    (!started && seconds >= 20).then(|| {
        place.diagnosis(
            "no_controller",
            super::PASSES,
            format!("nothing has taken up the Job for {seconds} s"),
            "Check that kube-controller-manager runs.",
        )
    })
}
