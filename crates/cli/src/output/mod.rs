//! The only room that prints. Consumes events, results and errors; decides nothing.
//!
//! Results go to standard output; progress, warnings and errors to standard error. In JSON everything goes to
//! standard output (for `forerun exec`, whose command owns standard output, to standard error).

pub mod code_host;
mod deploy_events;
pub mod deploy_tables;
pub mod error_text;
pub mod excerpt;
pub mod findings_text;
pub mod json_lines;
pub mod lint_text;
pub mod plan_text;
mod repository;
pub mod style;
pub mod tables;
pub mod termination_message;
mod text_events;
pub mod trace_text;

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use forerun_migrations::event::{Event, Events};
use serde::Serialize;

use crate::arguments::FormatArgument;
use crate::command_error::{CommandError, Explanation};
use crate::exit_code::ExitCode;
use crate::settings::OutputSettings;
use code_host::CodeHost;
use deploy_events::DeployEvents;
use json_lines::CollectedWarning;
use text_events::TextEvents;

/// What standard output and standard error are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A run: events, at the end one sentence.
    Run,
    /// A run whose command owns standard output.
    Guard,
    /// A question: one result.
    Question,
    /// A question whose answer is read in the log of a pipeline: text unless something else is asked for.
    Findings,
    /// Manifests for other programs: JSON only when it is asked for, and errors on standard error.
    Manifests,
}

/// How a run ended well.
#[derive(Debug)]
pub struct Done {
    /// Exit code.
    pub exit_code: ExitCode,
    /// Stable word.
    pub outcome: &'static str,
    /// Migrations applied or reverted.
    pub migrations: usize,
    /// One sentence.
    pub message: String,
}

impl Done {
    /// With a sentence.
    pub fn new(outcome: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit_code: ExitCode::Done,
            outcome,
            migrations: 0,
            message: message.into(),
        }
    }
}

/// A stream that never fails the run: once its reader is gone, what is written is dropped.
struct Stream<S: anstream::stream::RawStream>(Mutex<StreamState<S>>);

struct StreamState<S: anstream::stream::RawStream> {
    stream: AutoStream<S>,
    closed: bool,
    /// The first error that was not a closed pipe: a full disk, for example.
    failed: Option<std::io::Error>,
}

impl<S: anstream::stream::RawStream + anstream::stream::AsLockedWrite> Stream<S> {
    fn new(stream: S, colour: bool) -> Self {
        let choice = if colour {
            ColorChoice::AlwaysAnsi
        } else {
            ColorChoice::Never
        };
        Self(Mutex::new(StreamState {
            stream: AutoStream::new(stream, choice),
            closed: false,
            failed: None,
        }))
    }

    fn write(&self, bytes: &[u8]) {
        let mut state = lock(&self.0);
        if state.closed {
            return;
        }
        let written = state
            .stream
            .write_all(bytes)
            .and_then(|()| state.stream.flush());
        if let Err(error) = written {
            state.closed = true;
            if error.kind() != ErrorKind::BrokenPipe {
                state.failed = Some(error);
            }
        }
    }
}

/// Everything a command shows.
pub struct Output {
    json: bool,
    purpose: Purpose,
    settings: OutputSettings,
    out: Stream<std::io::Stdout>,
    err: Stream<std::io::Stderr>,
    text: TextEvents,
    deploy: DeployEvents,
    warnings: Mutex<Vec<CollectedWarning>>,
    started: Instant,
    migrations: std::sync::atomic::AtomicUsize,
    termination_message: PathBuf,
}

impl Output {
    /// For one command.
    pub fn new(settings: OutputSettings, purpose: Purpose, termination_message: PathBuf) -> Self {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let main_is_terminal = if purpose == Purpose::Guard {
            stderr.is_terminal()
        } else {
            stdout.is_terminal()
        };
        let json = match settings.format {
            FormatArgument::Json => true,
            // Only the result is.
            FormatArgument::Text | FormatArgument::Sarif | FormatArgument::Github => false,
            FormatArgument::Auto => {
                !main_is_terminal && !matches!(purpose, Purpose::Manifests | Purpose::Findings)
            }
        };
        let colour = |terminal: bool| settings.colour.unwrap_or(terminal);
        let bars = !json && !settings.quiet && settings.smart_terminal && stderr.is_terminal()
            // The guarded command writes to the same terminal.
            && purpose != Purpose::Guard;
        Self {
            json,
            purpose,
            settings,
            text: TextEvents::new(bars, settings.verbose, settings.quiet),
            deploy: DeployEvents::new(bars, settings.verbose, settings.quiet),
            out: Stream::new(stdout, colour(std::io::stdout().is_terminal())),
            err: Stream::new(stderr, colour(std::io::stderr().is_terminal())),
            warnings: Mutex::new(Vec::new()),
            started: Instant::now(),
            migrations: std::sync::atomic::AtomicUsize::new(0),
            termination_message,
        }
    }

    /// More is asked for.
    pub fn verbose(&self) -> bool {
        self.settings.verbose
    }

    /// JSON is asked for.
    pub fn json(&self) -> bool {
        self.json
    }

    /// The form for a code host that is asked for, if any.
    pub fn code_host(&self) -> Option<CodeHost> {
        match self.settings.format {
            FormatArgument::Sarif => Some(CodeHost::Sarif),
            FormatArgument::Github => Some(CodeHost::Github),
            FormatArgument::Auto | FormatArgument::Text | FormatArgument::Json => None,
        }
    }

