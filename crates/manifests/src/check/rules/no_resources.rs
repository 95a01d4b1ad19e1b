//! A migration without limits.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "no-resources",
    severity: Severity::Note,
    title: "The migration asks for no resources",
    why: "A pod without requests is the first to be evicted when its node runs short, in the middle of a migration. Where the \
          namespace has a quota it is refused.",
    fix: "Set requests, and a limit for memory.",
    yaml: "resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {memory: 512Mi}",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let resources = job.main.get("resources");
    let any = |key: &str| resources.get(key).entries().next().is_some();
    if !any("requests") && !any("limits") && !job.pod.at("resources").exists() {
        let message = format!(
            "container {} has no resources",
            MigrationJob::container_name(&job.main)
        );
        reporter.report(job.object, resources.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn resources() {
        let with = |resources: &str| {
            format!(
                "spec: {{template: {{spec: {{containers: {{0: {{resources: {resources}}}}}}}}}}}"
            )
        };
        found(&RULE, &with("null"), "container migrate has no resources");
        found(
            &RULE,
            &with("{limits: null, requests: null}"),
            "no resources",
        );
        clean(&RULE, &with("{limits: null}"));
    }
}
