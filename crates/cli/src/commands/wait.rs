//! `forerun migrate wait`.

use std::time::Duration;

use forerun_migrations::directory::{DirectorySource, Repeat};
use forerun_migrations::executor::WaitFor;
use forerun_migrations::history::{Phase, Version};
use forerun_sql::Dialect;

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
        Some(WaitVersion::Latest) => {
            let source = settings::directory(&arguments.directory, &context.environment)?;
            latest(&source, runner.database.dialect())?
        }
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

/// What an application needs of its directory: everything but the contract migrations, which may be held until it has
/// replaced the one before it.
fn latest(source: &DirectorySource, dialect: Dialect) -> Result<WaitFor, CommandError> {
    let directory = source.read()?;
    let mut wanted: Vec<Version> = Vec::new();
    // The newest number stands for those below it; names have no order.
    let mut has_number = false;
    for migration in directory.migrations.into_iter().rev() {
        let is_number = migration.version.is_number();
        if migration.repeat != Repeat::Never || (is_number && has_number) {
            continue;
        }
        if migration.up.inspect(dialect)?.phase() == Phase::Expand {
            has_number |= is_number;
            wanted.push(migration.version);
        }
    }
    wanted.reverse();
    // An application without migrations needs only its database.
    Ok(match wanted.is_empty() {
        true => WaitFor::Connection,
        false => WaitFor::Versions(wanted),
    })
}
