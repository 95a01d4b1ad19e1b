//! Hooks of equal weight that depend on each other.

use crate::check::release::{MigrationJob, references};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "equal-hook-weights",
    severity: Severity::Error,
    title: "The hook and an object it needs have the same weight",
    why: "Helm sorts hooks of equal weight by their names, whatever their kinds are, and starts each one only after the one \
          before it has finished. A Job that sorts before its Secret waits for it forever; one that sorts after it does so \
          until somebody renames one of the two.",
    fix: "Give what the Job needs a lower weight than the Job.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: \"-10\"    # the Job has 0",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let Some(own) = &job.object.helm_hook else {
        return;
    };
    for reference in references(&job.pod) {
        let Some(needed) = job
            .release
            .find(reference.kind, &reference.name, job.object)
        else {
            continue;
        };
        let Some(hook) = &needed.helm_hook else {
            continue;
        };
        let together = own.events.iter().any(|event| hook.runs_at(event));
        // Equal names keep the order of kinds, in which Jobs are last.
        if !together || hook.weight != own.weight || needed.name == job.object.name {
            continue;
        }
        if needed.name < job.object.name {
            let message = format!(
                "the Job needs {}, which has the same weight {} and runs first only because of its name",
                needed.title(),
                hook.weight
            );
            reporter.report_as(Severity::Warning, job.object, &reference.path, message);
        } else {
            let message = format!(
                "the Job needs {}, which has the same weight {} and by its name runs after the Job",
                needed.title(),
                hook.weight
            );
            reporter.report(job.object, &reference.path, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    fn with(name: &str, weight: &str) -> String {
        format!(
            "spec: {{template: {{spec: {{containers: {{0: {{envFrom: [{{secretRef: {{name: {name}}}}}]}}}}}}}}}}\n---\n\
             apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  annotations:\n    \
             helm.sh/hook: pre-install,pre-upgrade\n    helm.sh/hook-weight: \"{weight}\"\n"
        )
    }

    #[test]
    fn names_decide() {
        found(&RULE, &with("zz", "0"), "by its name runs after the Job");
        found(&RULE, &with("aa", "0"), "only because of its name");
        clean(&RULE, &with("zz", "-1"));
        clean(&RULE, &with("shop-migrations", "0"));
    }
}
