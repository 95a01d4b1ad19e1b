//! The revision of the release in the name of the Job.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "revision-in-name",
    severity: Severity::Warning,
    title: "The name of the Job seems to hold the revision of the release",
    why: ".Release.Revision is always 1 where Helm only renders (helm template, Argo CD, Flux with post-rendering): each \
          deployment renders the same name, and the Job of the first one is taken for the new one.",
    fix: "Use a fixed name with before-hook-creation, or a hash of the image and the directory of the migrations.",
    yaml: "metadata:
  name: {{ .Release.Name }}-migrate-{{ .Values.image.tag | sha256sum | trunc 10 }}",
    scope: Scope::Job(check),
};

/// Ends of names that templates make of revision 1.
const ENDS: [&str; 6] = ["1", "r1", "rev1", "rev-1", "revision1", "revision-1"];

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let name = &job.object.name;
    let Some((end, base)) = ENDS.iter().rev().find_map(|end| {
        let base = name.strip_suffix(end)?.strip_suffix('-')?;
        Some((*end, base))
    }) else {
        return;
    };
    // One of several steps, or a step that is called so.
    let successor = format!("{base}-{}", end.replace('1', "2"));
    let step = job.object.labels().get("forerun.dev/step").text();
    let is_step = step.is_some_and(|step| name.ends_with(step));
    if is_step || job.release.find("Job", &successor, job.object).is_some() {
        return;
    }
    let path = job.object.root().at("metadata.name").path().clone();
    let message =
        format!("the end of the name, -{end}, looks like .Release.Revision of a rendering");
    reporter.report(job.object, &path, message);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn ends_of_names() {
        found(&RULE, "metadata: {name: shop-migrate-1}", "-1, looks like");
        found(
            &RULE,
            "metadata: {name: shop-migrate-rev-1}",
            "-rev-1, looks like",
        );
        for name in [
            "shop-migrate",
            "shop-migrate-11",
            "shop-migrate-v1",
            "shop1",
            "migrate-1763770001",
        ] {
            clean(&RULE, &format!("metadata: {{name: {name}}}"));
        }
        clean(
            &RULE,
            "metadata: {name: shop-migrations-step-1, labels: {forerun.dev/step: step-1}}",
        );
        clean(
            &RULE,
            "metadata: {name: migrate-1}\n---\napiVersion: batch/v1\nkind: Job\n\
                      metadata: {name: migrate-2, annotations: {forerun.dev/check: ignore}}\n",
        );
    }
}
