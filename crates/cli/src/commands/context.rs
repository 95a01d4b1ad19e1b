//! What every command works with.

use std::path::Path;
use std::sync::Arc;

use forerun_migrations::error::RunError;
use forerun_migrations::event::{Event, Events};
use forerun_migrations::executor::{Runner, Stop, StopSender, stop_channel};

use crate::arguments::{DatabaseArguments, DirectoryArguments, LimitArguments};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::settings::environment::Environment;
use crate::settings::{self, DatabaseSettings};
use crate::signals::{self, Child};

/// What every command works with.
pub struct Context {
    /// The environment.
    pub environment: Environment,
    /// Where everything is shown.
    pub output: Arc<Output>,
    /// Told when the run must end.
    pub stop: Stop,
    /// Tells it.
    pub stop_sender: StopSender,
    /// What `exec` runs.
    pub child: Child,
}

impl Context {
    /// For one command.
    pub fn new(environment: Environment, output: Output) -> Self {
        let (stop_sender, stop) = stop_channel();
        Self {
            environment,
            output: Arc::new(output),
            stop,
            stop_sender,
            child: Child::default(),
        }
    }

    /// The runner that arguments and environment describe; its time limit begins now.
    ///
    /// # Errors
    /// Whatever is wrong with the settings.
    pub fn runner(
        &self,
        database: &DatabaseArguments,
        limits: &LimitArguments,
    ) -> Result<Runner, CommandError> {
        let (runner, time_limit) = self.runner_and_time_limit(database, limits)?;
        if let Some(limit) = time_limit {
            signals::start_time_limit(self.stop_sender.clone(), limit)
                .map_err(CommandError::system("start the time limit"))?;
        }
        Ok(runner)
    }

    /// The same with the time limit not started, for commands that mean something else by it.
    ///
    /// # Errors
    /// Whatever is wrong with the settings.
    pub fn runner_and_time_limit(
        &self,
        database: &DatabaseArguments,
        limits: &LimitArguments,
    ) -> Result<(Runner, Option<std::time::Duration>), CommandError> {
        let found = settings::database(database, &self.environment)?;
        self.runner_of(found, database, limits)
    }

    /// The same for a database that was found in another way.
    ///
    /// # Errors
    /// Whatever is wrong with the settings.
    pub fn runner_of(
        &self,
        found: DatabaseSettings,
        database: &DatabaseArguments,
        limits: &LimitArguments,
    ) -> Result<(Runner, Option<std::time::Duration>), CommandError> {
        let DatabaseSettings { url, source } = found;
        for message in url.warnings() {
            self.output.emit(&Event::Warning {
                code: "url",
                message: message.clone(),
            });
        }
        let (limits, time_limit) = settings::limits(limits, database.wait, &self.environment)?;
        let identity = settings::identity(database.release.as_deref(), &self.environment)?;
        if self.output.verbose() {
            self.output.note(&format!("database from {source}: {url}"));
        }
        let runner = Runner {
            database: forerun_databases::open(&url),
            identity,
            limits,
            events: Arc::clone(&self.output) as Arc<dyn Events>,
            stop: self.stop.clone(),
            stop_sender: self.stop_sender.clone(),
        };
        Ok((runner, time_limit))
    }

    /// Says that a run begins.
    pub fn announce(&self, command: &str, runner: &Runner, directory: Option<&Path>) {
        self.output.emit(&Event::RunStarted {
            run_id: runner.identity.run_id.clone(),
            command: command.to_owned(),
            target: runner.database.target(),
            directory: directory.map(|directory| directory.display().to_string()),
            release: runner.identity.release.clone(),
        });
    }

    /// Runs a future of the engine on one thread.
    ///
    /// # Errors
    /// The engine's, or that the operating system gives no runtime.
    pub fn block_on<T>(
        &self,
        runner: &Runner,
        future: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, CommandError> {
        let dialect = runner.database.dialect();
        let result = self.block_on_any(future)?;
        result.map_err(|error| CommandError::Run {
            error: Box::new(error),
            dialect,
            directory: DirectoryArguments::default(),
        })
    }

    /// Runs any future on one thread.
    ///
    /// # Errors
    /// When the operating system gives no runtime.
    pub fn block_on_any<T>(&self, future: impl Future<Output = T>) -> Result<T, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CommandError::system("start the runtime"))?;
        let result = runtime.block_on(future);
        // A thread that still reads a file or sits in SQLite is not waited for.
        runtime.shutdown_background();
        Ok(result)
    }
}
