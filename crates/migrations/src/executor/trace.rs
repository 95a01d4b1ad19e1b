//! `plan --trace`: what the server does for the pending migrations, seen on a scratch database.
//!
//! The target is only asked which migrations it has, and which database it is. Everything else happens on the scratch
//! database: it must be empty, gets the migrations that the target has, then the pending ones under observation, and
//! is emptied again, whatever happened in between.

use std::collections::HashSet;
use std::time::Duration;

use super::Runner;
use super::inspect::read;
use super::lock::stopped;
use super::up::UpOptions;
use crate::database::DatabaseError;
use crate::directory::{Condition, DirectorySource, MigrationDirectory, Otherwise};
use crate::error::{RunError, StoppedAt};
use crate::history::{AppliedVersion, Direction, Version};
use crate::lint::Selection;
use crate::plan::{self, Mode, Pending, Plan, Step};
use crate::trace::{Failure, How, Left, Trace, TraceError, TracedMigration, Tracer};

/// A statement that begins right after a cancellation is cancelled after this long.
const AGAIN: Duration = Duration::from_millis(100);

/// Which migrations are looked at; the others are run before them.
pub enum Watched<'a> {
    /// What is pending in the database of this runner.
    Pending(&'a Runner),
    /// All of them.
    All,
    /// What is judged of the directory.
    Chosen(&'a Selection<'a>),
}

impl Runner {
    /// The plan for `target`, and what the server of this runner's scratch database did for it. Without a target, for a
    /// new database.
    ///
    /// # Errors
    /// As [`Runner::plan`], and [`TraceError`].
    pub async fn trace(
        &self,
        directory: &DirectorySource,
        options: UpOptions,
        target: Option<&Runner>,
    ) -> Result<(Plan, Trace), RunError> {
        let Some(target) = target else {
            // Only then it is known to be empty.
            let trace = self.observe(directory, Watched::All).await?;
            let plan = self.plan(directory, options).await?;
            return Ok((plan, trace));
        };
        let plan = target.plan(directory, options).await;
        let plan = plan.map_err(|error| ended(error, Left::Untouched))?;
        let trace = self.observe(directory, Watched::Pending(target)).await?;
        Ok((plan, trace))
    }

    /// Runs migrations on the scratch database of this runner and reports what its server did. A table counts as there
    /// before if an earlier file made it; files that would run together share that.
    ///
    /// # Errors
    /// When the directory or a database cannot be read, and [`TraceError`].
    pub async fn observe(
        &self,
        directory: &DirectorySource,
        watched: Watched<'_>,
    ) -> Result<Trace, RunError> {
        let target = match &watched {
            Watched::Pending(target) => Some(*target),
            Watched::All | Watched::Chosen(_) => None,
        };
        let mut tracer = self
            .scratch(target)
            .await
            .map_err(|error| ended(error, Left::Untouched))?;
        let traced = self.observe_with(&mut tracer, directory, watched).await;
        let cleared = tracer.clear().await;
        let left = match cleared {
            Ok(()) => Left::Nothing,
            Err(_) => Left::Something,
        };
        let traced = traced.map_err(|error| ended(error, left))?;
        cleared.map_err(|error| {
            trace_error(TraceError::NotCleared {
                scratch: self.database.target(),
                error: Box::new(error),
            })
        })?;
        Ok(traced)
    }

