//! A migration after the rollout while the pods wait for it before they get ready.

use crate::check::field::Field;
use crate::check::hook::{ARGO_HOOK, HELM_HOOK, HelmHook};
use crate::check::image::ImageReference;
use crate::check::object::Object;
use crate::check::release::{MigrationJob, Release};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "post-hook-deadlock",
    severity: Severity::Error,
    title: "Pods wait for a migration that only runs once they are ready",
    why: "With --wait, --atomic, Flux or Argo CD, post-install and post-upgrade hooks (PostSync) run when all pods are \
          ready. Pods whose init container waits for the migrations never get ready before: both wait until the timeout.",
    fix: "Run the migration before the pods: as a pre-install,pre-upgrade hook when the database is outside of the \
          release, else as an ordinary Job.",
    yaml: "metadata:
  annotations:
    helm.sh/hook: pre-install,pre-upgrade",
    scope: Scope::Release(check),
};

fn check(release: &Release, reporter: &mut Reporter) {
    let late = release.jobs().filter(|job| runs_last(job.object));
    let late: Vec<MigrationJob<'_>> = late.filter(|job| !closes_ledger(&job.main)).collect();
    if late.is_empty() {
        return;
    }
    let waiting = release.workloads().find_map(|workload| {
        let init = workload.pod_template().at("spec.initContainers");
        let container = init.items().find(waits_for_migration)?;
        Some((workload, container))
    });
    let Some((workload, container)) = waiting else {
        return;
    };
    for job in late {
        let message = format!(
            "the Job runs after the pods of {} are ready, but their init container {} waits for the migrations",
            workload.title(),
            container.get("name").text().unwrap_or("without a name")
        );
        let path = job.object.annotations().path().clone();
        let hook = if job.object.helm_hook.is_some() {
            HELM_HOOK
        } else {
            ARGO_HOOK
        };
        reporter.report(job.object, &path.key(hook), message);
    }
}

fn runs_last(job: &Object) -> bool {
    let helm = job.helm_hook.as_ref().map(HelmHook::is_only_post);
    let argo = || {
        let hook = job.argo_hook.as_ref()?;
        Some(hook.runs_in("PostSync") && !hook.runs_in("PreSync") && !hook.runs_in("Sync"))
    };
    helm.or_else(argo).unwrap_or(false)
}

/// `forerun migrate deployed` comes after the pods on purpose: nobody waits for it.
fn closes_ledger(container: &Field<'_>) -> bool {
    let mut line = container.get("command").texts();
    line.extend(container.get("args").texts());
    line.windows(2)
        .any(|words| words == ["migrate", "deployed"])
}

/// By its name, its image or its command line.
fn waits_for_migration(container: &Field<'_>) -> bool {
    let lower = |field: Field<'_>| field.text().unwrap_or_default().to_ascii_lowercase();
    let name = lower(container.get("name"));
    let image = lower(container.get("image"));
    let mut line = container.get("command").texts();
    line.extend(container.get("args").texts());
    let line = line.join(" ").to_ascii_lowercase();
    let waits = |text: &str| {
        ["wait", "check", "await", "ready"]
            .iter()
            .any(|word| text.contains(word))
    };
    let migrates = |text: &str| text.contains("migrat");
    (migrates(&name) && waits(&name))
        || ImageReference::parse(&image).name().contains("wait-for")
        || (migrates(&line)
            && (waits(&line) || line.contains("status") || line.contains("showmigrations")))
        || (line.contains("wait") && line.contains("job"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    fn app(init: &str, hook: &str) -> String {
        format!(
            "metadata: {{annotations: {{helm.sh/hook: '{hook}'}}}}\n---\napiVersion: apps/v1\nkind: Deployment\n\
             metadata: {{name: web}}\nspec: {{template: {{spec: {{initContainers: [{init}]}}}}}}\n"
        )
    }

    #[test]
    fn pods_that_wait_for_a_post_hook() {
        let waits =
            "{name: wait-for-migrations, image: 'a:1', args: [airflow, db, check-migrations]}";
        found(
            &RULE,
            &app(waits, "post-install,post-upgrade"),
            "annotations[\"helm.sh/hook\"]",
        );
        clean(&RULE, &app(waits, "pre-install,pre-upgrade"));
        clean(
            &RULE,
            &app("{name: copy, image: 'a:1'}", "post-install,post-upgrade"),
        );
        let closes = "spec: {template: {spec: {containers: {0: {args: [migrate, deployed]}}}}}";
        let waiting = app(waits, "post-install,post-upgrade");
        clean(
            &RULE,
            &waiting.replacen("\n---", &format!("\n{closes}\n---"), 1),
        );
        let job = "{name: init, image: 'groundnuty/k8s-wait-for:2', args: [job, shop-migrations]}";
        found(&RULE, &app(job, "post-install"), "Deployment web");
    }
}
