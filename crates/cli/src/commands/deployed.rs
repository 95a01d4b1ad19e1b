//! `forerun migrate deployed`.

use super::context::Context;
use crate::arguments::Deployed;
use crate::command_error::CommandError;
use crate::output::Done;

pub fn run(context: &Context, arguments: &Deployed) -> Result<Done, CommandError> {
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if arguments.unopened && runner.identity.release.is_none() {
        return Err(CommandError::Usage {
            message: "--unopened records a release, and none is given".to_owned(),
            advice: "Pass --release, or set FORERUN_RELEASE.".to_owned(),
        });
    }
    context.announce("migrate deployed", &runner, None);
    let closed = context.block_on(&runner, runner.deployed(arguments.unopened))?;
    let release = &closed.deployment.release;
    if closed.already {
        let message = format!("The deployment of release {release} was closed before.");
        return Ok(Done::new("up_to_date", message));
    }
    let mut message = format!("Release {release} is deployed: only it runs now.");
    if !closed.superseded.is_empty() {
        let superseded = closed.superseded.join(", ");
        message.push_str(&format!(
            " Never completed, and superseded now: {superseded}."
        ));
    }
    Ok(Done::new("deployed", message))
}
