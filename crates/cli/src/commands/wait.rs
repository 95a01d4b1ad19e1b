//! `forerun migrate wait`.

use std::time::Duration;

use forerun_migrations::directory::{DirectorySource, Repeat};
use forerun_migrations::executor::WaitFor;
use forerun_migrations::history::Version;

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
    let wait_for = match &arguments.version {
        None => WaitFor::Connection,
        Some(WaitVersion::Version(version)) => WaitFor::Versions(vec![version.clone()]),
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

fn latest(source: &DirectorySource) -> Result<WaitFor, CommandError> {
    let directory = source.read()?;
    let once = directory.migrations.into_iter();
    let once = once.filter(|migration| migration.repeat == Repeat::Never);
    let (mut wanted, names): (Vec<Version>, Vec<Version>) = once
        .map(|migration| migration.version)
        .partition(Version::is_number);
    wanted.drain(..wanted.len().saturating_sub(1));
    wanted.extend(names);
    // An application without migrations needs only its database.
    Ok(match wanted.is_empty() {
        true => WaitFor::Connection,
        false => WaitFor::Versions(wanted),
    })
}
