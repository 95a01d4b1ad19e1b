//! Loops that wait for something that may never come.

use crate::check::release::{MigrationJob, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "endless-wait",
    severity: Severity::Warning,
    title: "The Job waits without an end",
    why: "A shell loop that waits for the database goes on for ever when the address is wrong. The pod never fails, so \
          backoffLimit does not help, and without a deadline the Job runs until somebody notices.",
    fix: "Set activeDeadlineSeconds of the Job, or give the loop a timeout.",
    yaml: "spec:
  activeDeadlineSeconds: 270
  template:
    spec:
      initContainers:
        - name: wait-for-database
          command: [timeout, \"120\", sh, -c, \"until nc -z db 5432; do sleep 1; done\"]",
    scope: Scope::Job(check),
};

/// Words of loops that come to an end.
const ENDS: [&str; 9] = [
    "timeout", "break", "exit", "seq", "-lt", "-le", "-gt", "-ge", "-eq",
];
/// Parts of the variables of such loops.
const COUNTERS: [&str; 3] = ["SECONDS", "retries", "attempt"];

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    if job.spec.get("activeDeadlineSeconds").exists() {
        return;
    }
    for container in containers(&job.pod) {
        let looping = ["command", "args"]
            .iter()
            .flat_map(|key| container.get(key).items())
            .find(|element| element.text().is_some_and(waits_for_ever));
        let timed = ["command", "args"]
            .iter()
            .any(|key| container.get(key).texts().first() == Some(&"timeout"));
        if let Some(element) = looping.filter(|_| !timed) {
            let message = format!(
                "container {} waits in a loop without an end, and the Job has no deadline",
                MigrationJob::container_name(&container)
            );
            reporter.report(job.object, element.path(), message);
        }
    }
}

fn waits_for_ever(script: &str) -> bool {
    let words = || {
        script.split(|character: char| character.is_whitespace() || ";&|()\"'".contains(character))
    };
    words().any(|word| matches!(word, "until" | "while"))
        && !words().any(|word| ENDS.contains(&word))
        && !COUNTERS.iter().any(|counter| script.contains(counter))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn loops() {
        let with = |deadline: &str, script: &str| {
            format!(
                "spec: {{activeDeadlineSeconds: {deadline}, template: {{spec: {{initContainers: \
                 [{{name: wait-for-db, image: alpine, command: [sh, -c, '{script}']}}]}}}}}}"
            )
        };
        let until = "until nc -z postgresql 5432; do echo waiting for db; sleep 1; done";
        found(
            &RULE,
            &with("null", until),
            "container wait-for-db waits in a loop",
        );
        clean(&RULE, &with("270", until));
        clean(
            &RULE,
            &with(
                "null",
                "timeout 60 sh -c \"until nc -z db 5432; do sleep 1; done\"",
            ),
        );
        clean(
            &RULE,
            &with(
                "null",
                "while [ $n -lt 30 ]; do nc -z db 5432 && break; sleep 1; done",
            ),
        );
        clean(&RULE, &with("null", "nc -z db 5432"));
        found(
            &RULE,
            &with("null", "while ! nc -z db 5432; do sleep 2; done"),
            "initContainers[0].command[2]",
        );
    }
}