    /// Opens the scratch database: empty, and not the target.
    async fn scratch(&self, target: Option<&Runner>) -> Result<Tracer, RunError> {
        let opening = |error| RunError::Database {
            doing: "opening the scratch database",
            error,
        };
        // Waits until it answers, as everything does that connects.
        drop(self.connect().await?);
        let observer = self.database.observer(&self.identity).await;
        let mut observer = observer.map_err(opening)?;
        let scratch = || self.database.target();
        let place = observer.place().await.map_err(opening)?;
        let mut neighbour = None;
        if let Some(target) = target {
            drop(target.connect().await?);
            let other = target.database.observer(&target.identity).await;
            let other = match other {
                Ok(mut other) => other.place().await,
                Err(error) => Err(error),
            };
            let other = other.map_err(|error| RunError::Database {
                doing: "asking the target which database it is",
                error,
            })?;
            if other == place {
                return Err(trace_error(TraceError::IsTarget { scratch: scratch() }));
            }
            neighbour = (other.server == place.server).then_some(other.database);
        }
        let found = observer.contents().await.map_err(opening)?;
        if !found.is_empty() {
            let scratch = scratch();
            return Err(trace_error(TraceError::NotEmpty { scratch, found }));
        }
        Ok(Tracer::new(self.database.as_ref(), observer, neighbour))
    }

    async fn observe_with(
        &self,
        tracer: &mut Tracer,
        directory: &DirectorySource,
        watched: Watched<'_>,
    ) -> Result<Trace, RunError> {
        let applied = match &watched {
            Watched::Pending(target) => read(target.connect().await?.as_mut()).await?.applied,
            Watched::All | Watched::Chosen(_) => Vec::new(),
        };
        // With what the scratch database calls its parts.
        let (directory, session) = self.open(directory).await?;
        let mut trace = Trace {
            server: session.server().clone(),
            earlier: 0,
            migrations: Vec::new(),
        };
        drop(session);
        let steps = steps(&directory, &applied, &watched);
        let (earlier, looked_at): (Vec<_>, Vec<_>) =
            steps.into_iter().partition(|(_, how)| *how == Look::Away);
        // What is pending may be older than what is applied: it still runs after it. What is chosen runs in its place.
        let mut in_order: Vec<(Pending<'_>, Look)> = earlier.into_iter().chain(looked_at).collect();
        if let Watched::Chosen(_) = watched {
            in_order.sort_by_key(|(pending, _)| directory.place(&pending.migration.version));
        }
        let mut begun = false;
        for (pending, look) in in_order {
            let step = self.step_of(&pending)?;
            let observed = look != Look::Away;
            if look == Look::Alone || (observed && !begun) {
                tracer.begin().await.map_err(|error| RunError::Database {
                    doing: "reading the scratch database",
                    error,
                })?;
            }
            begun = look == Look::Together;
            let traced = self.trace_step(tracer, &step, observed).await?;
            match observed {
                true => trace.migrations.push(traced),
                false => trace.earlier += 1,
            }
        }
        Ok(trace)
    }

    fn step_of(&self, pending: &Pending<'_>) -> Result<Step, RunError> {
        let summary = pending.script.inspect(self.database.dialect())?;
        Ok(plan::step(
            pending.migration,
            pending.script,
            Direction::Up,
            summary,
            self.database.capabilities(),
            None,
        ))
    }

    async fn trace_step(
        &self,
        tracer: &mut Tracer,
        step: &Step,
        observed: bool,
    ) -> Result<TracedMigration, RunError> {
        if let Some(reason) = self.stop.reason() {
            return Err(stopped(reason, 0, StoppedAt::BetweenMigrations));
        }
        let mut traced = TracedMigration {
            version: step.version.clone(),
            script: step.script.file_name.clone(),
            statements: Vec::new(),
            left_out: None,
        };
        for condition in &step.conditions {
            traced.left_out = refuted(tracer, step, condition).await?;
            if traced.left_out.is_some() {
                return Ok(traced);
            }
        }
        let how = How {
            transaction: step.mode == Mode::Transaction,
            wrapped: step.summary.wrapped,
            observed,
        };
        let script = step.script.open_inspected(&step.summary)?;
        let canceller = tracer.observer().session().canceller();
        let mut stop = self.stop.clone();
        let mut run = std::pin::pin!(tracer.run(script, how));
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut run => break ended,
                // A call that is given up would leave a connection that nobody can clear the database with.
                _ = stop.wait() => {
                    let _ = canceller.cancel().await;
                    if let Ok(ended) = tokio::time::timeout(AGAIN, &mut run).await {
                        break ended;
                    }
                }
            }
        };
        if let Some(reason) = self.stop.reason() {
            return Err(stopped(reason, 0, StoppedAt::BetweenMigrations));
        }
        traced.statements = ended.map_err(|failure| match failure {
            Failure::Split(error) => {
                let start = forerun_sql::Position::START;
                RunError::Directory(step.script.split_error(error, start))
            }
            Failure::Statement {
                position,
                sql,
                error,
            } => trace_error(TraceError::Statement {
                script: step.script.file_name.clone(),
                path: step.script.path.clone(),
                position,
                sql,
                error: Box::new(error),
                earlier: !observed,
            }),
        })?;
        Ok(traced)
    }
}

