//! Numbers and booleans where Kubernetes wants text.

use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};
use crate::check::schema::Problem;

pub const RULE: Rule = Rule {
    id: "non-string-value",
    severity: Severity::Error,
    title: "A number or boolean stands where text is needed",
    why: "Values of env, elements of args and command, annotations, labels and the data of configs are text. 5432, true or \
          yes without quotes is none, and Kubernetes refuses the object.",
    fix: "Quote the value; in a template with quote.",
    yaml: "env:
  - name: DATABASE_PORT
    value: {{ .Values.database.port | quote }}",
    scope: Scope::Release(check),
};

fn check(release: &Release, reporter: &mut Reporter) {
    for object in &release.objects {
        for problem in object.schema_problems() {
            if let Problem::NotText { path, kind } = problem {
                let message = format!("{path} is {kind}, and text is needed: put it in quotes");
                reporter.report(object, path, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn text_without_quotes() {
        let env = |value: &str| {
            format!(
                "spec: {{template: {{spec: {{containers: {{0: {{env: [{{name: A, value: {value}}}]}}}}}}}}}}"
            )
        };
        found(&RULE, &env("5432"), "env[0].value is a number");
        found(&RULE, &env("yes"), "is a boolean");
        clean(&RULE, &env("'5432'"));
        clean(&RULE, &env("null"));
        found(
            &RULE,
            "spec: {template: {spec: {containers: {0: {args: [--port, 80]}}}}}",
            "args[1] is a number",
        );
        found(
            &RULE,
            "metadata: {annotations: {helm.sh/hook-weight: -5}}",
            "is a number",
        );
        found(
            &RULE,
            "{}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {debug: true}\n",
            "data.debug is a boolean",
        );
    }
}
