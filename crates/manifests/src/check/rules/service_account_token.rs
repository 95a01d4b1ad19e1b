//! The rights of the Job in the cluster.

use crate::check::image::ImageReference;
use crate::check::release::{MigrationJob, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "service-account-token",
    severity: Severity::Warning,
    title: "The migration gets a token for the API of the cluster",
    why: "Unless it is switched off, the token of the service account is mounted into the pod. A migration talks to a \
          database only; with a service account that it shares with the application, it also has all that the application \
          may do, and whoever may migrate may act as the application.",
    fix: "Switch the token off. Where it is needed, give the Job a service account of its own.",
    yaml: "spec:
  template:
    spec:
      serviceAccountName: shop-migrations
      automountServiceAccountToken: false",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    if !job.mounts_token() {
        return;
    }
    let account = job.service_account();
    let name = job.pod.get("serviceAccountName");
    if let Some(workload) = job.release.user_of("ServiceAccount", account, job.object) {
        let message = format!(
            "the Job has the token of service account {account}, which {} uses, too",
            workload.title()
        );
        let path = if name.exists() {
            name.path()
        } else {
            job.pod.path()
        };
        reporter.report(job.object, path, message);
    } else if !needs_token(job) {
        let path = job.pod.path().key("automountServiceAccountToken");
        let message =
            format!("the token of service account {account} is mounted into the migration");
        reporter.report(job.object, &path, message);
    }
}

/// It has a service account of its own with rights, or a container that talks to the cluster.
fn needs_token(job: &MigrationJob<'_>) -> bool {
    let account = job.service_account();
    let bound = account != "default" && job.release.bindings_of(account).next().is_some();
    bound
        || containers(&job.pod).any(|container| {
            let image = container.get("image").text().unwrap_or_default();
            let name = ImageReference::parse(image).name();
            name.contains("kubectl") || name.contains("k8s-wait-for") || name == "helm"
        })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn tokens() {
        let token = |part: &str| {
            format!("spec: {{template: {{spec: {{automountServiceAccountToken: null{part}}}}}}}")
        };
        found(&RULE, &token(""), "service account default is mounted");
        let app = "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                   spec: {template: {spec: {serviceAccountName: shop}}}\n";
        found(
            &RULE,
            &format!("{}{app}", token(", serviceAccountName: shop")),
            "which Deployment web uses, too",
        );
        clean(
            &RULE,
            &format!("spec: {{template: {{spec: {{serviceAccountName: shop}}}}}}{app}"),
        );
        let account = "\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: m}\nautomountServiceAccountToken: false\n";
        clean(
            &RULE,
            &format!("{}{account}", token(", serviceAccountName: m")),
        );
        clean(
            &RULE,
            &token(", initContainers: [{name: k, image: 'bitnami/kubectl:1.34'}]"),
        );
    }
}
