//! `forerun migrate up`, `schema`, `data`.

use forerun_migrations::executor::{Outcome, RunReport, UpOptions};
use forerun_migrations::plan::Scope;

use super::context::Context;
use super::plan;
use crate::arguments::Up;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::{count, took};
use crate::settings;

pub fn run(context: &Context, arguments: &Up, scope: Scope) -> Result<Done, CommandError> {
    let options = UpOptions {
        scope,
        allow_out_of_order: arguments.allow_out_of_order,
        ignore_other_history: settings::ignore_other_history(
            arguments.other_history,
            &context.environment,
        )?,
        lint: settings::lint_mode(arguments.lint, &context.environment)?,
        strict: settings::strict(&arguments.gates, &context.environment)?,
        accept_downtime: arguments.gates.accept_downtime.clone(),
    };
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if arguments.dry_run {
        let made = context
            .block_on(&runner, runner.plan(&directory, options))
            .map_err(|error| error.about(&arguments.directory))?;
        return Ok(plan::show(context, &runner, &made));
    }
    context.announce(options.command(), &runner, Some(&directory.path));
    let report = context
        .block_on(&runner, runner.up(&directory, options))
        .map_err(|error| error.about(&arguments.directory))?;
    Ok(done(&report, context.output.elapsed()))
}

fn done(report: &RunReport, elapsed: std::time::Duration) -> Done {
    let at = report
        .newest
        .clone()
        .map(|newest| format!("; the database is at version {newest}"))
        .unwrap_or_default();
    let (outcome, mut message) = match report.outcome {
        Outcome::UpToDate if report.left_for_later.is_empty() => {
            ("up_to_date", format!("Nothing to do{at}."))
        }
        Outcome::UpToDate => ("up_to_date", format!("Nothing to do for this command{at}.")),
        Outcome::DoneByAnother => (
            "done_by_another",
            format!("Nothing left to do: another runner has done it{at}."),
        ),
        Outcome::Held if report.migrations.is_empty() => {
            ("held", format!("Nothing to do but what is held{at}."))
        }
        Outcome::Held => {
            let migrations = count(report.migrations.len(), "migration");
            (
                "held",
                format!("Applied {migrations} in {}{at}.", took(elapsed)),
            )
        }
        Outcome::Done => {
            let migrations = count(report.migrations.len(), "migration");
            (
                "applied",
                format!("Applied {migrations} in {}{at}.", took(elapsed)),
            )
        }
    };
    if let Some(held) = report.held.first() {
        message.push_str(&format!(
            " Stopped before {}: {}.",
            held.script,
            held.reasons
                .first()
                .map_or("", |reason| reason.message.as_str())
        ));
    } else if let Some(first) = report.left_for_later.first() {
        let left = count(report.left_for_later.len(), "migration");
        message.push_str(&format!(" Left pending: {left}, from {first} on."));
    }
    Done {
        migrations: report.migrations.len(),
        ..Done::new(outcome, message)
    }
}
