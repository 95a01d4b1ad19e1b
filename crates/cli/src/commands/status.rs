//! `forerun migrate status`.

use serde::Serialize;

use super::context::Context;
use crate::arguments::{LimitArguments, Status};
use crate::command_error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::{Done, tables};
use crate::settings;

pub fn run(context: &Context, arguments: &Status) -> Result<Done, CommandError> {
    #[derive(Serialize)]
    struct Document<'a> {
        up_to_date: bool,
        #[serde(flatten)]
        status: &'a forerun_migrations::executor::Status,
    }
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &LimitArguments::default())?;
    let status = context.block_on(&runner, runner.status(&directory))?;
    let open = !status.pending.is_empty() || !status.unfinished.is_empty();
    let exit_code = if !status.conflicts.is_empty() {
        ExitCode::Conflict
    } else if open {
        ExitCode::NotUpToDate
    } else {
        ExitCode::Done
    };
    let document = Document {
        up_to_date: exit_code == ExitCode::Done,
        status: &status,
    };
    context.output.result(&document, || {
        tables::status(&status, context.output.verbose())
    });
    let exit_code = if arguments.exit_code {
        exit_code
    } else {
        ExitCode::Done
    };
    Ok(Done {
        exit_code,
        ..Done::new(exit_code.outcome(), "")
    })
}
