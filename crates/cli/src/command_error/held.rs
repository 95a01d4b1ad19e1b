//! Contract migrations that have to wait, where that is an error.

use forerun_migrations::plan::Held;

use super::Explanation;
use super::run::finished_before;
use crate::exit_code::ExitCode;

/// Files that are named; the rest are counted by the sentence.
const SHOWN: usize = 10;

/// `blocked` is what the command had to run behind the first of them.
pub(super) fn explain(held: &[Held], blocked: &[String], finished: usize) -> Explanation {
    let Some(first) = held.first() else {
        return Explanation::new(ExitCode::Refused, "held", "a migration has to wait");
    };
    let script = &first.script;
    // The event has told all of them.
    let reason = first.reasons.first();
    let reason = reason.map_or("", |reason| reason.message.as_str());
    let pending = format!(
        "{}; everything from {script} on is pending",
        finished_before(finished)
    );
    let waiting = first.waiting_sentence().filter(|_| !blocked.is_empty());
    let Some(waiting) = waiting else {
        let message = format!("{script} has to wait: {reason}");
        return Explanation::new(ExitCode::Refused, "held", message)
            .state(format!("{pending}."))
            .advise(
                "Do what is missing and run it again; without --strict this is a warning, and --accept-downtime REASON \
                 runs it all the same.",
            );
    };
    let message = format!("{script} has to wait, and {waiting}: {reason}");
    let mut explanation = Explanation::new(ExitCode::Refused, "held", message);
    for file in blocked.iter().take(SHOWN) {
        explanation = explanation.detail("waits", file.clone());
    }
    explanation
        .detail("or", "--accept-downtime REASON runs them all the same")
        .state(format!(
            "{pending}, and the deployment is not recorded as migrated."
        ))
        .advise(first.advice.clone().unwrap_or_default())
}
