//! How long a migration may take.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "deadline",
    severity: Severity::Warning,
    title: "Nothing ends the Job before Helm stops waiting for it",
    why: "A pod that cannot start (image, Secret, quota) never counts as failed: without a deadline such a Job waits \
          forever. And Helm's timeout (300 seconds unless --timeout says otherwise) does not stop the Job: it goes on \
          migrating while the next deployment starts a second one beside it.",
    fix: "Set activeDeadlineSeconds of the Job below Helm's timeout, or raise both; tell the check with --helm-timeout.",
    yaml: "spec:
  activeDeadlineSeconds: 270    # helm upgrade --timeout 300s",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let deadline = job.spec.get("activeDeadlineSeconds");
    if !deadline.exists() {
        let of_pod = job.pod.get("activeDeadlineSeconds");
        if of_pod.exists() {
            let message = "the deadline of the pod only fails the pod, and the Job starts the next one; the Job needs one";
            reporter.report(job.object, of_pod.path(), message);
        } else {
            reporter.report(
                job.object,
                deadline.path(),
                "the Job has no activeDeadlineSeconds",
            );
        }
        return;
    }
    let Some(seconds) = deadline.integer() else {
        return;
    };
    let timeout = job.release.helm_timeout;
    if job.object.helm_hook.is_some() && seconds >= timeout {
        let message = format!(
            "the Job may run for {seconds} seconds, and Helm stops waiting after {timeout} without stopping it"
        );
        reporter.report(job.object, deadline.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::Options;
    use crate::check::testing::{clean, found, found_with};

    #[test]
    fn deadlines() {
        found(
            &RULE,
            "spec: {activeDeadlineSeconds: null}",
            "no activeDeadlineSeconds",
        );
        found(&RULE, "spec: {activeDeadlineSeconds: 300}", "300 seconds");
        clean(&RULE, "spec: {activeDeadlineSeconds: 299}");
        let patient = Options {
            helm_timeout: 900,
            ..Options::default()
        };
        assert_eq!(
            found_with(&RULE, "spec: {activeDeadlineSeconds: 300}", &patient).len(),
            0
        );
        found(
            &RULE,
            "spec: {activeDeadlineSeconds: null, template: {spec: {activeDeadlineSeconds: 5}}}",
            "spec.template.spec.activeDeadlineSeconds",
        );
        // Nobody waits for an ordinary Job.
        clean(
            &RULE,
            "metadata: {annotations: null}\nspec: {activeDeadlineSeconds: 3600}",
        );
    }
}
