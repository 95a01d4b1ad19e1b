//! Hooks of Helm and of Argo CD, as the annotations of an object say.
//!
//! Facts: Helm's chart hooks (helm.sh/docs/topics/charts_hooks; `pkg/release/v1/util/manifest_sorter.go` and
//! `pkg/action/hooks.go` of Helm 3.18 and 4), Argo CD's resource hooks and its mapping of Helm's
//! (argo-cd docs/user-guide/resource_hooks.md, helm.md).

use super::field::Field;

/// Annotation that makes an object a hook of Helm.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Its order; a text that holds a whole number.
pub const HELM_WEIGHT: &str = "helm.sh/hook-weight";
/// When it is deleted.
pub const HELM_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// When Helm prints its log (3.18 and later).
pub const HELM_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";
/// Annotation that makes an object a hook of Argo CD.
pub const ARGO_HOOK: &str = "argocd.argoproj.io/hook";
/// When Argo CD deletes it.
pub const ARGO_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Its order within a phase.
pub const ARGO_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// What all annotations of Argo CD begin with.
pub const ARGO_PREFIX: &str = "argocd.argoproj.io/";

/// Events that Helm knows. It skips an object whose `helm.sh/hook` names another one.
pub const HELM_EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-upgrade",
    "post-upgrade",
    "pre-delete",
    "post-delete",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];
/// Delete policies that Helm knows.
pub const HELM_DELETE_POLICIES: [&str; 3] =
    ["before-hook-creation", "hook-succeeded", "hook-failed"];
/// Log policies that Helm knows.
pub const HELM_LOG_POLICIES: [&str; 2] = ["hook-failed", "hook-succeeded"];
/// Phases that Argo CD knows.
pub const ARGO_PHASES: [&str; 7] = [
    "PreSync",
    "Sync",
    "PostSync",
    "SyncFail",
    "PreDelete",
    "PostDelete",
    "Skip",
];
/// Delete policies that Argo CD knows.
pub const ARGO_DELETE_POLICIES: [&str; 3] = ["BeforeHookCreation", "HookSucceeded", "HookFailed"];

/// A hook of Helm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmHook {
    /// Events it runs at, in lower case, as Helm compares them.
    pub events: Vec<String>,
    /// Order: lower first, then by name. What is no whole number counts as 0.
    pub weight: i64,
    /// Delete policies; `before-hook-creation` when none is given.
    pub delete_policies: Vec<String>,
    /// Log policies.
    pub log_policies: Vec<String>,
}

/// A hook of Argo CD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgoHook {
    /// Phases it runs in.
    pub phases: Vec<String>,
    /// Order within a phase: lower first.
    pub wave: i64,
    /// Delete policies; `BeforeHookCreation` when none is given.
    pub delete_policies: Vec<String>,
}

/// Elements of a list in one text, without blanks.
pub fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

impl HelmHook {
    /// What the annotations say, when they make the object a hook.
    pub fn of(annotations: &Field<'_>) -> Option<Self> {
        let lower = |name: &str| -> Vec<String> {
            let text = annotations.get(name).text().unwrap_or_default();
            elements(text).map(str::to_lowercase).collect()
        };
        let events = lower(HELM_HOOK);
        if events.is_empty() {
            return None;
        }
        let mut delete_policies = lower(HELM_DELETE_POLICY);
        if delete_policies.is_empty() {
            delete_policies.push("before-hook-creation".to_owned());
        }
        Some(Self {
            events,
            weight: number(annotations, HELM_WEIGHT).unwrap_or(0),
            delete_policies,
            log_policies: lower(HELM_LOG_POLICY),
        })
    }

    /// It runs at this event.
    pub fn runs_at(&self, event: &str) -> bool {
        self.events.iter().any(|own| own == event)
    }

    /// It has this delete policy.
    pub fn deletes(&self, policy: &str) -> bool {
        self.delete_policies.iter().any(|own| own == policy)
    }

    /// It runs after the objects of the release are applied, and not before.
    pub fn is_only_post(&self) -> bool {
        (self.runs_at("post-install") || self.runs_at("post-upgrade"))
            && !self.runs_at("pre-install")
            && !self.runs_at("pre-upgrade")
    }
}

impl ArgoHook {
    /// What the annotations say, when they make the object a hook.
    pub fn of(annotations: &Field<'_>) -> Option<Self> {
        let list = |name: &str| -> Vec<String> {
            let text = annotations.get(name).text().unwrap_or_default();
            elements(text).map(str::to_owned).collect()
        };
        let phases = list(ARGO_HOOK);
        if phases.is_empty() {
            return None;
        }
        let mut delete_policies = list(ARGO_DELETE_POLICY);
        if delete_policies.is_empty() {
            delete_policies.push("BeforeHookCreation".to_owned());
        }
        Some(Self {
            phases,
            wave: number(annotations, ARGO_WAVE).unwrap_or(0),
            delete_policies,
        })
    }

    /// It runs in this phase.
    pub fn runs_in(&self, phase: &str) -> bool {
        self.phases.iter().any(|own| own == phase)
    }

    /// It has this delete policy.
    pub fn deletes(&self, policy: &str) -> bool {
        self.delete_policies.iter().any(|own| own == policy)
    }
}

/// The whole number that an annotation holds.
pub fn number(annotations: &Field<'_>, name: &str) -> Option<i64> {
    let annotation = annotations.get(name);
    annotation
        .text()
        .and_then(|text| text.trim().parse().ok())
        .or_else(|| annotation.integer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_annotations_of_helm_are_read_as_helm_reads_them() {
        let value = json!({
            "helm.sh/hook": " Pre-Install , pre-upgrade",
            "helm.sh/hook-weight": "-5",
        });
        let hook = HelmHook::of(&Field::root(&value)).unwrap();
        assert!(hook.runs_at("pre-install") && hook.runs_at("pre-upgrade"));
        assert_eq!(hook.weight, -5);
        assert!(hook.deletes("before-hook-creation"));
        assert!(!hook.is_only_post());
        let wrong = json!({"helm.sh/hook": "pre-install", "helm.sh/hook-weight": "five"});
        assert_eq!(HelmHook::of(&Field::root(&wrong)).unwrap().weight, 0);
        assert_eq!(
            HelmHook::of(&Field::root(&json!({"helm.sh/hook": ""}))),
            None
        );
    }

    #[test]
    fn the_annotations_of_argo_cd_are_case_sensitive() {
        let value =
            json!({"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/sync-wave": "3"});
        let hook = ArgoHook::of(&Field::root(&value)).unwrap();
        assert!(hook.runs_in("PreSync") && !hook.runs_in("presync"));
        assert_eq!(hook.wave, 3);
        assert!(hook.deletes("BeforeHookCreation"));
    }
}
