//! Passwords that everybody can read who can read the Job.

use crate::check::release::{MigrationJob, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};
use crate::check::secrets::{argument_holds_secret, is_secret_name, is_secret_value, url_password};

pub const RULE: Rule = Rule {
    id: "secret-in-manifest",
    severity: Severity::Error,
    title: "A password stands in the manifest of the Job",
    why: "What is written in env, args or command can be read by everybody who may see pods: in kubectl describe, in the \
          stored release of Helm, in the process list of the node, in Git.",
    fix: "Keep it in a Secret and refer to it from env; a URL can be put together from its parts or be a secret as a whole.",
    yaml: "env:
  - name: DATABASE_PASSWORD
    valueFrom:
      secretKeyRef: {name: shop-db, key: password}",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    for container in containers(&job.pod) {
        let container_name = MigrationJob::container_name(&container);
        for variable in container.get("env").items() {
            let name = variable.get("name").text().unwrap_or_default();
            let value = variable.get("value");
            let Some(text) = value
                .value()
                .filter(|value| !value.is_object() && !value.is_array())
            else {
                continue;
            };
            let text = text
                .as_str()
                .map_or_else(|| text.to_string(), str::to_owned);
            if url_password(&text).is_some() {
                let message =
                    format!("{name} of container {container_name} is a URL with a password");
                reporter.report(job.object, value.path(), message);
            } else if is_secret_name(name) && is_secret_value(&text) {
                let message =
                    format!("{name} of container {container_name} is written as plain text");
                reporter.report(job.object, value.path(), message);
            }
        }
        for list in ["command", "args"] {
            let mut before = "";
            for element in container.get(list).items() {
                let text = element.text().unwrap_or_default();
                if url_password(text).is_some() {
                    let message =
                        format!("{list} of container {container_name} holds a URL with a password");
                    reporter.report(job.object, element.path(), message);
                } else if argument_holds_secret(before, text) {
                    let message = format!("{list} of container {container_name} holds a password");
                    reporter.report(job.object, element.path(), message);
                }
                before = text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    fn container(part: &str) -> String {
        format!("spec: {{template: {{spec: {{containers: {{0: {part}}}}}}}}}")
    }

    #[test]
    fn plain_passwords() {
        let env = |name: &str, value: &str| {
            container(&format!("{{env: [{{name: {name}, value: '{value}'}}]}}"))
        };
        found(
            &RULE,
            &env("DATABASE_PASSWORD", "hunter2"),
            "DATABASE_PASSWORD of container migrate",
        );
        found(
            &RULE,
            &env("DATABASE_URL", "postgres://app:hunter2@db/shop"),
            "a URL with a password",
        );
        found(
            &RULE,
            &container("{args: [up, -u, 'mysql://a:b@c/d']}"),
            "args of container migrate holds a URL",
        );
        found(
            &RULE,
            &container("{args: ['--password=hunter2']}"),
            "holds a password",
        );
        found(
            &RULE,
            &container("{args: ['--db-password', hunter2]}"),
            "args[1]",
        );
        found(
            &RULE,
            &container("{command: [sh, -c, 'PGPASSWORD=x psql']}"),
            "command of container",
        );
    }

    #[test]
    fn what_is_no_password() {
        let env = |name: &str, value: &str| {
            container(&format!("{{env: [{{name: {name}, value: '{value}'}}]}}"))
        };
        for (name, value) in [
            ("DATABASE_PASSWORD", "$(OTHER)"),
            ("DATABASE_PASSWORD", ""),
            ("DATABASE_PASSWORD_FILE", "/run/secrets/password"),
            ("DATABASE_URL", "postgres://app@db/shop"),
            ("DATABASE_URL", "postgres://app:$(PASSWORD)@db/shop"),
            ("SECRET_NAME", "db"),
            ("TOKEN_TTL_SECONDS", "60"),
            ("USE_PASSWORD", "true"),
        ] {
            clean(&RULE, &env(name, value));
        }
        clean(
            &RULE,
            &container("{args: ['--password-file=/run/x', -u, 'env://DATABASE_URL']}"),
        );
        clean(
            &RULE,
            &container(
                "{command: [sh, -c, 'psql \"postgres://app:${PW}@db\"; PGPASSWORD=\"$PW\" psql']}",
            ),
        );
        clean(
            &RULE,
            &container(
                "{env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]}",
            ),
        );
    }
}
