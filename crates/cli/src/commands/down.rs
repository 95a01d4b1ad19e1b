//! `forerun migrate down`.

use forerun_migrations::executor::{DownTo, Outcome};

use super::context::Context;
use super::plan;
use crate::arguments::Down;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::{count, took};
use crate::settings;

pub fn run(context: &Context, arguments: &Down) -> Result<Done, CommandError> {
    let to = match &arguments.to {
        Some(version) => DownTo::Version(version.clone()),
        None => DownTo::Count(usize::try_from(arguments.count.unwrap_or(1)).unwrap_or(usize::MAX)),
    };
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if arguments.dry_run {
        let made = context.block_on(&runner, runner.plan_down(&directory, to))?;
        return Ok(plan::show(context, &runner, &made));
    }
    context.announce("migrate down", &runner, Some(&directory.path));
    let report = context.block_on(&runner, runner.down(&directory, to))?;
    let at = match report.newest {
        Some(newest) => format!("the database is at version {newest}"),
        None => "no migration is applied".to_owned(),
    };
    Ok(if report.outcome == Outcome::UpToDate {
        Done::new("up_to_date", format!("Nothing to revert; {at}."))
    } else {
        let migrations = count(report.migrations.len(), "migration");
        let message = format!(
            "Reverted {migrations} in {}; {at}.",
            took(context.output.elapsed())
        );
        Done {
            migrations: report.migrations.len(),
            ..Done::new("reverted", message)
        }
    })
}
