//! `forerun migrate validate`: the directory against itself, its sum file, and a git reference. No database.

use std::path::{Path, PathBuf};

use forerun_migrations::directory::{
    DirectoryError, LayoutProblem, MigrationDirectory, ReadOptions, SumFile,
};
use forerun_migrations::event::{Event, Events};
use forerun_sql::{Dialect, Position};
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
    /// Also of one that cannot be read, if that is known.
    layout: Option<&'static str>,
    #[serde(flatten)]
    read: Option<Read>,
    base: Option<String>,
    problems: Vec<Problem>,
}

/// What is in a directory that could be read.
#[derive(Debug, Serialize)]
struct Read {
    migrations: usize,
    statements: u64,
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
        layout: None,
        read: None,
        base: arguments.base.clone(),
        problems: Vec::new(),
    };
    match source.read() {
        Ok(read) => {
            let base = arguments.base.as_deref();
            check(context, &read, &source.options, base, &mut document)?;
        }
        Err(error) => {
            if let DirectoryError::Layout { layout, .. } = &error {
                document.layout = Some(layout);
            }
            document.problems.extend(of_directory(&error));
        }
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
    document.layout = Some(directory.layout.name());
    let mut read = Read {
        migrations: directory.migrations.len(),
        statements: 0,
    };
    for migration in &directory.migrations {
        for script in [Some(&migration.up), migration.down.as_ref()]
            .into_iter()
            .flatten()
        {
            match script.inspect(document.dialect) {
                Ok(summary) => {
                    read.statements += summary.statement_count;
                    summary
                        .warnings
                        .iter()
                        .for_each(|warning| warn(warning.to_string()));
                    let checked = directory.check_conditions(migration, &summary, &|_| false);
                    document
                        .problems
                        .extend(checked.err().iter().flat_map(of_directory));
                }
                Err(error) => document.problems.extend(of_directory(&error)),
            }
        }
    }
    document.read = Some(read);
    match SumFile::read(&directory.path) {
        Ok(None) => {}
        Ok(Some(sum)) => {
            if let Err(mismatch) = sum.verify(directory) {
                document
                    .problems
                    .push(conflict("sum_mismatch", None, mismatch.to_string()));
            }
        }
        Err(error) => document.problems.extend(of_directory(&error)),
    }
    if let Some(base) = base {
        let comparison = git_base::compare(directory, options, base, document.dialect)?;
        comparison.warnings.into_iter().for_each(warn);
        let contradictions = comparison.contradictions.into_iter();
        document
            .problems
            .extend(contradictions.map(|contradiction| contradiction.problem));
    }
    Ok(())
}

/// Mistakes in names or texts.
fn of_directory(error: &DirectoryError) -> Vec<Problem> {
    if let DirectoryError::Layout { problems, .. } = error {
        let problem = |problem: &LayoutProblem| {
            mistake(
                Some(&problem.path),
                problem.position,
                problem.message.clone(),
            )
        };
        return problems.iter().map(problem).collect();
    }
    let (file, position) = error.position().unzip();
    vec![mistake(file, position, error.without_place())]
}

fn mistake(file: Option<&Path>, position: Option<Position>, message: String) -> Problem {
    Problem {
        code: if position.is_some() {
            "script"
        } else {
            "directory"
        },
        file: file.map(Path::to_owned),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        message,
        conflict: false,
        excerpt: file
            .zip(position)
            .and_then(|(file, position)| excerpt::of_file(file, position)),
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
    let what = match (&document.read, document.layout) {
        (Some(read), _) => {
            let statements = usize::try_from(read.statements).unwrap_or(usize::MAX);
            format!(
                ": {}, {} ({}): ",
                count(read.migrations, "migration"),
                count(statements, "statement"),
                document.dialect
            )
        }
        (None, Some(layout)) => format!(" cannot be read as {layout}: "),
        (None, None) => ": ".to_owned(),
    };
    text.push_str(&format!("{}{what}{found}.\n", document.directory.display()));
    text
}
