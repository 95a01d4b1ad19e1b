//! Hooks of Argo CD beside hooks of Helm.

use crate::check::hook::HELM_HOOK;
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "argo-disables-helm-hooks",
    severity: Severity::Error,
    title: "A hook of Argo CD disables the hooks of Helm in the same application",
    why: "As soon as one object has argocd.argoproj.io/hook, Argo CD ignores helm.sh/hook on all others and applies them as \
          ordinary objects: a migration that is only a hook of Helm then runs together with the new pods.",
    fix: "Put both sets of annotations on every hook, or only those of the tool that deploys.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation",
    scope: Scope::Release(check),
};

fn check(release: &Release, reporter: &mut Reporter) {
    let Some(argo) = release
        .objects
        .iter()
        .find(|object| object.argo_hook.is_some())
    else {
        return;
    };
    for object in &release.objects {
        let Some(hook) = &object.helm_hook else {
            continue;
        };
        let matters = hook
            .events
            .iter()
            .any(|event| event.ends_with("-install") || event.ends_with("-upgrade"));
        if matters && object.argo_hook.is_none() {
            let path = object.annotations().path().key(HELM_HOOK);
            let message = format!(
                "Argo CD ignores this hook of Helm, since {} is a hook of Argo CD",
                argo.title()
            );
            reporter.report(object, &path, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn mixtures() {
        let other = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {argocd.argoproj.io/hook: PreSync}}\n";
        found(
            &RULE,
            &format!("{{}}\n{other}"),
            "since Secret a is a hook of Argo CD",
        );
        clean(
            &RULE,
            &format!("metadata: {{annotations: {{argocd.argoproj.io/hook: PreSync}}}}\n{other}"),
        );
        clean(
            &RULE,
            "metadata: {annotations: {argocd.argoproj.io/sync-wave: '1'}}",
        );
    }
}
