//! Conflicts between history and directory: for each what it is and what to do.

use forerun_migrations::plan::Conflict;

use super::Explanation;
use crate::exit_code::ExitCode;

/// All of them.
pub(super) fn explain(conflicts: &[Conflict]) -> Explanation {
    let count = conflicts.len();
    let message = if count == 1 {
        "the history and the directory contradict each other".to_owned()
    } else {
        format!("the history and the directory contradict each other in {count} places")
    };
    let mut explanation = Explanation::new(ExitCode::Conflict, "conflict", message);
    for conflict in conflicts {
        explanation = explanation
            .detail("conflict", sentence(conflict))
            .detail("do", advice(conflict));
    }
    // That one is found when its turn has come.
    let late = conflicts
        .iter()
        .any(|conflict| matches!(conflict, Conflict::Unresumable { .. }));
    explanation
        .state(if late {
            "No more of it was run."
        } else {
            "Nothing was run."
        })
        .advise("Settle each conflict as described; `forerun migrate status` shows what is left.")
}

/// What is wrong.
pub fn sentence(conflict: &Conflict) -> String {
    match conflict {
        Conflict::Changed {
            script,
            unreadable: Some(why),
            ..
        } => {
            format!("{script} was changed after it was applied, and cannot be read any more: {why}")
        }
        Conflict::Changed {
            script,
            recorded,
            found,
            ..
        } => format!(
            "{script} was changed after it was applied: its SQL is another one (checksum {} was recorded, the file has \
             {})",
            short(recorded),
            short(found)
        ),
        Conflict::Missing { version, script } => {
            format!(
                "version {version} is applied (from {script}), but the directory has no file for it"
            )
        }
        Conflict::OtherNames {
            version, applied, ..
        } => format!(
            "{applied} applied, such as {version}, and the directory knows none of them: it may be the same migrations \
             under other names, which would run a second time"
        ),
        Conflict::OutOfOrder { script, newest, .. } => {
            format!("{script} was never applied and is older than version {newest}, which is")
        }
        Conflict::Unresumable {
            script,
            statements_done,
            ..
        } => {
            let what = if *statements_done == 1 {
                "its first statement".to_owned()
            } else {
                format!("its first {statements_done} statements")
            };
            format!(
                "{script} is half applied ({what}), and that part of the file is different now: the run cannot go on after \
                 it"
            )
        }
        Conflict::JournalWithoutFile { version, script } => {
            format!(
                "version {version} is half applied (from {script}), but the directory has no file for it"
            )
        }
        Conflict::UnfinishedOther {
            script, direction, ..
        } => {
            let verb = if *direction == "down" {
                "reverting"
            } else {
                "applying"
            };
            format!("{verb} {script} was started and is not finished")
        }
    }
}

/// What to do.
pub fn advice(conflict: &Conflict) -> String {
    match conflict {
        Conflict::Changed {
            unreadable: Some(_),
            ..
        } => "restore the file from version control".to_owned(),
        Conflict::Changed { version, .. } => format!(
            "restore the file from version control and put the change into a new migration; or, if the database is as the \
             file says already, record it with `forerun migrate repair {version} --accept-change`"
        ),
        Conflict::Missing { script, .. } => {
            format!(
                "restore {script} from version control: an applied migration must stay in the directory"
            )
        }
        Conflict::OtherNames { last, .. } => format!(
            "give the directory that was run so far; or, if this one was converted from it, declare what is present with \
             `forerun migrate baseline {last} --replace-history` (or an older version, if not all of it was run)"
        ),
        Conflict::OutOfOrder { .. } => "rename it to a version that is newer than all others \
             (`forerun migrate new` shows which); or apply it late with --allow-out-of-order"
            .to_owned(),
        Conflict::Unresumable { version, .. } => format!(
            "restore that part of the file; or undo by hand what it did and run `forerun migrate repair {version} \
             --start-over`"
        ),
        Conflict::JournalWithoutFile { version, script } => format!(
            "restore {script}; or undo by hand what it did and run `forerun migrate repair {version} --start-over`"
        ),
        Conflict::UnfinishedOther {
            version, direction, ..
        } => {
            let command = if *direction == "down" { "down" } else { "up" };
            format!(
                "finish it with `forerun migrate {command}`; or undo by hand what it did and run `forerun migrate repair \
                 {version} --start-over`"
            )
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
