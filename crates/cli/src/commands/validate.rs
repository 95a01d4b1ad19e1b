//! `forerun migrate validate`: the directory against itself, its sum file, and a git reference. No database.

use std::path::{Path, PathBuf};

use forerun_migrations::directory::{DirectoryError, MigrationDirectory, ReadOptions, SumFile};
use forerun_migrations::event::{Event, Events};
use forerun_sql::Dialect;
use serde::Serialize;

use super::context::Context;
use super::git_base;
use crate::arguments::{DatabaseArguments, DialectArgument, Validate};
use crate::command_error::{CommandError, Problem};
use crate::output::error_text;
use crate::output::style::count;
use crate::output::{Done, excerpt};
use crate::settings::{self, SettingsError};
use forerun_databases::connection_url::ConnectionUrl;

/// What was found.
#[derive(Debug, Serialize)]
struct Document {
    directory: PathBuf,
    valid: bool,
    dialect: Dialect,
    migrations: usize,
    statements: u64,
    base: Option<String>,
    problems: Vec<Problem>,
}

pub fn run(context: &Context, arguments: &Validate) -> Result<Done, CommandError> {
    let mut source = settings::directory(&arguments.directory, &context.environment)?;
    let dialect = dialect(context, arguments.dialect, &arguments.database)?;
    let dialect = dialect.unwrap_or(Dialect::Postgres);
    source.options.dialect = Some(dialect);
    let mut document = Document {
        directory: source.path.clone(),
        valid: false,
        dialect,
        migrations: 0,
        statements: 0,
        base: arguments.base.clone(),
        problems: Vec::new(),
    };
    match source.read() {
        Ok(read) => {
            let base = arguments.base.as_deref();
            check(context, &read, &source.options, base, &mut document)?;
        }
        Err(error) => document.problems.push(of_directory(&error)),
    }
    document.valid = document.problems.is_empty();
    context.output.result(&document, || text(&document));
    if document.valid {
        return Ok(Done::new("valid", ""));
    }
    // The result has everything; the error adds the exit code.
    let explanation = CommandError::Validation(document.problems).explain();
    Ok(Done {
        exit_code: explanation.exit_code,
        ..Done::new("invalid", "")
    })
}

/// That of the option, else of the database that is configured, if there is one.
pub(super) fn dialect(
    context: &Context,
    argument: Option<DialectArgument>,
    database: &DatabaseArguments,
) -> Result<Option<Dialect>, CommandError> {
    if let Some(dialect) = argument {
        return Ok(Some(dialect.into()));
    }
    match settings::database(database, &context.environment) {
        Ok(settings) => Ok(Some(match settings.url {
            ConnectionUrl::Postgres(_) => Dialect::Postgres,
            ConnectionUrl::Mysql(_) => Dialect::Mysql,
            ConnectionUrl::Sqlite(_) => Dialect::Sqlite,
        })),
        Err(SettingsError::NoDatabase) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn check(
    context: &Context,
    directory: &MigrationDirectory,
    options: &ReadOptions,
    base: Option<&str>,
    document: &mut Document,
) -> Result<(), CommandError> {
    let warn = |message: String| {
        context.output.emit(&Event::Warning {
            code: "directory",
            message,
        });
    };
    directory
        .warnings
        .iter()
        .for_each(|warning| warn(warning.to_string()));
    document.migrations = directory.migrations.len();
    for migration in &directory.migrations {
        for script in [Some(&migration.up), migration.down.as_ref()]
            .into_iter()
            .flatten()
        {
            match script.inspect(document.dialect) {
                Ok(summary) => {
                    document.statements += summary.statement_count;
                    summary
                        .warnings
                        .iter()
                        .for_each(|warning| warn(warning.to_string()));
                }
                Err(error) => document.problems.push(of_directory(&error)),
            }
        }
    }
    match SumFile::read(&directory.path) {
        Ok(None) => {}
        Ok(Some(sum)) => {
            if let Err(mismatch) = sum.verify(directory) {
                document
                    .problems
                    .push(conflict("sum_mismatch", None, mismatch.to_string()));
            }
        }
        Err(error) => document.problems.push(of_directory(&error)),
    }
    if let Some(base) = base {
        let comparison = git_base::compare(directory, options, base, document.dialect)?;
        comparison.warnings.into_iter().for_each(warn);
        document.problems.extend(comparison.problems);
    }
    Ok(())
}

/// A mistake in a name or a text.
fn of_directory(error: &DirectoryError) -> Problem {
    let explanation = error.position();
    let message = error.to_string();
    let Some((path, position)) = explanation else {
        return Problem {
            code: "directory",
            file: None,
            line: None,
            column: None,
            message,
            conflict: false,
            excerpt: None,
        };
    };
    let place = format!("{}:{}:{}: ", path.display(), position.line, position.column);
    Problem {
        code: "script",
        file: Some(path.to_owned()),
        line: Some(position.line),
        column: Some(position.column),
        message: message.strip_prefix(&place).unwrap_or(&message).to_owned(),
        conflict: false,
        excerpt: excerpt::of_file(path, position),
    }
}

/// A contradiction with what was there before.
pub(super) fn conflict(code: &'static str, file: Option<&Path>, message: String) -> Problem {
    Problem {
        code,
        file: file.map(Path::to_owned),
        line: None,
        column: None,
        message,
        conflict: true,
        excerpt: None,
    }
}

fn text(document: &Document) -> String {
    let mut text: String = document
        .problems
        .iter()
        .map(error_text::render_problem)
        .collect();
    let found = match document.problems.len() {
        0 => "no problems".to_owned(),
        problems => count(problems, "problem"),
    };
    let migrations = count(document.migrations, "migration");
    let statements = count(
        usize::try_from(document.statements).unwrap_or(usize::MAX),
        "statement",
    );
    text.push_str(&format!(
        "{}: {migrations}, {statements} ({}): {found}.\n",
        document.directory.display(),
        document.dialect
    ));
    text
}
