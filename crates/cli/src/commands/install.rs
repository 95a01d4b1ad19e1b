//! `forerun install`.

use std::os::unix::fs::PermissionsExt;

use super::context::Context;
use crate::arguments::Install;
use crate::command_error::CommandError;
use crate::output::Done;

/// Name of the copy.
const NAME: &str = "forerun";

pub fn run(_: &Context, arguments: &Install) -> Result<Done, CommandError> {
    let directory = &arguments.directory;
    let target = directory.join(NAME);
    let failed = || CommandError::system(format!("copy forerun to {}", target.display()));
    let program = std::env::current_exe().map_err(failed())?;
    // Written beside it and moved: whoever starts it meanwhile has the whole of the old one.
    let new = directory.join(format!(".{NAME}.{}", std::process::id()));
    let copied = std::fs::copy(program, &new)
        .and_then(|_| std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)))
        .and_then(|()| std::fs::rename(&new, &target));
    if let Err(error) = copied {
        // The error to tell is the first one.
        let _ = std::fs::remove_file(&new);
        return Err(failed()(error));
    }
    Ok(Done::new(
        "installed",
        format!("{} is there.", target.display()),
    ))
}
