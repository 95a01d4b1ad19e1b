//! Hooks whose log nobody sees.

use crate::check::hook::HELM_LOG_POLICY;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "no-hook-log",
    severity: Severity::Note,
    title: "Helm does not show the log of the migration",
    why: "When a hook fails, Helm says \"timed out waiting for the condition\" or \"Job Failed\" and nothing else, and with the \
          delete policy hook-succeeded the log of a success is gone. Helm 3.18 and later print the log on request.",
    fix: "Add the annotation helm.sh/hook-output-log-policy; older versions ignore it.",
    yaml: "metadata:
  annotations:
    helm.sh/hook-output-log-policy: hook-failed,hook-succeeded",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let Some(hook) = &job.object.helm_hook else {
        return;
    };
    let path = job.object.annotations().path().key(HELM_LOG_POLICY);
    if hook.log_policies.is_empty() {
        let gone = if hook.deletes("hook-succeeded") {
            ", and after a success it is deleted with the Job"
        } else {
            ""
        };
        let message = format!("Helm does not print the log of this hook{gone}");
        reporter.report(job.object, &path, message);
    } else if !hook
        .log_policies
        .iter()
        .any(|policy| policy == "hook-failed")
    {
        reporter.report(
            job.object,
            &path,
            "Helm does not print the log of this hook when it fails",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn logs() {
        let with = |policy: &str| {
            format!("metadata: {{annotations: {{helm.sh/hook-output-log-policy: {policy}}}}}")
        };
        found(&RULE, &with("null"), "does not print the log");
        found(&RULE, &with("hook-succeeded"), "when it fails");
        clean(&RULE, &with("hook-failed"));
        clean(&RULE, "metadata: {annotations: null}");
    }
}