/// Whether a migration is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It is only run.
    Away,
    /// By itself: everything made before is there before it.
    Alone,
    /// Together with those before and after it that are.
    Together,
}

/// What runs on the scratch database, in the order in which a new database would run it; then what is pending again.
fn steps<'a>(
    directory: &'a MigrationDirectory,
    applied: &'a [AppliedVersion],
    watched: &Watched<'_>,
) -> Vec<(Pending<'a>, Look)> {
    let mut all = plan::compare(directory, &[], true).pending;
    match watched {
        Watched::Chosen(selection) => {
            let look = |migration| match (
                (selection.judged)(migration),
                (selection.together)(migration),
            ) {
                (false, _) => Look::Away,
                (true, false) => Look::Alone,
                (true, true) => Look::Together,
            };
            all.into_iter()
                .map(|one| (one, look(one.migration)))
                .collect()
        }
        // Where nothing is applied, nothing says what would run together.
        _ if applied.is_empty() => all.into_iter().map(|one| (one, Look::Alone)).collect(),
        _ => {
            let pending = plan::compare(directory, applied, true).pending;
            let waiting: HashSet<&Version> =
                pending.iter().map(|one| &one.migration.version).collect();
            all.retain(|one| !waiting.contains(&one.migration.version));
            let earlier = all.into_iter().map(|one| (one, Look::Away));
            earlier
                .chain(pending.into_iter().map(|one| (one, Look::Together)))
                .collect()
        }
    }
}

/// Why a step is left out, if a condition of it says so.
async fn refuted(
    tracer: &mut Tracer,
    step: &Step,
    condition: &Condition,
) -> Result<Option<String>, RunError> {
    let script = &step.script.file_name;
    let asking = |error: DatabaseError| RunError::Database {
        doing: "asking a condition of a migration",
        error: error.with_hint(format!(
            "It is the condition in line {} of {script}",
            condition.line
        )),
    };
    let answer = tracer.answer(&condition.sql).await.map_err(asking)?;
    if answer.as_deref() == Some(condition.expected.as_str()) {
        return Ok(None);
    }
    let found = answer.unwrap_or_else(|| "nothing".to_owned());
    let expected = condition.expected.clone();
    match condition.otherwise {
        Otherwise::Warn => Ok(None),
        Otherwise::Skip | Otherwise::Record => Ok(Some(format!(
            "the condition in line {} expects {expected} and found {found}",
            condition.line
        ))),
        Otherwise::Fail => Err(trace_error(TraceError::Condition {
            script: script.clone(),
            path: step.script.path.clone(),
            line: condition.line,
            expected,
            found,
        })),
    }
}

/// A run that was told to end has left something else behind than one that migrates.
fn ended(error: RunError, left: Left) -> RunError {
    match error {
        RunError::Interrupted { .. } | RunError::TimedOut { .. } => {
            let reason = Box::new(error);
            trace_error(TraceError::Stopped { reason, left })
        }
        error => error,
    }
}

fn trace_error(error: TraceError) -> RunError {
    RunError::Trace(Box::new(error))
}
