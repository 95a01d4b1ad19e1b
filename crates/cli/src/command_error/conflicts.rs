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
            version,
            script,
            applied_from,
            ..
        } if is_other_file(script, applied_from) => format!(
            "version {version} was applied from {applied_from}; the directory has {script} for it, with other SQL"
        ),
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
            in_doubt,
            ..
        } => {
            let done = match statements_done {
                0 => "nothing for certain".to_owned(),
                1 => "its first statement".to_owned(),
                more => format!("its first {more} statements"),
            };
            match in_doubt {
                None => format!(
                    "{script} is half applied ({done}), and that part of the file is different now: the run cannot go on \
                     after it"
                ),
                Some(number) => format!(
                    "{script} is half applied ({done}; statement {number} was started and may have taken effect), and \
                     statement {number} is different now"
                ),
            }
        }
        Conflict::InDoubt {
            script, statement, ..
        } => format!(
            "statement {statement} of {script} was started and may have taken effect, which only you can find out"
        ),
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
            version,
            script,
            applied_from,
            ..
        } if is_other_file(script, applied_from) => format!(
            "give {script} a new version (`forerun migrate new` shows which) and restore {applied_from} from version \
             control; or, if it is the same migration under another name and the database is as the file says already, \
             record it with `forerun migrate repair {version} --accept-change`"
        ),
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
        Conflict::Unresumable {
            version,
            in_doubt: Some(number),
            ..
        } => format!(
            "look in the database whether statement {number} took effect as it was: if not, run `forerun migrate repair \
             {version} --not-done`, and it may be different; if it did, restore it and run `forerun migrate repair \
             {version} --done`"
        ),
        Conflict::InDoubt { version, .. } => format!(
            "look in the database whether its change is there: if it is, run `forerun migrate repair {version} --done`; if \
             not, `forerun migrate repair {version} --not-done`"
        ),
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

/// Whether a version was applied from a file of another name. Of what another tool has applied the name may not be known.
fn is_other_file(script: &str, applied_from: &str) -> bool {
    !applied_from.is_empty() && script != applied_from
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
