//! Hook annotations on the pods of a Job.

use crate::check::hook::{
    ARGO_DELETE_POLICY, ARGO_HOOK, HELM_DELETE_POLICY, HELM_HOOK, HELM_LOG_POLICY, HELM_WEIGHT,
};
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "hook-on-pod-template",
    severity: Severity::Warning,
    title: "Hook annotations stand on the pods and not on the Job",
    why: "Helm and Argo CD read hook annotations of the objects that they create. On the pod template they have no effect, or \
          with Argo CD a wrong one: the pods count as hooks of their own.",
    fix: "Put them on the Job only.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
spec:
  template:
    metadata:
      annotations: {}",
    scope: Scope::Job(check),
};

const HOOKS: [&str; 6] = [
    HELM_HOOK,
    HELM_WEIGHT,
    HELM_DELETE_POLICY,
    HELM_LOG_POLICY,
    ARGO_HOOK,
    ARGO_DELETE_POLICY,
];

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let annotations = job.template.at("metadata.annotations");
    let first = HOOKS
        .iter()
        .map(|name| (name, annotations.get(name)))
        .find(|(_, annotation)| annotation.exists());
    if let Some((name, annotation)) = first {
        let also = if job.object.is_hook() {
            ""
        } else {
            ", and the Job itself is no hook"
        };
        let message = format!("{name} has no effect on a pod template{also}");
        reporter.report(job.object, annotation.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn pods() {
        let pod = "spec: {template: {metadata: {annotations: {helm.sh/hook: pre-install}}}}";
        found(&RULE, pod, "helm.sh/hook has no effect on a pod template");
        found(
            &RULE,
            &format!("metadata: {{annotations: null}}\n{pod}"),
            "the Job itself is no hook",
        );
        clean(&RULE, "{}");
    }
}
