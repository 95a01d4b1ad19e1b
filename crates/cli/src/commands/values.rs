//! The values that a command was given: files and options → values.

use std::io::Read;
use std::path::Path;

use forerun_manifests::values::{self, Override, Source, Values};

use super::context::Context;
use crate::arguments::ValuesArguments;
use crate::command_error::CommandError;

/// Most that is read of one file: more is not a values file.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Reads, merges and checks the values; warnings are shown.
///
/// # Errors
/// A file that cannot be read, or everything that is wrong with the values.
pub fn read(context: &Context, arguments: &ValuesArguments) -> Result<Values, CommandError> {
    let sources = arguments
        .files
        .iter()
        .map(|path| source(path))
        .collect::<Result<Vec<_>, _>>()?;
    let set = arguments.set.iter().cloned().map(Override::Set);
    let set_string = arguments
        .set_string
        .iter()
        .cloned()
        .map(Override::SetString);
    let overrides: Vec<Override> = set.chain(set_string).collect();
    let loaded = values::read(&sources, &overrides).map_err(CommandError::Values)?;
    for warning in &loaded.warnings {
        context.output.note(warning.to_string().trim_end());
    }
    Ok(loaded.values)
}

fn source(path: &Path) -> Result<Source, CommandError> {
    let mut bytes = Vec::new();
    let (name, result) = if path.as_os_str() == "-" {
        let input = std::io::stdin().lock();
        (
            "standard input".to_owned(),
            input.take(LONGEST).read_to_end(&mut bytes),
        )
    } else {
        let read =
            std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        (path.display().to_string(), read)
    };
    result.map_err(CommandError::system(format!("read {name}")))?;
    let text = String::from_utf8(bytes).map_err(|error| CommandError::Usage {
        message: format!(
            "{name} is not UTF-8: the byte at {} is no text",
            error.utf8_error().valid_up_to()
        ),
        advice: "Save it as UTF-8.".into(),
    })?;
    Ok(Source { name, text })
}
