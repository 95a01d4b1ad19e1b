//! Several pods of one migration Job.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "parallel-migrations",
    severity: Severity::Error,
    title: "The Job runs the same migration several times",
    why: "With parallelism above 1 several pods migrate the same database at once; with completions above 1 the whole \
          migration runs again after it has succeeded.",
    fix: "Leave both at 1. For a fleet of databases use an Indexed Job, each index with databases of its own.",
    yaml: "spec:
  parallelism: 1
  completions: 1",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    if job.is_indexed() {
        return;
    }
    let parallelism = job.spec.get("parallelism");
    if let Some(number) = parallelism.integer().filter(|number| *number > 1) {
        let message = format!("{number} pods run the same migration at once");
        reporter.report(job.object, parallelism.path(), message);
    }
    let completions = job.spec.get("completions");
    if let Some(number) = completions.integer().filter(|number| *number > 1) {
        let message = format!("the same migration runs {number} times");
        reporter.report(job.object, completions.path(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn several_pods() {
        found(&RULE, "spec: {parallelism: 2}", "2 pods");
        found(&RULE, "spec: {completions: 3}", "3 times");
        clean(&RULE, "spec: {parallelism: null, completions: null}");
        clean(
            &RULE,
            "spec: {parallelism: 2, completions: 8, completionMode: Indexed}",
        );
    }
}
