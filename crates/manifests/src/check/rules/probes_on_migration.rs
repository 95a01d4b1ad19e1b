//! Probes, ports and lifecycle hooks, which belong to servers.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "probes-on-migration",
    severity: Severity::Error,
    title: "The migration has probes, ports or lifecycle hooks of a server",
    why: "A migration answers no requests. A liveness or startup probe fails, and the kubelet kills the container in the \
          middle of its work; a postStart hook can kill it, too. Ports and readiness probes have no effect, but show that \
          the container was copied from the application.",
    fix: "Remove livenessProbe, readinessProbe, startupProbe, lifecycle and ports from the containers of the Job. What \
          bounds a migration is activeDeadlineSeconds.",
    yaml: "spec:
  activeDeadlineSeconds: 270",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    for container in &job.containers {
        let name = MigrationJob::container_name(container);
        for (key, effect) in [
            ("livenessProbe", "kills the migration when it fails"),
            ("startupProbe", "kills the migration when it fails"),
            ("lifecycle", "runs beside the migration and can kill it"),
        ] {
            let field = container.get(key);
            if field.exists() {
                reporter.report(
                    job.object,
                    field.path(),
                    format!("{key} of container {name} {effect}"),
                );
            }
        }
        for key in ["readinessProbe", "ports"] {
            let field = container.get(key);
            if field.exists() {
                let message = format!("{key} of container {name} has no effect in a migration");
                reporter.report_as(Severity::Note, job.object, field.path(), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn what_servers_have() {
        let with =
            |part: &str| format!("spec: {{template: {{spec: {{containers: {{0: {part}}}}}}}}}");
        found(
            &RULE,
            &with("{livenessProbe: {httpGet: {port: 80}}}"),
            "kills the migration",
        );
        found(
            &RULE,
            &with("{lifecycle: {preStop: {sleep: {seconds: 1}}}}"),
            "can kill it",
        );
        found(&RULE, &with("{ports: [{containerPort: 80}]}"), "no effect");
        clean(&RULE, &with("{livenessProbe: null}"));
        // A sidecar is a server.
        clean(
            &RULE,
            "spec: {template: {spec: {initContainers: [{name: p, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}]}}}",
        );
    }
}
