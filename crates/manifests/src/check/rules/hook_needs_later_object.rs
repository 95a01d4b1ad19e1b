//! A migration hook that needs an object which is not there yet when it runs.

use crate::check::hook::{ArgoHook, HelmHook};
use crate::check::object::Object;
use crate::check::release::{MigrationJob, references};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "hook-needs-later-object",
    severity: Severity::Error,
    title: "The hook needs an object that does not exist yet when it runs",
    why: "Helm runs pre-install hooks before it creates the objects of the release, and Argo CD runs PreSync hooks before \
          it applies them. The pod then waits for a Secret, ConfigMap, service account or volume claim that only comes \
          after it: CreateContainerConfigError until the timeout, and the first installation fails.",
    fix: "Refer to an object that exists before the release, or give the Job a hook copy of it under a name of its own, \
          with a lower weight. Leave the application's own object an ordinary object of the release.",
    yaml: "apiVersion: v1
kind: Secret
metadata:
  name: shop-db-migrations        # not the name that the application uses
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: \"-10\"    # before the Job
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    for reference in references(&job.pod) {
        let Some(needed) = job
            .release
            .find(reference.kind, &reference.name, job.object)
        else {
            continue;
        };
        if let Some(reason) = missing(job.object, needed) {
            let message = format!("the Job needs {}, {reason}", needed.title());
            reporter.report(job.object, &reference.path, message);
        }
    }
    if !job.mounts_token() || job.service_account() == "default" {
        return;
    }
    for binding in job.release.bindings_of(job.service_account()) {
        let role = binding.root().get("roleRef");
        let role = role
            .get("kind")
            .text()
            .zip(role.get("name").text())
            .and_then(|(kind, name)| job.release.find(kind, name, job.object));
        for needed in [Some(binding), role].into_iter().flatten() {
            if let Some(reason) = missing(job.object, needed) {
                let path = job.pod.get("serviceAccountName").path().clone();
                let message = format!(
                    "the rights of the Job's service account come from {}, {reason}",
                    needed.title()
                );
                reporter.report(job.object, &path, message);
            }
        }
    }
}

/// Why an object is not there when the Job runs.
fn missing(job: &Object, needed: &Object) -> Option<String> {
    let helm = job
        .helm_hook
        .as_ref()
        .and_then(|hook| for_helm(hook, needed));
    helm.or_else(|| {
        let hook = job.argo_hook.as_ref()?;
        for_argo(hook, needed)
    })
}

fn for_helm(job: &HelmHook, needed: &Object) -> Option<String> {
    let Some(hook) = &needed.helm_hook else {
        return job.runs_at("pre-install").then(|| {
            "an ordinary object of the release: Helm creates it after its pre-install hooks"
                .to_owned()
        });
    };
    for event in &job.events {
        if hook.runs_at(event) {
            // Equal weights have a rule of their own.
            if hook.weight > job.weight {
                return Some(format!(
                    "a hook of the same event with weight {}, which is later than the Job's {}",
                    hook.weight, job.weight
                ));
            }
            continue;
        }
        let installed = (hook.runs_at("pre-install") && event != "pre-install")
            || (hook.runs_at("post-install") && event.ends_with("upgrade"));
        if !installed && event.starts_with("pre-") {
            return Some(format!(
                "a hook that does not run at {event} as the Job does"
            ));
        }
        if installed && hook.deletes("hook-succeeded") {
            return Some(format!(
                "a hook that is deleted when it has succeeded and does not run again at {event}"
            ));
        }
    }
    None
}

