//! The application's own configuration as a hook.

use crate::check::hook::{ARGO_HOOK, HELM_HOOK};
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "config-as-hook",
    severity: Severity::Warning,
    title: "An object that the application uses is a hook",
    why: "Hooks are no part of the release: Helm deletes and creates them again at each upgrade, so a pod that starts in \
          between fails; the new content is live before the migration has succeeded; helm rollback does not bring the old \
          content back, and helm uninstall leaves it.",
    fix: "Make it an ordinary object, and give the migration a hook copy under a name of its own.",
    yaml: "metadata:
  name: shop-db               # the application's: no hook annotations
---
metadata:
  name: shop-db-migrations    # the same content for the Job
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: \"-10\"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded",
    scope: Scope::Release(check),
};

/// What applications refer to.
const KINDS: [&str; 4] = [
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "PersistentVolumeClaim",
];

fn check(release: &Release, reporter: &mut Reporter) {
    for object in release.objects.iter().filter(|object| object.is_hook()) {
        let Some(kind) = KINDS.iter().find(|kind| **kind == object.kind) else {
            continue;
        };
        if let Some(user) = release.user_of(kind, &object.name, object) {
            let annotation = if object.helm_hook.is_some() {
                HELM_HOOK
            } else {
                ARGO_HOOK
            };
            let path = object.annotations().path().key(annotation);
            let message = format!("{} is a hook, and {} uses it", object.title(), user.title());
            reporter.report(object, &path, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn configs() {
        let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db, annotations: {helm.sh/hook: pre-install}}\n";
        let app = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                   spec: {template: {spec: {containers: [{name: a, envFrom: [{secretRef: {name: db}}]}]}}}\n";
        found(
            &RULE,
            &format!("{{}}\n{secret}{app}"),
            "Secret db is a hook, and Deployment web uses it",
        );
        clean(&RULE, &format!("{{}}\n{secret}"));
        clean(
            &RULE,
            &format!("{{}}\n{secret}{}", app.replace("name: db", "name: other")),
        );
    }
}