    /// Results: text as it is.
    pub fn print(&self, text: &str) {
        self.out.write(text.as_bytes());
    }

    /// Bytes for standard output, for pages and scripts.
    pub fn print_bytes(&self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// The result of a question: a document, or text.
    pub fn result<T: Serialize>(&self, document: &T, text: impl FnOnce() -> String) {
        if self.json {
            let warnings = lock(&self.warnings);
            if let Ok(bytes) = json_lines::document(document, &warnings) {
                self.out.write(&bytes);
            }
        } else {
            self.print(&text());
        }
    }

    /// A line beside the result, for people.
    pub fn note(&self, text: &str) {
        if !self.json && !self.settings.quiet {
            self.text
                .aside(|| self.err.write(format!("{text}\n").as_bytes()));
        }
    }

    /// Ends a command: shows its error or its last sentence, writes the termination message, returns the exit code.
    pub fn finish(&self, result: Result<Done, CommandError>) -> ExitCode {
        self.text.end();
        self.deploy.end();
        let migrations = self.migrations.load(std::sync::atomic::Ordering::Relaxed);
        let (done, error) = match result {
            Ok(done) => (done, None),
            Err(error) => {
                let explanation = error.explain();
                let outcome = explanation.exit_code.outcome();
                let message = explanation.message.clone();
                (
                    Done {
                        exit_code: explanation.exit_code,
                        outcome,
                        migrations,
                        message,
                    },
                    Some(explanation),
                )
            }
        };
        let code = done.exit_code.number();
        match (self.purpose, self.json) {
            (Purpose::Question | Purpose::Findings, true) => {
                if let Some(error) = &error {
                    self.document_of_error(error);
                }
            }
            (Purpose::Run | Purpose::Guard, true) => self.run_finished(&done, error.as_ref()),
            (Purpose::Manifests, true) | (_, false) => {
                if let Some(error) = &error {
                    self.err.write(error_text::render(error).as_bytes());
                } else if !done.message.is_empty() {
                    let sentence = format!("{}\n", style::printable(&done.message));
                    if self.purpose == Purpose::Guard {
                        self.note(sentence.trim_end());
                    } else {
                        self.out.write(sentence.as_bytes());
                    }
                }
            }
        }
        // Questions have an answer and no last words.
        if !done.message.is_empty() {
            termination_message::write(
                &self.termination_message,
                code,
                done.outcome,
                &done.message,
                error.as_ref(),
            );
        }
        self.check_written(done.exit_code)
    }

    /// A result that could not be written must not look like success.
    fn check_written(&self, exit_code: ExitCode) -> ExitCode {
        let failed = lock(&self.out.0).failed.take();
        let Some(error) = failed else {
            return exit_code;
        };
        let explanation = CommandError::System {
            action: "write to standard output".to_owned(),
            error,
        }
        .explain();
        self.err.write(error_text::render(&explanation).as_bytes());
        if exit_code == ExitCode::Done
            && matches!(self.purpose, Purpose::Question | Purpose::Findings)
        {
            explanation.exit_code
        } else {
            exit_code
        }
    }

    fn run_finished(&self, done: &Done, error: Option<&Explanation>) {
        #[derive(Serialize)]
        struct Finished<'a> {
            #[serde(flatten)]
            event: Event,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Explanation>,
        }
        let event = Event::RunFinished {
            exit_code: done.exit_code.number(),
            outcome: done.outcome,
            migrations: done.migrations,
            duration: self.started.elapsed(),
            message: done.message.clone(),
        };
        self.line(&Finished { event, error });
    }

    fn document_of_error(&self, error: &Explanation) {
        #[derive(Serialize)]
        struct Failed<'a> {
            exit_code: u8,
            error: &'a Explanation,
        }
        let document = Failed {
            exit_code: error.exit_code.number(),
            error,
        };
        if let Ok(bytes) = json_lines::document(&document, &lock(&self.warnings)) {
            self.out.write(&bytes);
        }
    }

    fn line<T: Serialize>(&self, content: &T) {
        let Ok(bytes) = json_lines::line(content) else {
            return;
        };
        if self.purpose == Purpose::Guard {
            self.err.write(&bytes);
        } else {
            self.out.write(&bytes);
        }
    }

    /// Time since the command began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Events for Output {
    fn emit(&self, event: &Event) {
        if matches!(event, Event::MigrationFinished { .. }) {
            self.migrations
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        match (self.json, self.purpose) {
            (true, Purpose::Question | Purpose::Findings) => {
                if let Event::Warning { code, message } = event {
                    lock(&self.warnings).push(CollectedWarning {
                        code,
                        message: message.clone(),
                    });
                }
            }
            (true, _) => self.line(event),
            (false, _) => self
                .text
                .show(event, &|text| self.err.write(text.as_bytes())),
        }
    }
}

impl forerun_cluster::Events for Output {
    fn emit(&self, event: &forerun_cluster::Event) {
        match (self.json, self.purpose) {
            (true, Purpose::Question | Purpose::Findings) => {
                if let forerun_cluster::Event::Warning { code, message } = event {
                    lock(&self.warnings).push(CollectedWarning {
                        code,
                        message: message.clone(),
                    });
                }
            }
            (true, _) => self.line(event),
            (false, _) => self
                .deploy
                .show(event, &|text| self.err.write(text.as_bytes())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
