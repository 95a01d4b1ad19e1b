//! Every way a command can fail, and for each: exit code, sentence, details, state, advice.
//!
//! [`CommandError::explain`] is the one table. How it looks is the business of `output`.

mod adoption;
pub mod conflicts;
mod held;
mod migration;
mod run;
mod stopped;
mod trace;

use std::path::PathBuf;
use std::time::Duration;

use forerun_manifests::check::ReadError;
use forerun_manifests::render::RenderError;
use forerun_manifests::values;
use forerun_migrations::directory::DirectoryError;
use forerun_migrations::error::RunError;
use forerun_migrations::number::count;
use forerun_sql::Dialect;
use serde::Serialize;

use crate::arguments::DirectoryArguments;
use crate::exit_code::ExitCode;
use crate::output::excerpt::{self, Excerpt};
use crate::settings::SettingsError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Arguments or environment.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The run. The dialect tells what a file means where a server would mean something else.
    #[error("{error}")]
    Run {
        /// What the engine says.
        error: Box<RunError>,
        /// Of which database.
        dialect: Dialect,
        /// How the directory was named: a command that is suggested needs it as well.
        directory: DirectoryArguments,
    },
    /// The command of `exec` was not started: the database or the lock could not be had.
    #[error("{error}")]
    NotStarted {
        /// What the engine says.
        error: Box<RunError>,
        /// Of which database.
        dialect: Dialect,
    },
    /// Everything that is wrong with a values file.
    #[error("the values cannot be used")]
    Values(values::Problems),
    /// Values that contradict themselves or the cluster.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// What `validate` found.
    #[error("{}", count(.0.len(), "problem"))]
    Validation(Vec<Problem>),
    /// What was asked for cannot be done as it was asked.
    #[error("{message}")]
    Usage {
        /// What.
        message: String,
        /// What to do.
        advice: String,
    },
    /// A decision is not possible or not needed.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// What to do.
        advice: String,
    },
    /// The command of `exec` was ended because its time was over.
    #[error("the time limit of {} was reached", forerun_sql::format_duration(*limit))]
    CommandTimedOut {
        /// The limit.
        limit: Duration,
        /// How the command ended.
        ended: String,
    },
    /// The command of `exec` was ended because another runner may hold the lock.
    #[error("the runner lock was lost while the command was running")]
    CommandLostLock {
        /// How the command ended.
        ended: String,
    },
    /// Manifests that cannot be read.
    #[error(transparent)]
    Manifests(ReadError),
    /// A deploy.
    #[error("{}", .report.message)]
    Deploy {
        /// What the cluster's side says.
        report: Box<forerun_cluster::Report>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// The operating system refused something.
    #[error("cannot {action}: {error}")]
    System {
        /// What was tried.
        action: String,
        /// What it said.
        error: std::io::Error,
    },
}

/// One problem that `validate` found.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// Stable word.
    pub code: &'static str,
    /// File, where it is about one.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column, from 1.
    pub column: Option<u64>,
    /// What is wrong and what to do.
    pub message: String,
    /// It is a contradiction with what was there before, and not a mistake in a text.
    #[serde(skip)]
    pub conflict: bool,
    /// The place.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// An error for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Exit code.
    #[serde(skip)]
    pub exit_code: ExitCode,
    /// Stable word.
    pub code: &'static str,
    /// What happened, in one sentence without a full stop.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The text there.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
    /// What is wrong in detail, each with its place: several lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// More, as label and text.
    #[serde(serialize_with = "details")]
    pub details: Vec<(&'static str, String)>,
    /// The state that things are in now.
    pub state: Option<String>,
    /// What to do, the most important last.
    pub advice: Vec<String>,
}

/// A place in a file.
#[derive(Debug, Clone, Serialize)]
pub struct Place {
    /// File.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
}

fn details<S: serde::Serializer>(
    details: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Detail<'a> {
        label: &'a str,
        text: &'a str,
    }
    serializer.collect_seq(details.iter().map(|(label, text)| Detail { label, text }))
}

impl Explanation {
    /// With a sentence only.
    pub fn new(exit_code: ExitCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit_code,
            code,
            message: message.into(),
            place: None,
            excerpt: None,
            problems: Vec::new(),
            details: Vec::new(),
            state: None,
            advice: Vec::new(),
        }
    }

    /// And what to do.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// And in which state things are.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// And a detail.
    pub fn detail(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.details.push((label, text.into()));
        self
    }
}

impl CommandError {
    /// An error of the operating system.
    pub fn system(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |error| Self::System { action, error }
    }

    /// With the directory as it was named for the command.
    pub fn about(mut self, named: &DirectoryArguments) -> Self {
        if let Self::Run { directory, .. } = &mut self {
            directory.clone_from(named);
        }
        self
    }

