//! `migrate up`, `migrate schema`, `migrate data`.

use std::time::{Duration, Instant};

use super::connect::run_entry;
use super::gates::{held_entries, overridden_entries};
use super::inspect::{Recorded, read};
use super::lint::{LintMode, audited};
use super::lock::LockWait;
use super::run::{CLEAN_UP_TIMEOUT, Run};
use super::summaries::Summaries;
use super::{Outcome, RunReport, Runner};
use crate::database::{ErrorKind, Lease, Session};
use crate::directory::{DirectorySource, MigrationDirectory};
use crate::error::{Refusal, RunError};
use crate::event::Event;
use crate::history::AuditEntry;
use crate::number::count;
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
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// Which pending migrations.
    pub scope: Scope,
    /// Run pending migrations that are older than the newest applied one.
    pub allow_out_of_order: bool,
    /// Run although another tool has a history in this database.
    pub ignore_other_history: bool,
    /// What follows from findings of the linter.
    pub lint: LintMode,
    /// Fail when a contract migration has to wait, and let it wait for what is not known, too.
    pub strict: bool,
    /// Run contract migrations that have to wait, and why that may be.
    pub accept_downtime: Option<String>,
}

impl UpOptions {
    /// The command that has this scope.
    pub fn command(&self) -> &'static str {
        match self.scope {
            Scope::All => "migrate up",
            Scope::Schema => "migrate schema",
            Scope::Data => "migrate data",
        }
    }
}

/// In the audit entry that ends a run: how many migrations its scope has left for another run. Drivers look for it in
/// [`crate::database::Session::was_ever_complete`].
pub(super) const LEFT_FOR_LATER: &str = "left_for_later";

