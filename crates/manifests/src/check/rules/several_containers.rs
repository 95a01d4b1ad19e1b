//! More than one ordinary container in a migration Job.

use crate::check::image::ImageReference;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "several-containers",
    severity: Severity::Error,
    title: "A container beside the migration keeps the Job from ending",
    why: "A Job is done when all of its ordinary containers have ended. A proxy or an agent never ends, so the migration \
          succeeds and the Job still runs into its deadline.",
    fix: "Make it a native sidecar: an init container with restartPolicy Always (Kubernetes 1.29 and later). It is \
          stopped when the migration has ended.",
    yaml: "initContainers:
  - name: sql-proxy
    image: registry.example/sql-proxy:2.14
    restartPolicy: Always",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    if job.containers.len() < 2 {
        return;
    }
    for container in job
        .containers
        .iter()
        .filter(|container| container.path() != job.main.path())
    {
        let name = MigrationJob::container_name(container);
        let image = container.get("image").text().unwrap_or_default();
        let image = ImageReference::parse(image);
        if image.runs_until_stopped() {
            let message = format!(
                "container {name} ({}) never ends by itself, so the Job never completes",
                image.name()
            );
            reporter.report(job.object, container.get("name").path(), message);
        } else {
            let message = format!(
                "container {name} runs beside the migration; the Job completes only when both have ended"
            );
            reporter.report_as(
                Severity::Warning,
                job.object,
                container.get("name").path(),
                message,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn proxies_and_others() {
        let with = |image: &str| {
            format!(
                "spec: {{template: {{spec: {{containers: {{1: {{name: x, image: '{image}'}}}}}}}}}}"
            )
        };
        found(
            &RULE,
            &with("gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14"),
            "never ends by itself",
        );
        found(&RULE, &with("shop:1"), "runs beside the migration");
        clean(
            &RULE,
            "spec: {template: {spec: {initContainers: [{name: p, image: 'proxy:1', restartPolicy: Always}]}}}",
        );
    }
}
