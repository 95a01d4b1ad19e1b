//! Annotations that silence a rule without saying why.

use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};
use crate::check::silence::{self, IGNORE_ANNOTATION};

pub const RULE: Rule = Rule {
    id: "ignore-without-reason",
    severity: Severity::Error,
    title: "An annotation silences a rule that does not exist, or without a reason",
    why: "A silenced rule is a decision. Without its reason nobody can tell later whether it still holds, and a rule that is \
          misspelled silences nothing.",
    fix: "Write the name of the rule, a colon and the reason; several with semicolons or on lines of their own.",
    yaml: "metadata:
  annotations:
    forerun.dev/check-ignore: \"service-account-token: the migration reads its password from the Vault API\"",
    scope: Scope::Release(check),
};

fn check(release: &Release, reporter: &mut Reporter) {
    for object in &release.objects {
        let annotation = object.annotations().get(IGNORE_ANNOTATION);
        let Some(text) = annotation.text() else {
            continue;
        };
        for mistake in silence::parse(text).filter_map(Result::err) {
            reporter.report(object, annotation.path(), mistake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn reasons() {
        let with = |text: &str| {
            format!("metadata: {{annotations: {{forerun.dev/check-ignore: '{text}'}}}}")
        };
        found(
            &RULE,
            &with("deadline"),
            "deadline is silenced without a reason",
        );
        found(&RULE, &with("deadline:  "), "without a reason");
        found(
            &RULE,
            &with("deadlin: we know"),
            "there is no rule deadlin; did you mean deadline?",
        );
        clean(
            &RULE,
            &with("deadline: the backfill takes an hour; no-hook-log: nobody looks"),
        );
        clean(&RULE, &with(""));
    }
}
