//! A volume that only one node can mount, in the Job and in the application.

use crate::check::object::Object;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "shared-volume-claim",
    severity: Severity::Error,
    title: "The Job and the application mount a volume that only one node can have",
    why: "A ReadWriteOnce volume is attached to the node on which the running application uses it. A pod of the Job on \
          another node waits for it, while the deployment waits for the Job.",
    fix: "Leave the volume out of the Job: a migration needs the database only.",
    yaml: "volumes:
  - name: tmp
    emptyDir: {}",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    for volume in job.pod.get("volumes").items() {
        let claim = volume.at("persistentVolumeClaim.claimName");
        let Some(name) = claim.text() else {
            continue;
        };
        let kind = "PersistentVolumeClaim";
        let exclusive = job
            .release
            .find(kind, name, job.object)
            .is_some_and(is_exclusive);
        let user = job.release.user_of(kind, name, job.object);
        if let Some(user) = user.filter(|_| exclusive) {
            let message = format!(
                "{kind} {name} can be mounted on one node only, and {} mounts it, too",
                user.title()
            );
            reporter.report(job.object, claim.path(), message);
        }
    }
}

fn is_exclusive(claim: &Object) -> bool {
    let modes = claim.root().at("spec.accessModes").texts();
    !modes
        .iter()
        .any(|mode| matches!(*mode, "ReadWriteMany" | "ReadOnlyMany"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn claims() {
        let volumes = "spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: files}}]}}}\n---\n";
        let claim = |mode: &str| {
            format!(
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: files}}\nspec: {{accessModes: [{mode}]}}\n---\n"
            )
        };
        let app = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{}",
            volumes.trim_end_matches("---\n")
        );
        found(
            &RULE,
            &format!("{volumes}{}{app}", claim("ReadWriteOnce")),
            "Deployment web mounts it, too",
        );
        clean(&RULE, &format!("{volumes}{}{app}", claim("ReadWriteMany")));
        clean(&RULE, &format!("{volumes}{}", claim("ReadWriteOnce")));
    }
}
