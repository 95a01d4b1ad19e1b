//! `forerun completions`.

use clap::CommandFactory;

use super::context::Context;
use crate::arguments::{Arguments, Completions};
use crate::command_error::CommandError;
use crate::output::Done;

pub fn run(context: &Context, arguments: &Completions) -> Result<Done, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "forerun", &mut script);
    context.output.print_bytes(&script);
    Ok(Done::new("done", ""))
}
