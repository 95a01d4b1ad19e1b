//! Hook annotations with values that Helm or Argo CD do not know.

use strsim::jaro_winkler;

use crate::check::field::Field;
use crate::check::hook::{
    ARGO_DELETE_POLICIES, ARGO_DELETE_POLICY, ARGO_HOOK, ARGO_PHASES, ARGO_WAVE,
    HELM_DELETE_POLICIES, HELM_DELETE_POLICY, HELM_EVENTS, HELM_HOOK, HELM_LOG_POLICIES,
    HELM_LOG_POLICY, HELM_WEIGHT, elements,
};
use crate::check::object::Object;
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "unknown-hook",
    severity: Severity::Error,
    title: "A hook annotation says something that Helm or Argo CD does not know",
    why: "Helm skips an object with an unknown event altogether: it is never created, and the deployment succeeds without \
          the migration. A weight that is no whole number counts as 0, unknown policies have no effect, and crd-install and \
          test-failure of Helm 2 are gone. Argo CD knows no rollback hooks.",
    fix: "Use the events pre-install, post-install, pre-upgrade, post-upgrade, pre-rollback, post-rollback, pre-delete, \
          post-delete and test; for Argo CD PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete and Skip.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: \"0\"
    helm.sh/hook-delete-policy: before-hook-creation",
    scope: Scope::Release(check),
};

/// Annotations of hooks, and the values they may have; none: a whole number.
const KNOWN: [(&str, &[&str]); 7] = [
    (HELM_HOOK, &HELM_EVENTS),
    (HELM_DELETE_POLICY, &HELM_DELETE_POLICIES),
    (HELM_LOG_POLICY, &HELM_LOG_POLICIES),
    (HELM_WEIGHT, &[]),
    (ARGO_HOOK, &ARGO_PHASES),
    (ARGO_DELETE_POLICY, &ARGO_DELETE_POLICIES),
    (ARGO_WAVE, &[]),
];
/// Annotations that are near to those of hooks and right.
const OTHERS: [&str; 3] = [
    "helm.sh/resource-policy",
    "helm.sh/chart",
    "argocd.argoproj.io/sync-options",
];
/// How near a name must be to be meant.
const NEAR: f64 = 0.93;

fn check(release: &Release, reporter: &mut Reporter) {
    let argo = release.mentions_argo();
    for object in &release.objects {
        for (name, value) in object.annotations().entries() {
            match KNOWN.iter().find(|(known, _)| *known == name) {
                Some((_, allowed)) => check_value(object, name, &value, allowed, argo, reporter),
                None => check_name(object, name, &value, reporter),
            }
        }
    }
}

fn check_value(
    object: &Object,
    name: &str,
    value: &Field<'_>,
    allowed: &[&str],
    argo: bool,
    reporter: &mut Reporter,
) {
    let Some(text) = value.text() else {
        return;
    };
    if allowed.is_empty() {
        if text.trim().parse::<i64>().is_err() {
            let message = format!("{name} is no whole number and counts as 0");
            reporter.report(object, value.path(), message);
        }
        return;
    }
    // Helm compares without case, Argo CD with it.
    let helm = name.starts_with("helm.sh/");
    for element in elements(text) {
        let known = allowed
            .iter()
            .any(|allowed| *allowed == element || (helm && allowed.eq_ignore_ascii_case(element)));
        if !known {
            let message = match element {
                "crd-install" => "crd-install was Helm 2's: put custom resource definitions into the directory crds/".to_owned(),
                "test-failure" => "test-failure was Helm 2's: Helm skips this object".to_owned(),
                _ => {
                    let advice = nearest(element, allowed).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    let effect = if name == HELM_HOOK { ", so Helm never creates this object" } else { "" };
                    format!("{name} does not know {element:?}{effect}{advice}")
                }
            };
            reporter.report(object, value.path(), message);
        } else if name == HELM_HOOK && argo && element.ends_with("-rollback") {
            let message = format!("Argo CD has no rollbacks: {element} has no effect there");
            reporter.report_as(Severity::Note, object, value.path(), message);
        }
    }
}

fn check_name(object: &Object, name: &str, value: &Field<'_>, reporter: &mut Reporter) {
    let own = name.starts_with("helm.sh/") || name.starts_with("argocd.argoproj.io/");
    if !own || OTHERS.contains(&name) || !name.contains("hook") {
        return;
    }
    let names: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
    if let Some(near) = nearest(name, &names) {
        let message = format!("there is no annotation {name}; did you mean {near}?");
        reporter.report_key(Severity::Error, object, value.path(), message);
    }
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase();
    known
        .iter()
        .map(|known| (jaro_winkler(&lower, &known.to_ascii_lowercase()), *known))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn values_and_names() {
        let with =
            |name: &str, value: &str| format!("metadata: {{annotations: {{{name}: '{value}'}}}}");
        found(
            &RULE,
            &with("helm.sh/hook", "pre-instal,pre-upgrade"),
            "did you mean pre-install?",
        );
        found(&RULE, &with("helm.sh/hook", "test-failure"), "Helm 2's");
        found(
            &RULE,
            &with("helm.sh/hook-delete-policy", "before-hook-creations"),
            "did you mean before-hook-creation?",
        );
        found(&RULE, &with("helm.sh/hook-weight", "first"), "counts as 0");
        found(
            &RULE,
            &with("helm.sh/hook-wieght", "1"),
            "did you mean helm.sh/hook-weight?",
        );
        found(
            &RULE,
            &with("argocd.argoproj.io/hook", "presync"),
            "did you mean PreSync?",
        );
        found(
            &RULE,
            &with("argocd.argoproj.io/hook", "PreSync")
                .replace("'}}", "', helm.sh/hook: pre-rollback}}"),
            "no effect there",
        );
        clean(&RULE, &with("helm.sh/hook", "Pre-Install, pre-upgrade"));
        clean(&RULE, &with("helm.sh/resource-policy", "keep"));
        clean(
            &RULE,
            &with(
                "helm.sh/hook-output-log-policy",
                "hook-failed,hook-succeeded",
            ),
        );
    }
}
