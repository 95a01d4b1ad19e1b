//! Fields that Kubernetes does not know, or not at that level.

use crate::check::object::Object;
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};
use crate::check::schema::Problem;

pub const RULE: Rule = Rule {
    id: "unknown-field",
    severity: Severity::Error,
    title: "A field is unknown, at the wrong level or of the wrong type",
    why: "Helm and many controllers drop fields that Kubernetes does not know with a warning that nobody reads: a deadline or \
          TTL that is indented too far does not exist. kubectl and strict validation refuse the object.",
    fix: "Move the field to where it belongs, or correct its name.",
    yaml: "spec:
  ttlSecondsAfterFinished: 604800    # of the Job, not of its pod
  template:
    spec:
      restartPolicy: Never",
    scope: Scope::Release(check),
};

fn check(release: &Release, reporter: &mut Reporter) {
    for object in &release.objects {
        let severity = severity(object);
        for problem in object.schema_problems() {
            match problem {
                Problem::Unknown { path, advice } => {
                    reporter.report_key(
                        severity,
                        object,
                        path,
                        format!("{} has no field {path}{advice}", object.kind),
                    );
                }
                Problem::WrongType {
                    path,
                    expected,
                    found,
                } => {
                    reporter.report_as(
                        severity,
                        object,
                        path,
                        format!("{path} is {found}, and {expected} is needed"),
                    );
                }
                Problem::Missing { path } => {
                    reporter.report_as(severity, object, path, format!("{path} is missing"));
                }
                Problem::NotText { .. } => {}
            }
        }
    }
}

/// An error where a migration depends on it.
fn severity(object: &Object) -> Severity {
    if object.kind == "Job" || object.is_hook() {
        Severity::Error
    } else {
        Severity::Warning
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn fields() {
        found(
            &RULE,
            "spec: {template: {spec: {ttlSecondsAfterFinished: 5}}}",
            "Job has no field spec.template.spec.ttlSecondsAfterFinished: it belongs to spec",
        );
        found(
            &RULE,
            "spec: {backofLimit: 5}",
            "did you mean backoffLimit?",
        );
        found(
            &RULE,
            "spec: {backoffLimit: three}",
            "spec.backoffLimit is text, and a whole number is needed",
        );
        found(
            &RULE,
            "spec: {template: {spec: {image: a}}}",
            "it belongs to spec.template.spec.containers[]",
        );
        found(
            &RULE,
            "spec: {template: {spec: {containers: {0: {name: null}}}}}",
            "containers[0].name is missing",
        );
        clean(
            &RULE,
            "metadata: {labels: null}\nspec: {template: {spec: {containers: {0: {resources: null}}}}}",
        );
        clean(
            &RULE,
            "{}\n---\napiVersion: example.com/v1\nkind: Job\nanything: 1\n",
        );
        found(
            &RULE,
            "{}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringdata: {a: b}\n",
            "did you mean stringData?",
        );
    }
}
