//! `migrate up`, `migrate schema`, `migrate data`.

use std::time::{Duration, Instant};

use super::connect::run_entry;
use super::inspect::{Recorded, Summaries, read};
use super::lock::LockWait;
use super::run::CLEAN_UP_TIMEOUT;
use super::{Outcome, RunReport, Runner};
use crate::database::{Lease, Session};
use crate::directory::{DirectorySource, MigrationDirectory};
use crate::error::RunError;
use crate::event::Event;
use crate::plan::{Plan, Scope};

/// A waiting runner looks this often whether the holder has done everything already.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What came before a run.
enum Before {
    /// The lock is ours.
    Locked(Lease),
    /// Nothing to do, or no more.
    NothingToDo(RunReport),
}

/// What to run, and how strictly.
#[derive(Debug, Clone, Copy)]
pub struct UpOptions {
    /// Which pending migrations.
    pub scope: Scope,
    /// Run pending migrations that are older than the newest applied one.
    pub allow_out_of_order: bool,
    /// Run although another tool has a history in this database.
    pub ignore_other_history: bool,
}

impl UpOptions {
    /// The command that has this scope.
    pub fn command(self) -> &'static str {
        match self.scope {
            Scope::All => "migrate up",
            Scope::Schema => "migrate schema",
            Scope::Data => "migrate data",
        }
    }
}

impl Runner {
    /// Applies pending migrations.
    ///
    /// # Errors
    /// See [`RunError`]; what was finished before the error stays applied and recorded.
    pub async fn up(
        &self,
        directory: &DirectorySource,
        options: UpOptions,
    ) -> Result<RunReport, RunError> {
        let command = options.command();
        let (directory, mut session, recorded) = self.open_verified(directory).await?;
        self.refuse_other_history(session.as_mut(), &recorded, options.ignore_other_history)
            .await?;
        let mut summaries = Summaries::default();
        let mut wait = self.lock_wait(command);
        let before = self.before_the_run(
            &directory,
            &recorded,
            options,
            &mut summaries,
            session.as_mut(),
            &mut wait,
        );
        let lease = match before.await {
            Ok(Before::Locked(lease)) => lease,
            Ok(Before::NothingToDo(report)) => {
                if recorded.tables {
                    let message = format!("{command}: nothing to do");
                    let entry =
                        run_entry("run.finished", message, serde_json::json!({ "ok": true }));
                    // A standby or a read-only user can still see that there is nothing to do, and nobody waits long.
                    let _ = tokio::time::timeout(CLEAN_UP_TIMEOUT, session.audit(&[entry])).await;
                }
                return Ok(report);
            }
            Err(error) => {
                if recorded.tables {
                    self.note_end(command, &error).await;
                }
                return Err(error);
            }
        };
        let mut run = self.locked(session, lease, &wait, command).await?;
        let result = async {
            // What was planned before may be outdated: only what is true under the lock counts.
            let recorded = read(run.session.as_mut()).await?;
            let plan = self.make_plan(&directory, &recorded, options, &mut summaries)?;
            if plan.steps.is_empty() {
                return Ok(report(
                    Outcome::DoneByAnother,
                    &directory,
                    &plan,
                    &recorded,
                    Vec::new(),
                ));
            }
            run.audit.extend(plan.out_of_order.iter().map(|script| {
                let message = format!(
                    "{script} is older than what is applied; --allow-out-of-order lets it run"
                );
                run_entry("override.out_of_order", message, serde_json::Value::Null)
            }));
            self.events.emit(&Event::Planned {
                pending: plan.steps.len(),
                applied: plan.applied,
                bytes: plan.bytes(),
            });
            let finished = run.steps(&plan).await?;
            Ok(report(
                Outcome::Done,
                &directory,
                &plan,
                &recorded,
                finished,
            ))
        }
        .await;
        run.finish(result, |report| {
            format!(
                "{command}: {} migration(s) applied",
                report.migrations.len()
            )
        })
        .await
    }

    /// Plans, and takes the lock if there is something to do.
    async fn before_the_run(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
        options: UpOptions,
        summaries: &mut Summaries,
        session: &mut dyn Session,
        wait: &mut LockWait,
    ) -> Result<Before, RunError> {
        let plan = self.make_plan(directory, recorded, options, summaries)?;
        self.warn_ahead(&plan, directory);
        if plan.steps.is_empty() {
            return Ok(Before::NothingToDo(report(
                Outcome::UpToDate,
                directory,
                &plan,
                recorded,
                Vec::new(),
            )));
        }
        let mut stop = self.stop.clone();
        let mut looked = Instant::now();
        loop {
            if let Some(lease) = wait.try_once(session).await? {
                return Ok(Before::Locked(lease));
            }
            wait.pause(&mut stop).await?;
            if looked.elapsed() >= LOOK_AGAIN {
                looked = Instant::now();
                let recorded = read(session).await?;
                let plan = self.make_plan(directory, &recorded, options, summaries)?;
                if plan.steps.is_empty() {
                    return Ok(Before::NothingToDo(report(
                        Outcome::DoneByAnother,
                        directory,
                        &plan,
                        &recorded,
                        Vec::new(),
                    )));
                }
            }
        }
    }

    fn warn_ahead(&self, plan: &Plan, directory: &MigrationDirectory) {
        let Some(newest) = plan.ahead.iter().max() else {
            return;
        };
        self.warn(
            "database_ahead",
            format!(
                "the database is at version {newest}, {} version(s) ahead of {}: this looks like an older release after a \
                 rollback; nothing newer is touched",
                plan.ahead.len(),
                directory.path.display()
            ),
        );
    }
}

fn report(
    outcome: Outcome,
    directory: &MigrationDirectory,
    plan: &Plan,
    recorded: &Recorded,
    migrations: Vec<super::FinishedMigration>,
) -> RunReport {
    let before = recorded.applied.iter().map(|row| &row.version);
    let now = before.chain(migrations.iter().map(|done| &done.version));
    let newest = directory.newest(now).cloned();
    let again = plan.steps.iter().filter(|step| step.again).count();
    RunReport {
        outcome,
        left_for_later: plan.left_for_later.clone(),
        applied: (recorded.applied.len() + migrations.len()).saturating_sub(again),
        newest,
        migrations,
    }
}