fn for_argo(job: &ArgoHook, needed: &Object) -> Option<String> {
    let order = |phase: &str| {
        ["PreSync", "Sync", "PostSync"]
            .iter()
            .position(|own| *own == phase)
    };
    let first = job.phases.iter().filter_map(|phase| order(phase)).min()?;
    match &needed.argo_hook {
        // Argo CD reads Helm's hooks as its own where there are none of its own; that mixture has a rule.
        None if needed.helm_hook.is_some() => None,
        None => (first == 0)
            .then(|| "an ordinary object: Argo CD applies it after the PreSync phase".to_owned()),
        Some(hook) => {
            let theirs = hook.phases.iter().filter_map(|phase| order(phase)).min()?;
            if theirs > first {
                return Some("a hook of a later phase".to_owned());
            }
            // Within a wave Argo CD applies service accounts, Secrets and ConfigMaps before Jobs.
            (theirs == first && hook.wave > job.wave).then(|| {
                format!(
                    "a hook of wave {}, which is later than the Job's {}",
                    hook.wave, job.wave
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    const USES_SECRET: &str =
        "spec: {template: {spec: {containers: {0: {envFrom: [{secretRef: {name: db}}]}}}}}\n---\n";

    #[test]
    fn objects_of_the_release_come_too_late() {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n";
        found(
            &RULE,
            &format!("{USES_SECRET}{secret}"),
            "containers[0].envFrom[0].secretRef.name",
        );
        let account = "spec: {template: {spec: {serviceAccountName: shop}}}\n---\n\
                       apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: shop}\n";
        found(&RULE, account, "ServiceAccount shop, an ordinary object");
        let claim = "spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: files}}]}}}\n---\n\
                     apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: files}\n";
        found(&RULE, claim, "PersistentVolumeClaim files");
        let pull = "spec: {template: {spec: {imagePullSecrets: [{name: db}]}}}\n---\n";
        found(
            &RULE,
            &format!("{pull}{secret}"),
            "imagePullSecrets[0].name",
        );
    }

    #[test]
    fn hooks_before_it_do_not() {
        let hook = |events: &str, weight: &str, policy: &str| {
            format!(
                "{USES_SECRET}apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n    helm.sh/hook: {events}\n    \
                 helm.sh/hook-weight: \"{weight}\"\n    helm.sh/hook-delete-policy: {policy}\n"
            )
        };
        let stays = "before-hook-creation";
        clean(&RULE, &hook("pre-install,pre-upgrade", "-1", stays));
        found(
            &RULE,
            &hook("pre-install,pre-upgrade", "1", stays),
            "weight 1, which is later",
        );
        found(
            &RULE,
            &hook("post-install,pre-upgrade", "-1", stays),
            "does not run at pre-install",
        );
        clean(&RULE, &hook("pre-install", "-1", stays));
        found(
            &RULE,
            &hook("pre-install", "-1", "hook-succeeded"),
            "does not run again at pre-upgrade",
        );
        // Nothing of the release.
        clean(&RULE, USES_SECRET.trim_end_matches("---\n"));
        // After the release, everything is there; at upgrades, what was installed.
        let late = "metadata: {annotations: {helm.sh/hook: post-install}}\n";
        let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\n";
        clean(
            &RULE,
            &format!("{late}{}{secret}", USES_SECRET.trim_end_matches("---\n")),
        );
        clean(
            &RULE,
            &format!(
                "{USES_SECRET}{}",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: other}\n"
            )
            .replacen("spec:", "metadata: {namespace: shop}\nspec:", 1),
        );
    }

    #[test]
    fn argo_cd_has_phases_and_waves() {
        let argo = "metadata: {annotations: {helm.sh/hook: null, helm.sh/hook-weight: null, argocd.argoproj.io/hook: PreSync}}\n";
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n";
        found(
            &RULE,
            &format!("{argo}{USES_SECRET}{secret}"),
            "after the PreSync phase",
        );
        let hook = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, annotations: {argocd.argoproj.io/hook: PreSync}}\n";
        clean(&RULE, &format!("{argo}{USES_SECRET}{hook}"));
        let later = hook.replace(
            "hook: PreSync",
            "hook: PreSync, argocd.argoproj.io/sync-wave: \"2\"",
        );
        found(&RULE, &format!("{argo}{USES_SECRET}{later}"), "wave 2");
    }

    #[test]
    fn rights_come_too_late() {
        let patch = "spec: {template: {spec: {serviceAccountName: m, automountServiceAccountToken: true}}}\n---\n\
                     apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: m}\n\
                     roleRef: {kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: m}]\n";
        found(&RULE, patch, "RoleBinding m");
        clean(&RULE, &patch.replace("Token: true", "Token: false"));
    }
}