    /// The table: error → exit code, sentences, advice.
    pub fn explain(&self) -> Explanation {
        match self {
            Self::Settings(error) => {
                let code = if matches!(error, SettingsError::NoDatabase) {
                    "no_database"
                } else {
                    "settings"
                };
                let mut explanation = Explanation::new(ExitCode::Usage, code, error.to_string());
                explanation
                    .advice
                    .extend(error.hint().map(|hint| sentence(&hint)));
                explanation
            }
            Self::Directory(error) => directory(error),
            Self::Run {
                error,
                dialect,
                directory,
            } => run::explain(error, *dialect, &options(directory)),
            Self::NotStarted { error, dialect } => {
                run::explain(error, *dialect, "").state("The command was not started.")
            }
            Self::Values(problems) => of_values(problems),
            Self::Render(error) => render(error),
            Self::Validation(problems) => validation(problems),
            Self::Usage { message, advice } => {
                Explanation::new(ExitCode::Usage, "usage", message.clone()).advise(advice.clone())
            }
            Self::Refused { message, advice } => {
                Explanation::new(ExitCode::Refused, "refused", message.clone())
                    .advise(advice.clone())
            }
            Self::CommandTimedOut { ended, .. } => Explanation::new(
                ExitCode::Temporary,
                "timed_out",
                self.to_string(),
            )
            .state(format!(
                "It was told to end: {ended}. What it had committed stays."
            ))
            .advise(
                "Run it again, with more time (--timeout or MIGRATION_TIMEOUT) if it needs it.",
            ),
            Self::CommandLostLock { ended } => {
                Explanation::new(ExitCode::Temporary, "lease_lost", self.to_string())
                    .state(format!(
                        "It was told to end: {ended}. Another runner may be at work already."
                    ))
                    .advise("Run it again; `forerun migrate unlock` shows who holds the lock.")
            }
            Self::Manifests(error) => of_manifests(error),
            Self::Deploy { report, signal } => deploy(report, *signal),
            Self::System { action, error } => Explanation::new(
                ExitCode::Usage,
                "system",
                format!("cannot {action}: {error}"),
            )
            .advise("Correct that and run it again."),
        }
    }
}

/// The options that name a directory, each after a space, as a shell takes them.
fn options(directory: &DirectoryArguments) -> String {
    let plain = |character: char| character.is_alphanumeric() || "/._-:+,@%=".contains(character);
    let option = |name: &str, value: &Option<String>| match value {
        None => String::new(),
        Some(value) if !value.is_empty() && value.chars().all(plain) => format!(" {name} {value}"),
        Some(value) => format!(" {name} '{}'", value.replace('\'', r"'\''")),
    };
    option("--dir", &directory.dir) + &option("--layout", &directory.layout)
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}

/// The directory, or a script as a text.
fn directory(error: &DirectoryError) -> Explanation {
    let mut explanation = match error.position() {
        Some((path, position)) => {
            // The place has a line of its own.
            let mut explanation =
                Explanation::new(ExitCode::Usage, "script", error.without_place());
            explanation.place = Some(Place {
                file: path.to_owned(),
                line: position.line,
                column: position.column,
            });
            explanation.excerpt = excerpt::of_file(path, position);
            explanation
                .advice
                .push("Correct the script and run it again.".to_owned());
            explanation
        }
        None => Explanation::new(ExitCode::Usage, "directory", error.to_string()),
    };
    explanation.state = Some("Nothing was run.".to_owned());
    explanation
}

fn of_values(problems: &values::Problems) -> Explanation {
    let problems_count = problems
        .0
        .iter()
        .filter(|problem| problem.severity == values::Severity::Error)
        .count();
    let mut explanation = Explanation::new(
        ExitCode::Usage,
        "values",
        format!("the values have {}", count(problems_count, "problem")),
    );
    explanation.problems = problems.0.iter().map(ToString::to_string).collect();
    explanation.state("Nothing was rendered.".to_owned())
}

fn render(error: &RenderError) -> Explanation {
    let explanation = Explanation::new(ExitCode::Usage, "values", error.to_string());
    match error {
        RenderError::Values { .. } => explanation,
        RenderError::NoRelease { .. } => {
            explanation.advise("Name it with --name, or set nameOverride in the values.")
        }
        RenderError::Json(_) => Explanation {
            exit_code: ExitCode::Bug,
            ..explanation
        },
    }
}

/// The line is not shown: it may hold a password.
fn of_manifests(error: &ReadError) -> Explanation {
    let mut explanation = Explanation::new(ExitCode::Usage, "manifests", error.message());
    let span = error.span();
    explanation.place = Some(Place {
        file: PathBuf::from(&*span.source),
        line: span.start.line.into(),
        column: span.start.column.into(),
    });
    explanation.advice.extend(error.help().map(sentence));
    explanation.state("Nothing was checked.".to_owned())
}

fn deploy(report: &forerun_cluster::Report, signal: Option<i32>) -> Explanation {
    use forerun_cluster::Outcome;
    let exit_code = match (report.outcome, signal) {
        (Outcome::Interrupted, Some(signal)) => ExitCode::Interrupted(signal),
        (Outcome::Configuration, _) => ExitCode::Usage,
        (Outcome::MigrationFailed, _) => ExitCode::MigrationFailed,
        (Outcome::HistoryConflict, _) => ExitCode::Conflict,
        (Outcome::Refused, _) => ExitCode::Refused,
        (Outcome::NotReady, _) => ExitCode::NotUpToDate,
        (Outcome::Temporary | Outcome::Interrupted, _) => ExitCode::Temporary,
    };
    let mut explanation = Explanation::new(exit_code, report.code, report.message.clone());
    explanation.details.clone_from(&report.details);
    explanation.state.clone_from(&report.state);
    explanation.advice.clone_from(&report.advice);
    explanation
}

fn validation(problems: &[Problem]) -> Explanation {
    // A mistake in a text is worse: the directory cannot be used at all.
    let only_conflicts = problems.iter().all(|problem| problem.conflict);
    let exit_code = if only_conflicts {
        ExitCode::Conflict
    } else {
        ExitCode::Usage
    };
    let message = format!("the directory has {}", count(problems.len(), "problem"));
    Explanation::new(exit_code, "invalid", message).advise("Correct what is listed above.")
}

#[cfg(test)]
mod tests;
