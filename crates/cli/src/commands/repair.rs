//! `forerun migrate repair`: without an action, what there is to decide.

use forerun_migrations::executor::{Repair as Decision, Status};
use forerun_migrations::history::{JournalRow, Version};
use forerun_migrations::plan::Conflict;
use serde::Serialize;

use super::context::Context;
use crate::arguments::{Repair, RepairAction};
use crate::command_error::{CommandError, conflicts};
use crate::output::style::one_line;
use crate::output::{Done, tables};
use crate::settings;

/// Something that needs a decision.
#[derive(Debug, Serialize)]
struct Open {
    version: Version,
    what: String,
    advice: Vec<String>,
}

impl RepairAction {
    /// The decision, if one was made.
    pub fn chosen(self) -> Option<Decision> {
        let choices = [
            (self.accept_change, Decision::AcceptChange),
            (self.done, Decision::Settle(true)),
            (self.not_done, Decision::Settle(false)),
            (self.start_over, Decision::StartOver),
        ];
        choices
            .into_iter()
            .find(|(chosen, _)| *chosen)
            .map(|(_, decision)| decision)
    }
}

pub fn run(context: &Context, arguments: &Repair) -> Result<Done, CommandError> {
    #[derive(Serialize)]
    struct Document<'a> {
        open: &'a [Open],
    }
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if arguments.action.accept_comments {
        context.announce("migrate repair", &runner, Some(&directory.path));
        let future = runner.accept_comments(&directory, arguments.dry_run);
        return Ok(done(arguments, &context.block_on(&runner, future)?));
    }
    let Some(decision) = arguments.action.chosen() else {
        let status = context.block_on(&runner, runner.status(&directory))?;
        let mut open = open(&status);
        open.retain(|open| {
            arguments
                .version
                .clone()
                .is_none_or(|version| version == open.version)
        });
        context
            .output
            .result(&Document { open: &open }, || text(&open));
        return Ok(Done::new("done", ""));
    };
    let version = match &arguments.version {
        Some(version) => version.clone(),
        None => only(
            &context.block_on(&runner, runner.status(&directory))?,
            decision,
        )?,
    };
    context.announce("migrate repair", &runner, Some(&directory.path));
    let message = context.block_on(
        &runner,
        runner.repair(&directory, &version, decision, arguments.dry_run),
    )?;
    Ok(done(arguments, &message))
}

fn done(arguments: &Repair, message: &str) -> Done {
    let outcome = if arguments.dry_run {
        "planned"
    } else {
        "repaired"
    };
    Done::new(outcome, sentence(message))
}

/// With a capital letter and a full stop.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

/// The one version that an action can be about.
fn only(status: &Status, decision: Decision) -> Result<Version, CommandError> {
    let versions: Vec<Version> = match decision {
        Decision::AcceptChange => status
            .conflicts
            .iter()
            .filter_map(|conflict| match conflict {
                Conflict::Changed { version, .. } => Some(version.clone()),
                _ => None,
            })
            .collect(),
        Decision::Settle(_) => status
            .unfinished
            .iter()
            .filter(|row| row.in_doubt.is_some())
            .map(|row| row.version.clone())
            .collect(),
        Decision::StartOver => status
            .unfinished
            .iter()
            .map(|row| row.version.clone())
            .collect(),
    };
    match &versions[..] {
        [version] => Ok(version.clone()),
        [] => Err(CommandError::Refused {
            message: "no version needs this".to_owned(),
            advice: "See `forerun migrate repair` for what needs a decision.".to_owned(),
        }),
        _ => Err(CommandError::Usage {
            message: format!(
                "more than one version could be meant: {}",
                versions
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            advice: "Name the version: `forerun migrate repair VERSION …`.".to_owned(),
        }),
    }
}

fn open(status: &Status) -> Vec<Open> {
    let stuck = |row: &&JournalRow| {
        let mut conflicts = status.conflicts.iter();
        !conflicts.any(|conflict| stands_before(conflict, &row.version))
    };
    let going_on = status.unfinished.iter().filter(stuck);
    let mut open: Vec<Open> = going_on.map(unfinished).collect();
    for conflict in &status.conflicts {
        let version = match conflict {
            Conflict::Changed { version, .. }
            | Conflict::Missing { version, .. }
            | Conflict::OtherNames { version, .. }
            | Conflict::OutOfOrder { version, .. }
            | Conflict::Unresumable { version, .. }
            | Conflict::JournalWithoutFile { version, .. } => version.clone(),
            // The unfinished attempts are listed already.
            Conflict::InDoubt { .. } | Conflict::UnfinishedOther { .. } => continue,
        };
        open.push(Open {
            version,
            what: conflicts::sentence(conflict),
            advice: vec![conflicts::advice(conflict)],
        });
    }
    open
}

/// Whether an unfinished attempt of this version cannot go on as the directory is now.
fn stands_before(conflict: &Conflict, unfinished: &Version) -> bool {
    matches!(
        conflict,
        Conflict::Unresumable { version, .. } | Conflict::JournalWithoutFile { version, .. }
            if version == unfinished
    )
}

fn unfinished(row: &JournalRow) -> Open {
    let version = row.version.clone();
    let mut advice = Vec::new();
    match &row.in_doubt {
        Some(doubt) if doubt.answer.is_none() => {
            advice.push(format!("look whether statement {} took effect; most often the next run finds out by itself", doubt.statement));
            advice.push(format!(
                "if it did: forerun migrate repair {version} --done"
            ));
            advice.push(format!(
                "if not: forerun migrate repair {version} --not-done"
            ));
        }
        _ => advice.push(format!(
            "go on with it: forerun migrate {}",
            row.direction.as_str()
        )),
    }
    advice.push(format!(
        "or undo by hand what it did, and run it from its first statement: forerun migrate repair {version} --start-over"
    ));
    Open {
        version,
        what: tables::unfinished(row),
        advice,
    }
}

fn text(open: &[Open]) -> String {
    if open.is_empty() {
        return "Nothing needs a decision.\n".to_owned();
    }
    let mut text = String::new();
    for Open { what, advice, .. } in open {
        text.push_str(&format!("{}\n", one_line(what)));
        for line in advice {
            text.push_str(&format!("  {}\n", one_line(line)));
        }
    }
    text
}
