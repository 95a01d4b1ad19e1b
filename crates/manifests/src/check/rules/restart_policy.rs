//! Retries inside the pod.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "restart-policy",
    severity: Severity::Error,
    title: "Failed migrations are restarted inside their pod",
    why: "With restartPolicy OnFailure the kubelet restarts the container in the same pod. Kubernetes refuses that together \
          with podFailurePolicy; without one, no exit code can end the retries, and when they are used up the pod is \
          deleted together with its logs.",
    fix: "Use restartPolicy: Never. Each try is then a pod of its own whose log can be read.",
    yaml: "spec:
  template:
    spec:
      restartPolicy: Never",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let policy = job.pod.get("restartPolicy");
    if policy.text() == Some("Never") {
        return;
    }
    if policy.text() != Some("OnFailure") {
        let message = "a Job needs restartPolicy Never or OnFailure; Kubernetes refuses this one";
        reporter.report(job.object, policy.path(), message);
    } else if job.spec.get("podFailurePolicy").exists() {
        let message = "Kubernetes refuses podFailurePolicy together with restartPolicy OnFailure";
        reporter.report(job.object, policy.path(), message);
    } else {
        let message = "with restartPolicy OnFailure the logs of failed migrations are lost";
        reporter.report_as(Severity::Warning, job.object, policy.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn policies() {
        let with =
            |policy: &str| format!("spec: {{template: {{spec: {{restartPolicy: {policy}}}}}}}");
        found(&RULE, &with("OnFailure"), "refuses podFailurePolicy");
        found(
            &RULE,
            &with("OnFailure").replacen("spec: {", "spec: {podFailurePolicy: null, ", 1),
            "are lost",
        );
        found(&RULE, &with("null"), "Kubernetes refuses this one");
        clean(&RULE, &with("Never"));
    }
}
