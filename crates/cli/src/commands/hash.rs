//! `forerun migrate hash`.

use std::path::PathBuf;

use forerun_migrations::directory::{DirectoryError, SUM_FILE_NAME, SumFile};
use serde::Serialize;

use super::context::Context;
use crate::arguments::Hash;
use crate::command_error::CommandError;
use crate::output::Done;
use crate::output::style::count;
use crate::settings;

/// What `hash` did.
#[derive(Debug, Serialize)]
struct Document {
    file: PathBuf,
    written: bool,
    migrations: usize,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

pub fn run(context: &Context, arguments: &Hash) -> Result<Done, CommandError> {
    let source = settings::directory(&arguments.directory, &context.environment)?;
    let (path, directory) = (source.path.clone(), source.read()?);
    let before = match SumFile::read(&path) {
        // A merge conflict in it is what this command is for.
        Err(DirectoryError::SumFormat { .. }) => None,
        read => read?,
    };
    let sum = SumFile::for_directory(&directory);
    let written = before.as_ref() != Some(&sum);
    if written {
        sum.write(&path)?;
    }
    let mismatch = before
        .and_then(|before| before.verify(&directory).err())
        .unwrap_or_default();
    let document = Document {
        file: path.join(SUM_FILE_NAME),
        written,
        migrations: directory.migrations.len(),
        added: mismatch.added,
        changed: mismatch.changed,
        removed: mismatch.missing,
    };
    context.output.result(&document, || text(&document));
    Ok(Done::new("hashed", ""))
}

fn text(document: &Document) -> String {
    let file = document.file.display();
    if !document.written {
        return format!("{file} is up to date.\n");
    }
    let mut text = String::new();
    for (files, word) in [
        (&document.added, "added"),
        (&document.changed, "changed"),
        (&document.removed, "removed"),
    ] {
        for file in files {
            text.push_str(&format!("{word:<8} {file}\n"));
        }
    }
    text.push_str(&format!(
        "Wrote {file} for {}.\n",
        count(document.migrations, "migration")
    ));
    text
}
