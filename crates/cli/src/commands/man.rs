//! `forerun man`.

use super::context::Context;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::reference;

pub fn run(context: &Context) -> Result<Done, CommandError> {
    let page = reference::man_page().map_err(CommandError::system("write the manual page"))?;
    context.output.print_bytes(&page);
    Ok(Done::new("done", ""))
}