impl Runner {
    /// Applies pending migrations, and opens the deployment of the release, if there is one.
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
            &options,
            &mut summaries,
            session.as_mut(),
            &mut wait,
        );
        let lease = match before.await {
            Ok(Before::Locked(lease)) => lease,
            Ok(Before::NothingToDo(report)) => {
                let result = self.strictly(report, &options);
                if recorded.tables {
                    let entries = nothing_to_do_entries(command, &result);
                    // A standby or a read-only user can still see that there is nothing to do, and nobody waits long.
                    let _ = tokio::time::timeout(CLEAN_UP_TIMEOUT, session.audit(&entries)).await;
                }
                return result;
            }
            Err(error) => {
                if recorded.tables {
                    self.note_end(command, &error).await;
                }
                return Err(error);
            }
        };
        let mut run = self.locked(session, lease, &wait, command).await?;
        let result = run.up(&directory, &options, &mut summaries).await;
        let (message, left) = match &result {
            Ok(report) => {
                let applied = report.migrations.len();
                let message = format!("{command}: {} applied", count(applied, "migration"));
                (message, left_to_another_step(report))
            }
            Err(error) => (error.to_string(), left_behind(error)),
        };
        let mut detail = serde_json::json!({ "ok": result.is_ok(), LEFT_FOR_LATER: left });
        if let Err(RunError::Refused(Refusal::Lint(findings))) = &result {
            detail["findings"] = audited(findings.iter());
        }
        run.end(message, detail).await;
        result
    }

    /// Plans, and takes the lock if there is something to do.
    async fn before_the_run(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
        options: &UpOptions,
        summaries: &mut Summaries,
        session: &mut dyn Session,
        wait: &mut LockWait,
    ) -> Result<Before, RunError> {
        let plan = self
            .make_plan(directory, recorded, options, summaries, session)
            .await?;
        self.warn_ahead(&plan, directory);
        self.warn_below_floor(session).await?;
        if plan.steps.is_empty() && !self.must_record(directory, &plan, session).await? {
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
            match wait.try_once(session).await {
                Ok(Some(lease)) => return Ok(Before::Locked(lease)),
                Ok(None) => {}
                // A standby can still see that there is nothing to run.
                Err(RunError::Database { error, .. })
                    if plan.steps.is_empty() && error.kind == ErrorKind::ReadOnly =>
                {
                    let message = format!("the release is not recorded in the ledger: {error}");
                    self.warn("release_not_recorded", message);
                    let outcome = Outcome::UpToDate;
                    let report = report(outcome, directory, &plan, recorded, Vec::new());
                    return Ok(Before::NothingToDo(report));
                }
                Err(error) => return Err(error),
            }
            wait.pause(&mut stop).await?;
            if looked.elapsed() >= LOOK_AGAIN {
                looked = Instant::now();
                let recorded = read(session).await?;
                let plan = self
                    .make_plan(directory, &recorded, options, summaries, session)
                    .await?;
                if plan.steps.is_empty() && !self.must_record(directory, &plan, session).await? {
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

    /// Whether the ledger must learn of this release although there is nothing to run.
    async fn must_record(
        &self,
        directory: &MigrationDirectory,
        plan: &Plan,
        session: &mut dyn Session,
    ) -> Result<bool, RunError> {
        let opening = self.opening(directory, session, has_work(plan)).await?;
        Ok(opening.is_some_and(|opening| opening.changed))
    }

    /// Tells what is held; that is an error in strict mode, and where something that has to run waits for it.
    fn strictly(&self, report: RunReport, options: &UpOptions) -> Result<RunReport, RunError> {
        self.tell_held(&report.held);
        let strict = options.strict && !report.held.is_empty();
        if strict || !report.blocked.is_empty() {
            return Err(RunError::Held {
                finished: report.migrations.len(),
                held: report.held,
                blocked: report.blocked,
            });
        }
        Ok(report)
    }

    /// An older release, after a rollback or out of turn: its migrations may have nothing to do, but it may not be able
    /// to run.
    pub(super) async fn warn_below_floor(&self, session: &mut dyn Session) -> Result<(), RunError> {
        if let Some((release, floor)) = self.below_floor(session).await? {
            let message = format!(
                "release {release} uses what {} has taken away: the oldest release that can run is {}",
                floor.script, floor.release
            );
            self.warn("below_floor", message);
        }
        Ok(())
    }

    fn warn_ahead(&self, plan: &Plan, directory: &MigrationDirectory) {
        let Some(newest) = plan.ahead.iter().max() else {
            return;
        };
        self.warn(
            "database_ahead",
            format!(
                "the database is at version {newest}, {} ahead of {}: this looks like an older release after a \
                 rollback; nothing newer is touched",
                count(plan.ahead.len(), "version"),
                directory.path.display()
            ),
        );
    }
}

impl Run<'_> {
    /// What is to be done, now that nobody else does it.
    async fn up(
        &mut self,
        directory: &MigrationDirectory,
        options: &UpOptions,
        summaries: &mut Summaries,
    ) -> Result<RunReport, RunError> {
        let runner = self.runner;
        // What was planned before may be outdated: only what is true under the lock counts.
        let recorded = read(self.session.as_mut()).await?;
        let session = self.session.as_mut();
        let mut plan = runner
            .make_plan(directory, &recorded, options, summaries, session)
            .await?;
        let heeded = runner.heed_lint(directory, &recorded, session, &mut plan, options.lint);
        let overridden = heeded.await?;
        let opening = runner.opening(directory, session, has_work(&plan)).await?;
        let changed = opening.as_ref().is_some_and(|opening| opening.changed);
        let deployment = self.open_deployment(opening).await?;
        self.audit.extend(overridden);
        let result = self.planned(directory, options, &recorded, &plan).await;
        let mut result = result.and_then(|report| runner.strictly(report, options));
        if let Ok(report) = &mut result
            && report.outcome == Outcome::DoneByAnother
            && changed
        {
            // This run was for the ledger only.
            report.outcome = Outcome::UpToDate;
        }
        if let Some(deployment) = deployment {
            match &result {
                // Another step of the same deployment goes on with the rest.
                Ok(report) if left_to_another_step(report) > 0 => {}
                Ok(_) => self.end_deployment(&deployment, true).await?,
                Err(_) => self.fail_deployment(&deployment).await,
            }
        }
        result
    }

    /// Runs the steps of a plan.
    async fn planned(
        &mut self,
        directory: &MigrationDirectory,
        options: &UpOptions,
        recorded: &Recorded,
        plan: &Plan,
    ) -> Result<RunReport, RunError> {
        self.audit.extend(held_entries(&plan.held));
        if plan.steps.is_empty() {
            let outcome = Outcome::DoneByAnother;
            return Ok(report(outcome, directory, plan, recorded, Vec::new()));
        }
        self.audit.extend(plan.out_of_order.iter().map(|script| {
            let message =
                format!("{script} is older than what is applied; --allow-out-of-order lets it run");
            run_entry("override.out_of_order", message, serde_json::Value::Null)
        }));
        if let Some(reason) = &options.accept_downtime {
            self.runner.tell_overridden(&plan.overridden, reason);
            self.audit
                .extend(overridden_entries(&plan.overridden, reason));
        }
        // What lets a migration run must not be lost with a try of it that fails.
        self.flush_audit().await;
        self.runner.events.emit(&Event::Planned {
            pending: plan.steps.len(),
            applied: plan.applied,
            bytes: plan.bytes(),
        });
        let finished = self.steps(plan).await?;
        Ok(report(Outcome::Done, directory, plan, recorded, finished))
    }
}

/// Whether a run has anything to do for its release, be it that it cannot.
fn has_work(plan: &Plan) -> bool {
    !plan.steps.is_empty() || !plan.blocked.is_empty()
}

/// How many migrations the scope of a run leaves to another step of the same deployment. Contract migrations that are held
/// are left to another deployment.
fn left_to_another_step(report: &RunReport) -> usize {
    match report.held.first() {
        None => report.left_for_later.len(),
        Some(held) => held.waiting.len(),
    }
}

/// The same of a run that ended with an error, as far as it says so.
fn left_behind(error: &RunError) -> usize {
    match error {
        RunError::Held { held, .. } => held.first().map_or(0, |held| held.waiting.len()),
        _ => 0,
    }
}

/// What the audit keeps of a run that had nothing to do.
fn nothing_to_do_entries(command: &str, result: &Result<RunReport, RunError>) -> Vec<AuditEntry> {
    let (held, message) = match result {
        Ok(report) => (&report.held, format!("{command}: nothing to do")),
        Err(RunError::Held { held, .. }) => (held, format!("{command}: held")),
        Err(error) => {
            return vec![run_entry(
                "run.finished",
                format!("{command}: {error}"),
                serde_json::json!({ "ok": false }),
            )];
        }
    };
    let mut entries = held_entries(held);
    let left = match result {
        Ok(report) => left_to_another_step(report),
        Err(error) => left_behind(error),
    };
    let detail = serde_json::json!({ "ok": result.is_ok(), LEFT_FOR_LATER: left });
    entries.push(run_entry("run.finished", message, detail));
    entries
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
    let outcome = match plan.held.is_empty() {
        true => outcome,
        false => Outcome::Held,
    };
    RunReport {
        outcome,
        left_for_later: plan.left_for_later.clone(),
        held: plan.held.clone(),
        blocked: plan.blocked.clone(),
        applied: (recorded.applied.len() + migrations.len()).saturating_sub(again),
        newest,
        migrations,
    }
}
