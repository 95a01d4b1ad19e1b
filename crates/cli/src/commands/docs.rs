//! `forerun docs`: the reference pages and the schema of the chart, from the same definitions as the program.

use std::fs;

use super::context::Context;
use crate::arguments::Docs;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::reference;

pub fn run(context: &Context, arguments: &Docs) -> Result<Done, CommandError> {
    let mut outdated = Vec::new();
    for (name, text) in reference::files() {
        let path = arguments.root.join(name);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if arguments.check {
            outdated.push(path.display().to_string());
            continue;
        }
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(CommandError::system(format!("write {}", path.display())))?;
        context.output.note(&format!("wrote {}", path.display()));
    }
    if outdated.is_empty() {
        return Ok(Done::new("done", ""));
    }
    Err(CommandError::Usage {
        message: format!("not what the program says: {}", outdated.join(", ")),
        advice: format!(
            "Run `forerun docs --root {}` and commit the result.",
            arguments.root.display()
        ),
    })
}
