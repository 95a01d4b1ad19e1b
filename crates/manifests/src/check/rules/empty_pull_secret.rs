//! Pull secrets without a name.

use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "empty-pull-secret",
    severity: Severity::Warning,
    title: "A pull secret has no name",
    why: "A template that writes imagePullSecrets even where none is set refers to a Secret without a name. Kubernetes \
          ignores it with a warning, and images of private registries cannot be pulled.",
    fix: "Write the list only where there is a name.",
    yaml: "{{- with .Values.imagePullSecret }}
imagePullSecrets:
  - name: {{ . }}
{{- end }}",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    for secret in job.pod.get("imagePullSecrets").items() {
        let name = secret.get("name");
        if !name.exists() || name.text() == Some("") {
            reporter.report(job.object, name.path(), "the pull secret has no name");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn names() {
        let with = |secrets: &str| {
            format!("spec: {{template: {{spec: {{imagePullSecrets: {secrets}}}}}}}")
        };
        found(&RULE, &with("[{name: }]"), "imagePullSecrets[0].name");
        found(&RULE, &with("[{name: ''}]"), "no name");
        found(&RULE, &with("[a]"), "no name");
        clean(&RULE, &with("[{name: registry}]"));
        clean(&RULE, &with("[]"));
    }
}
