//! `forerun migrate unlock`.

use forerun_migrations::executor::LockState;

use super::context::Context;
use crate::arguments::{LimitArguments, Unlock};
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::one_line;

pub fn run(context: &Context, arguments: &Unlock) -> Result<Done, CommandError> {
    let runner = context.runner(&arguments.database, &LimitArguments::default())?;
    let future = runner.unlock(arguments.force, arguments.even_if_alive);
    let state = context.block_on(&runner, future)?;
    context.output.result(&state, || text(&state));
    Ok(Done::new(
        if state.released { "released" } else { "done" },
        "",
    ))
}

fn text(state: &LockState) -> String {
    let Some(holder) = &state.holder else {
        return "The runner lock is free.\n".to_owned();
    };
    let shown = one_line(&holder.to_string());
    if state.released {
        return format!(
            "Ended {shown}.\nThe runner lock is free; this is recorded in the audit.\n"
        );
    }
    let dead = holder.alive == Some(false) || holder.expires_in_seconds < 0;
    let advice = if dead {
        "It is dead: the next run takes the lock over by itself; `forerun migrate unlock --force` ends it now."
    } else {
        "It is alive: wait for it. `forerun migrate unlock --force --even-if-alive` ends it, whatever it is doing."
    };
    format!("The runner lock is held by {shown}.\n{advice}\n")
}
