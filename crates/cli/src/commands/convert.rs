//! `forerun migrate convert`.

use std::path::PathBuf;

use forerun_migrations::directory::{Layout, convert};
use forerun_migrations::event::{Event, Events};
use serde::Serialize;

use super::context::Context;
use super::validate::dialect;
use crate::arguments::Convert;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::count;
use crate::settings;

/// What `convert` made of the directory.
#[derive(Debug, Serialize)]
struct Document {
    directory: PathBuf,
    layout: Layout,
    target: PathBuf,
    written: bool,
    files: Vec<File>,
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct File {
    name: String,
    from: String,
}

pub fn run(context: &Context, arguments: &Convert) -> Result<Done, CommandError> {
    let mut source = settings::directory(&arguments.directory, &context.environment)?;
    let dialect = dialect(context, arguments.dialect, &arguments.database)?;
    source.options.dialect = dialect;
    let directory = source.read()?;
    if dialect.is_none() && directory.layout.depends_on_dialect() {
        return Err(CommandError::Usage {
            message: format!(
                "a directory of {} can run something else on each database",
                directory.layout
            ),
            advice: "Say for which one it is written: --dialect postgres, mysql or sqlite."
                .to_owned(),
        });
    }
    for warning in &directory.warnings {
        context.output.emit(&Event::Warning {
            code: "directory",
            message: warning.to_string(),
        });
    }
    let conversion = directory.converted()?;
    if !arguments.dry_run {
        convert(&conversion, &arguments.target)?;
    }
    let files = conversion.files.into_iter().map(|file| File {
        name: file.name,
        from: file.from,
    });
    let document = Document {
        directory: source.path,
        layout: directory.layout,
        target: arguments.target.clone(),
        written: !arguments.dry_run,
        files: files.collect(),
        remarks: conversion.remarks,
    };
    context.output.result(&document, || text(&document));
    Ok(Done::new("converted", ""))
}

fn text(document: &Document) -> String {
    let width = document.files.iter().map(|file| file.name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for file in &document.files {
        text.push_str(&format!("{:width$}  from {}\n", file.name, file.from));
    }
    for remark in &document.remarks {
        text.push_str(&format!("note: {remark}\n"));
    }
    text.push_str(&format!(
        "{} {} into {}.\n",
        match document.written {
            true => "Wrote",
            false => "Would write",
        },
        count(document.files.len(), "file"),
        document.target.display()
    ));
    text
}
