//! `forerun migrate wait`.

use std::path::Path;
use std::time::Duration;

use forerun_migrations::directory::MigrationDirectory;
use forerun_migrations::executor::WaitFor;

use super::context::Context;
use crate::arguments::{LimitArguments, Wait, WaitVersion};
use crate::command_error::CommandError;
use crate::output::Done;
use crate::settings;

/// How long it waits when nothing is said.
const DEFAULT: Duration = Duration::from_secs(300);

pub fn run(context: &Context, arguments: &Wait) -> Result<Done, CommandError> {
    let limits = LimitArguments {
        timeout: arguments.timeout,
        ..LimitArguments::default()
    };
    let (runner, time_limit) = context.runner_and_time_limit(&arguments.database, &limits)?;
    let wait_for = match arguments.version {
        None => WaitFor::Connection,
        Some(WaitVersion::Version(version)) => WaitFor::Version(version),
        Some(WaitVersion::Latest) => latest(&settings::directory(
            &arguments.directory,
            &context.environment,
        )?)?,
    };
    let wait = Some(runner.limits.connect_wait).filter(|wait| !wait.is_zero());
    let limit = match arguments.timeout {
        // One look, as with --lock-timeout.
        Some(Duration::ZERO) => Duration::ZERO,
        _ => time_limit.or(wait).unwrap_or(DEFAULT),
    };
    context.announce("migrate wait", &runner, None);
    let reached = context.block_on(&runner, runner.wait(wait_for, limit))?;
    Ok(Done::new("reached", format!("{reached}.")))
}

fn latest(directory: &Path) -> Result<WaitFor, CommandError> {
    let directory = MigrationDirectory::read(directory)?;
    // An application without migrations needs only its database.
    Ok(directory
        .migrations
        .last()
        .map_or(WaitFor::Connection, |migration| {
            WaitFor::Version(migration.version)
        }))
}
