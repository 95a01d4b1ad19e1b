//! How often a failed migration is tried again.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "backoff-limit",
    severity: Severity::Warning,
    title: "The number of retries is left to chance",
    why: "Without backoffLimit a Job makes six retries, with pauses of 10, 20, 40, 80, 160 and 320 seconds: 630 seconds \
          for a broken script, more than the 300 that Helm waits by default. With 0 and no podFailurePolicy the eviction \
          of the pod fails the whole deployment.",
    fix: "Set backoffLimit to 0, 1 or 2, and do not count disruptions.",
    yaml: "spec:
  backoffLimit: 2
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget",
    scope: Scope::Job(check),
};

/// First pause, and the longest, in seconds (kubernetes.io/docs/concepts/workloads/controllers/job).
const FIRST_PAUSE: i64 = 10;
const LONGEST_PAUSE: i64 = 600;

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let limit = job.spec.get("backoffLimit");
    if job.spec.get("backoffLimitPerIndex").exists() {
        return;
    }
    let Some(retries) = limit.value().map(|_| limit.integer().unwrap_or(1)) else {
        let message = "backoffLimit is not set: six retries with pauses of 630 seconds together";
        reporter.report(job.object, limit.path(), message);
        return;
    };
    let bounded = job.spec.get("activeDeadlineSeconds").exists();
    let pauses = pauses(retries);
    if retries == 0 && !ignores_disruptions(job) {
        let message = "with backoffLimit 0 the eviction of the pod fails the deployment";
        reporter.report_as(Severity::Note, job.object, limit.path(), message);
    } else if !bounded && pauses >= job.release.helm_timeout {
        let message = format!(
            "the pauses between {retries} retries are {pauses} seconds together, and no deadline ends them"
        );
        reporter.report(job.object, limit.path(), message);
    }
}

fn ignores_disruptions(job: &MigrationJob<'_>) -> bool {
    job.spec.at("podFailurePolicy.rules").items().any(|rule| {
        rule.get("action").text() == Some("Ignore")
            && rule
                .get("onPodConditions")
                .items()
                .any(|condition| condition.get("type").text() == Some("DisruptionTarget"))
    })
}

fn pauses(retries: i64) -> i64 {
    let mut pause = FIRST_PAUSE;
    let mut sum = 0_i64;
    for _ in 0..retries.clamp(0, 10_000) {
        sum += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{RULE, pauses};
    use crate::check::testing::{clean, found};

    #[test]
    fn retries() {
        assert_eq!(pauses(6), 630);
        found(&RULE, "spec: {backoffLimit: null}", "six retries");
        found(
            &RULE,
            "spec: {backoffLimit: 0, podFailurePolicy: null}",
            "eviction",
        );
        clean(&RULE, "spec: {backoffLimit: 0}");
        clean(&RULE, "spec: {backoffLimit: 3}");
        clean(&RULE, "spec: {backoffLimit: 15}");
        found(
            &RULE,
            "spec: {backoffLimit: 15, activeDeadlineSeconds: null}",
            "no deadline ends them",
        );
        clean(
            &RULE,
            "spec: {backoffLimit: null, backoffLimitPerIndex: 1, completionMode: Indexed}",
        );
    }
}
