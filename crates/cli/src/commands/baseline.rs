//! `forerun migrate baseline`.

use super::context::Context;
use crate::arguments::Baseline;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::count;
use crate::settings;

pub fn run(context: &Context, arguments: &Baseline) -> Result<Done, CommandError> {
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    context.announce("migrate baseline", &runner, Some(&directory.path));
    let future = runner.baseline(
        &directory,
        &arguments.version,
        arguments.replace_history,
        arguments.without_file,
        arguments.dry_run,
    );
    let report = context.block_on(&runner, future)?;
    for migration in &report.migrations {
        context.output.note(&format!("  {}", migration.script));
    }
    let versions = count(report.migrations.len(), "version");
    let version = arguments.version.clone();
    Ok(if arguments.dry_run {
        Done::new(
            "planned",
            format!("Would declare {versions} up to {version} present; nothing was changed."),
        )
    } else {
        Done::new(
            "baselined",
            format!("Declared {versions} up to {version} present, without running them."),
        )
    })
}
