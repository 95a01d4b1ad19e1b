//! A fixed name that the next deployment finds taken.

use crate::check::job_name::is_unique;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "fixed-name",
    severity: Severity::Error,
    title: "The next deployment finds the name of the Job taken",
    why: "A hook with the delete policy hook-succeeded alone stays after a failure, and the next deployment fails because a \
          Job of that name exists. An ordinary Job of a fixed name cannot be changed at all: its template is immutable, so \
          the first upgrade with another image is refused.",
    fix: "Add before-hook-creation to the delete policy of the hook; name an ordinary Job after what it runs.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let object = job.object;
    if is_unique(&object.name) || object.root().at("metadata.generateName").exists() {
        return;
    }
    let annotations = object.annotations();
    if let Some(hook) = &object.helm_hook {
        let always = hook.deletes("hook-succeeded") && hook.deletes("hook-failed");
        if !hook.deletes("before-hook-creation") && !always {
            let path = annotations
                .path()
                .key(crate::check::hook::HELM_DELETE_POLICY);
            let message = "after a failure the hook stays, and the next deployment fails: its name exists already";
            reporter.report(object, &path, message);
        }
    } else if let Some(hook) = &object.argo_hook {
        if !hook.deletes("BeforeHookCreation") {
            let path = annotations
                .path()
                .key(crate::check::hook::ARGO_DELETE_POLICY);
            let message = "after a failure the hook stays, and the next sync takes it for done instead of running it";
            reporter.report(object, &path, message);
        }
    } else if !replaces(job) {
        let path = object.root().at("metadata.name").path().clone();
        let message = "an ordinary Job of a fixed name cannot be changed: the next upgrade is refused as immutable";
        reporter.report_as(Severity::Warning, object, &path, message);
    }
}

/// The Job is replaced and not changed: by Argo CD, Flux, Nelm, the one who follows `render`'s word about it, or
/// `forerun deploy`, which labels what it applies.
fn replaces(job: &MigrationJob<'_>) -> bool {
    let annotations = job.object.annotations();
    let options = annotations
        .get("argocd.argoproj.io/sync-options")
        .text()
        .unwrap_or_default();
    options.contains("Replace=true")
        || options.contains("Force=true")
        || annotations
            .get("kustomize.toolkit.fluxcd.io/force")
            .exists()
        || annotations.get("werf.io/delete-policy").exists()
        || annotations.get(crate::render::APPLY).exists()
        || job.object.labels().get("forerun.dev/release").exists()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn names_that_are_taken() {
        let policy = |policy: &str| {
            format!("metadata: {{annotations: {{helm.sh/hook-delete-policy: '{policy}'}}}}")
        };
        found(
            &RULE,
            &policy("hook-succeeded"),
            "helm.sh/hook-delete-policy",
        );
        clean(&RULE, &policy("before-hook-creation,hook-succeeded"));
        clean(&RULE, &policy("hook-succeeded,hook-failed"));
        clean(&RULE, &policy(""));
        let plain = "metadata: {annotations: null, name: NAME}";
        found(&RULE, &plain.replace("NAME", "shop-migrate"), "immutable");
        clean(&RULE, &plain.replace("NAME", "shop-migrate-3f9a1c7e42"));
        clean(
            &RULE,
            "metadata: {annotations: null, name: shop-migrate, labels: {forerun.dev/release: shop}}",
        );
        found(
            &RULE,
            "metadata: {annotations: {helm.sh/hook: null, argocd.argoproj.io/hook: PreSync, \
             argocd.argoproj.io/hook-delete-policy: HookSucceeded}}",
            "takes it for done",
        );
        clean(
            &RULE,
            "metadata: {annotations: {helm.sh/hook: null, argocd.argoproj.io/sync-options: 'Replace=true,Force=true'}}",
        );
    }
}
