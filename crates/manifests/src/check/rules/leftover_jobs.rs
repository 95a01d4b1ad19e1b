//! Jobs with a new name at each deployment that nobody deletes.

use crate::check::job_name::is_unique;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "leftover-jobs",
    severity: Severity::Warning,
    title: "Each deployment leaves a Job behind",
    why: "The delete policy before-hook-creation deletes the hook of the same name. A name with a stamp or hash is never the \
          same, so nothing is deleted: failed Jobs pile up, stay after helm uninstall, and one that is still running goes on \
          beside its successor.",
    fix: "Set ttlSecondsAfterFinished, at least 600 where Argo CD watches the Job, or use a fixed name.",
    yaml: "spec:
  ttlSecondsAfterFinished: 604800    # a week, to read the log of a failure",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let generated = job.object.root().at("metadata.generateName").exists();
    if !(is_unique(&job.object.name) || generated) {
        return;
    }
    let ttl = job.spec.get("ttlSecondsAfterFinished");
    let both = job
        .object
        .helm_hook
        .as_ref()
        .is_some_and(|hook| hook.deletes("hook-succeeded") && hook.deletes("hook-failed"));
    if !ttl.exists() && !both {
        let message = "the name is another one at each deployment and the Job has no ttlSecondsAfterFinished: nothing \
                       deletes a failed Job";
        reporter.report(job.object, ttl.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn unique_names() {
        let named = |name: &str| {
            format!("metadata: {{name: {name}}}\nspec: {{ttlSecondsAfterFinished: null}}")
        };
        found(
            &RULE,
            &named("shop-migrate-1763770000"),
            "nothing deletes a failed Job",
        );
        clean(&RULE, &named("shop-migrate"));
        clean(&RULE, "metadata: {name: shop-migrate-1763770000}");
    }
}
