//! Names and label values that Kubernetes refuses.

use crate::check::field::Field;
use crate::check::release::{MigrationJob, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "invalid-name",
    severity: Severity::Error,
    title: "A name or label value is too long or has characters that Kubernetes refuses",
    why: "The name of a Job becomes a label of its pods, so it has at most 63 characters: lower-case letters, digits and \
          hyphens. A release may have a name of 53 characters, which leaves 10 for everything that a template adds. Label \
          values have the same limit, and a chart version such as 1.2.0+abc is no label value because of its plus sign.",
    fix: "Cut the front of the name and keep its suffix; replace + in label values.",
    yaml: "metadata:
  name: {{ printf \"%s-migrate\" (.Release.Name | trunc 50 | trimSuffix \"-\") }}
  labels:
    helm.sh/chart: {{ printf \"%s-%s\" .Chart.Name .Chart.Version | replace \"+\" \"_\" | trunc 63 }}",
    scope: Scope::Job(check),
};

/// Longest name and longest label value.
const LONGEST: usize = 63;

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let metadata = job.object.root().get("metadata");
    let mut names = vec![(metadata.get("name"), "the name of the Job")];
    names.extend(
        containers(&job.pod).map(|container| (container.get("name"), "the name of a container")),
    );
    names.extend(
        job.pod
            .get("volumes")
            .items()
            .map(|volume| (volume.get("name"), "the name of a volume")),
    );
    for (name, what) in names {
        let problem = name.text().and_then(label_problem);
        if let Some(problem) = problem {
            reporter.report(job.object, name.path(), format!("{what} {problem}"));
        }
    }
    for labels in [metadata.get("labels"), job.template.at("metadata.labels")] {
        for (key, value) in labels.entries() {
            check_label(job, key, &value, reporter);
        }
    }
}

fn check_label(job: &MigrationJob<'_>, key: &str, value: &Field<'_>, reporter: &mut Reporter) {
    let name = key.rsplit('/').next().unwrap_or(key);
    if let Some(problem) =
        value_problem(name).or_else(|| name.is_empty().then(|| "is empty".to_owned()))
    {
        reporter.report(
            job.object,
            value.path(),
            format!("the name of label {key:?} {problem}"),
        );
    }
    if let Some(problem) = value.text().and_then(value_problem) {
        reporter.report(
            job.object,
            value.path(),
            format!("the value of label {key} {problem}"),
        );
    }
}

/// As the name of a Job or container: a DNS label.
fn label_problem(name: &str) -> Option<String> {
    if name.len() > LONGEST {
        return Some(format!(
            "has {} characters; {LONGEST} are allowed",
            name.len()
        ));
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(allowed) {
        return Some("may only hold lower-case letters, digits and hyphens".to_owned());
    }
    let ends = name.is_empty() || name.starts_with('-') || name.ends_with('-');
    ends.then(|| "must begin and end with a letter or digit".to_owned())
}

/// As the value of a label, or the part of its name behind the slash.
fn value_problem(value: &str) -> Option<String> {
    if value.len() > LONGEST {
        return Some(format!(
            "has {} characters; {LONGEST} are allowed",
            value.len()
        ));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !value.bytes().all(allowed) {
        return Some("may only hold letters, digits, hyphens, underscores and dots".to_owned());
    }
    let end = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_alphanumeric());
    let bytes = value.as_bytes();
    (end(bytes.first()) || end(bytes.last()))
        .then(|| "must begin and end with a letter or digit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn names_and_labels() {
        let name = |name: &str| format!("metadata: {{name: {name}}}");
        found(
            &RULE,
            &name(&format!("{}-migrate-1763770000", "a".repeat(53))),
            "has 72 characters",
        );
        found(&RULE, &name("shop_migrate"), "may only hold lower-case");
        found(&RULE, &name("migrate-"), "begin and end");
        clean(&RULE, &name(&"a".repeat(63)));
        found(
            &RULE,
            "metadata: {labels: {helm.sh/chart: shop-1.2.0+abc}}",
            "label helm.sh/chart may only hold",
        );
        clean(
            &RULE,
            "metadata: {labels: {helm.sh/chart: shop-1.2.0_abc, empty: ''}}",
        );
        let long = "b".repeat(64);
        found(
            &RULE,
            &format!("spec: {{template: {{metadata: {{labels: {{app: {long}}}}}}}}}"),
            "label app has 64",
        );
    }
}
