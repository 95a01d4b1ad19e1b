//! What is different at each rendering. Needs a second rendering to compare with.

use std::collections::HashMap;

use serde_json::Value;

use crate::check::field::{Field, Path};
use crate::check::object::Object;
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "non-deterministic",
    severity: Severity::Warning,
    title: "The migration Job is different at every rendering (needs --compare)",
    why: "With `now`, randAlphaNum or uuidv4 in a template no two renderings are equal. Argo CD and Flux render all the \
          time: the application is never in sync, and each rendering starts another migration Job.",
    fix: "Make the name from what the Job does (image and directory), or pass the stamp in as a value. Leave it fixed \
          where hooks are deleted before they are created again.",
    yaml: "metadata:
  name: {{ .Release.Name }}-migrate-{{ .Values.image.tag | sha256sum | trunc 10 }}",
    scope: Scope::Release(check),
};

/// Differences of one Job that are named.
const MOST: usize = 5;

fn check(release: &Release, reporter: &mut Reporter) {
    let Some(other) = &release.compared else {
        return;
    };
    // What has no partner of the same name is paired with one whose name differs in its changing parts.
    let mut by_stem: HashMap<String, Vec<&Object>> = HashMap::new();
    for job in other.jobs() {
        if release.find("Job", &job.object.name, job.object).is_none() {
            by_stem
                .entry(stem(&job.object.name))
                .or_default()
                .push(job.object);
        }
    }
    for job in release.jobs() {
        let object = job.object;
        let partner = other.find("Job", &object.name, object).or_else(|| {
            let partner = by_stem.get_mut(&stem(&object.name)).and_then(Vec::pop)?;
            let path = Path::of("metadata.name");
            let message = format!("the name was {} in the second rendering", partner.name);
            reporter.report(object, &path, message);
            Some(partner)
        });
        let Some(partner) = partner else {
            let message = "the second rendering has no such Job".to_owned();
            reporter.report(object, &Path::of("metadata.name"), message);
            continue;
        };
        let mut differences = Vec::new();
        compare(&object.root(), &partner.root(), &mut differences);
        let name = Path::of("metadata.name");
        for path in differences.iter().filter(|path| **path != name).take(MOST) {
            reporter.report(
                object,
                path,
                format!("{path} was different in the second rendering"),
            );
        }
    }
}

/// A name without its parts that change: those with a digit.
fn stem(name: &str) -> String {
    let parts: Vec<&str> = name
        .split('-')
        .filter(|part| !part.bytes().any(|byte| byte.is_ascii_digit()))
        .collect();
    parts.join("-")
}

fn compare(one: &Field<'_>, two: &Field<'_>, differences: &mut Vec<Path>) {
    if differences.len() > MOST {
        return;
    }
    match (one.value(), two.value()) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            for key in left
                .keys()
                .chain(right.keys().filter(|key| !left.contains_key(*key)))
            {
                compare(&one.get(key), &two.get(key), differences);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for index in 0..left.len().max(right.len()) {
                compare(&one.element(index), &two.element(index), differences);
            }
        }
        (left, right) if left == right => {}
        _ => differences.push(one.path().clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::compared;

    #[test]
    fn two_renderings() {
        let found = compared(
            &RULE,
            "metadata: {name: shop-migrate-1}",
            "metadata: {name: shop-migrate-2}",
        );
        assert_eq!(
            found,
            ["metadata.name: the name was shop-migrate-2 in the second rendering"]
        );
        let random = |text: &str| format!("metadata: {{annotations: {{rollme: {text}}}}}");
        let found = compared(&RULE, &random("abc"), &random("xyz"));
        assert_eq!(
            found,
            [
                "metadata.annotations.rollme: metadata.annotations.rollme was different in the second rendering"
            ]
        );
        assert_eq!(compared(&RULE, "{}", "{}").len(), 0);
        let found = compared(
            &RULE,
            "metadata: {name: db-migrate-a}",
            "metadata: {name: other-migrate}",
        );
        assert_eq!(
            found,
            ["metadata.name: the second rendering has no such Job"]
        );
    }
}
