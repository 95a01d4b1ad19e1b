//! `forerun completions`.

use super::context::Context;
use crate::arguments::Completions;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::reference;

pub fn run(context: &Context, arguments: &Completions) -> Result<Done, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut reference::visible_command(),
        "forerun",
        &mut script,
    );
    context.output.print_bytes(&script);
    Ok(Done::new("done", ""))
}
