//! A finished Job that is deleted before Argo CD has seen it.

use crate::check::hook::ARGO_PREFIX;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "short-ttl",
    severity: Severity::Error,
    title: "The Job is deleted before Argo CD has seen its end",
    why: "When ttlSecondsAfterFinished runs out before Argo CD has looked, the hook is gone and Argo CD waits for it \
          forever (argo-cd#21055, #18884).",
    fix: "Leave ttlSecondsAfterFinished out or set it to 600 or more; Argo CD deletes hooks by its own delete policy.",
    yaml: "spec:
  ttlSecondsAfterFinished: 604800",
    scope: Scope::Job(check),
};

/// Seconds in which Argo CD has surely looked.
const SAFE: i64 = 600;

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let ttl = job.spec.get("ttlSecondsAfterFinished");
    let Some(seconds) = ttl.integer().filter(|seconds| *seconds < SAFE) else {
        return;
    };
    let argo = job
        .object
        .annotations()
        .entries()
        .any(|(name, _)| name.starts_with(ARGO_PREFIX));
    if argo {
        let message = format!(
            "the Job is deleted {seconds} seconds after its end; Argo CD may not have seen it"
        );
        reporter.report(job.object, ttl.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn seconds() {
        let argo = |ttl: &str| {
            format!(
                "metadata: {{annotations: {{argocd.argoproj.io/hook: PreSync}}}}\nspec: {{ttlSecondsAfterFinished: {ttl}}}"
            )
        };
        found(&RULE, &argo("60"), "60 seconds after its end");
        clean(&RULE, &argo("600"));
        clean(&RULE, &argo("null"));
        clean(&RULE, "spec: {ttlSecondsAfterFinished: 60}");
    }
}
