//! `forerun migrate deployments`.

use super::context::Context;
use crate::arguments::{Deployments, LimitArguments};
use crate::command_error::CommandError;
use crate::output::{Done, tables};

pub fn run(context: &Context, arguments: &Deployments) -> Result<Done, CommandError> {
    let runner = context.runner(&arguments.database, &LimitArguments::default())?;
    let ledger = context.block_on(&runner, runner.deployments())?;
    context
        .output
        .result(&ledger, || tables::deployments(&ledger));
    Ok(Done::new("done", ""))
}
