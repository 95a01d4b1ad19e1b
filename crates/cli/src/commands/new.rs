//! `forerun migrate new`.

use std::path::PathBuf;

use forerun_migrations::directory::{DirectoryError, NewMigration, SumFile, create};
use forerun_migrations::event::{Event, Events};
use forerun_migrations::history::Kind;
use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use crate::arguments::New;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::settings;

pub fn run(context: &Context, arguments: &New) -> Result<Done, CommandError> {
    #[derive(Serialize)]
    struct Document<'a> {
        files: &'a [PathBuf],
        sum_updated: bool,
    }
    let source = settings::directory(&arguments.directory, &context.environment)?;
    let path = source.path.clone();
    let kind = if arguments.data {
        Kind::Data
    } else {
        Kind::Schema
    };
    let sum = SumFile::read(&path)?;
    let before = match source.read() {
        Err(DirectoryError::Missing { .. }) => None,
        read => Some(read?),
    };
    let files = create(
        &path,
        &source.options,
        &NewMigration {
            name: arguments.name.clone(),
            kind,
            contract: arguments.contract,
        },
        Timestamp::now(),
    )?;
    let in_step = sum
        .zip(before)
        .map(|(sum, before)| sum.verify(&before).is_ok());
    match in_step {
        Some(true) => SumFile::for_directory(&source.read()?).write(&path)?,
        Some(false) => context.output.emit(&Event::Warning {
            code: "sum_mismatch",
            message: "forerun.sum did not match the directory before, so it was left as it is; see `forerun migrate \
                      validate`"
                .to_owned(),
        }),
        None => {}
    }
    let document = Document {
        files: &files,
        sum_updated: in_step == Some(true),
    };
    context.output.result(&document, || {
        files
            .iter()
            .map(|file| format!("{}\n", file.display()))
            .collect()
    });
    Ok(Done::new("created", ""))
}
