//! The linter beside a plan: what a run is about to do is judged before anything of it runs.

use std::collections::HashSet;

use forerun_sql::lint::{Kind, Server, Settings, Severity};
use forerun_sql::schema::Catalog;
use serde::Serialize;

use super::Runner;
use super::connect::run_entry;
use super::inspect::{Recorded, read};
use super::summaries::Summaries;
use crate::database::{DatabaseError, ErrorKind, ServerInfo, Session};
use crate::directory::{DirectorySource, Migration, MigrationDirectory};
use crate::error::{Refusal, RunError};
use crate::history::{AuditEntry, Direction, Version};
use crate::lint::{Also, Behind, Cut, Finding, Judge, Report};
use crate::plan::{self, Plan, Step};

/// What follows from findings in what is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LintMode {
    /// The worst ones stop the run.
    #[default]
    Enforce,
    /// They are warnings.
    Warn,
    /// None is told.
    Off,
}

impl Runner {
    /// Judges what is pending, with the tables that the database has. Where nothing is applied every file is judged alone,
    /// since nothing says what would run together. `also` is what others have found of a version.
    ///
    /// # Errors
    /// When the directory or the database cannot be read, and when `settings` are for another server than there is.
    pub async fn lint(
        &self,
        directory: &DirectorySource,
        settings: Settings,
        also: &dyn Fn(&Version) -> Vec<Also>,
    ) -> Result<Report, RunError> {
        let (directory, mut session) = self.open(directory).await?;
        let recorded = read(session.as_mut()).await?;
        let asked = settings.server.mariadb;
        let server = server(session.server());
        if asked.is_some() && server.mariadb.is_some() && asked != server.mariadb {
            return Err(RunError::Database {
                doing: "connecting",
                error: another_server(session.server(), asked),
            });
        }
        let settings = Settings { server, ..settings };
        // Whether files contradict the history is for `status` and `up` to say.
        let pending = plan::compare(&directory, &recorded.applied, true).pending;
        let waiting = |migration: &Migration| {
            let mut versions = pending.iter().map(|pending| &pending.migration.version);
            versions.any(|version| *version == migration.version)
        };
        let dialect = self.database.dialect();
        let mut judge = Judge::new(dialect, settings);
        for migration in directory.migrations.iter().filter(|other| !waiting(other)) {
            // What is applied has been understood by the database; that is enough.
            let _ = judge.learn(&migration.up);
        }
        let catalog = match pending.is_empty() {
            true => None,
            false => self.catalog(session.as_mut(), &recorded, true).await,
        };
        if let Some(catalog) = &catalog {
            judge.look_at(catalog);
        }
        if !recorded.applied.is_empty() {
            judge.together_from_here();
        }
        let mut summaries = Summaries::default();
        let mut behind = (!recorded.applied.is_empty()).then(Behind::default);
        for pending in &pending {
            if plan::is_only_checkpoint(pending.migration) {
                judge.learn(pending.script)?;
                continue;
            }
            let summary = summaries.of(self, pending.script)?;
            directory.check_conditions(pending.migration, summary, &|version| {
                plan::is_present(&directory, &recorded.applied, version)
            })?;
            let transactional = self.database.capabilities().transactional_ddl;
            let mode = plan::mode_of(pending.script, summary, transactional);
            let version = &pending.migration.version;
            let mut journal = recorded.journal.iter();
            if let Some(begun) = journal.find(|row| row.version == *version) {
                judge.next_is_begun(begun.statements_done);
            }
            let mut also = also(version);
            if let Some(behind) = &mut behind {
                also.extend(behind.next(pending.migration, summary));
            }
            judge.judge(version, pending.script, summary, mode, also)?;
        }
        Ok(judge.finish())
    }

    /// Judges the steps of a plan, and leaves with each what was found. On a database without a history only those that
    /// do something to a table which is there all the same: all other tables are new, and nobody waits. Without `told`
    /// there are no warnings.
    ///
    /// # Errors
    /// When a script cannot be read any more.
    pub(super) async fn lint_plan(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
        session: &mut dyn Session,
        plan: &mut Plan,
        told: bool,
    ) -> Result<Vec<Cut>, RunError> {
        let goes_up = |step: &Step| step.direction == Direction::Up;
        if !plan.steps.iter().any(goes_up) {
            return Ok(Vec::new());
        }
        let catalog = self.catalog(session, recorded, told).await;
        let is_new = recorded.applied.is_empty();
        if is_new && catalog.is_none() {
            return Ok(Vec::new());
        }
        let settings = Settings {
            server: server(session.server()),
            ..Settings::default()
        };
        let mut judge = Judge::new(self.database.dialect(), settings);
        for migration in before(directory, recorded, plan) {
            // What is applied has been understood by the database; that is enough.
            let _ = judge.learn(&migration.up);
        }
        if let Some(catalog) = &catalog {
            judge.look_at(catalog);
        }
        judge.together_from_here();
        let mut strangers = HashSet::new();
        for step in plan.steps.iter_mut().filter(|step| goes_up(step)) {
            if let Some(journal) = &step.journal {
                judge.next_is_begun(journal.statements_done);
            }
            judge.judge(
                &step.version,
                &step.script,
                &step.summary,
                step.mode,
                Vec::new(),
            )?;
            match is_new && !judge.met_database() {
                true => {
                    strangers.insert(step.version.clone());
                }
                false => step.work = judge.work().to_vec(),
            }
        }
        let report = judge.finish();
        plan.schema_from = Some(report.schema_from);
        let findings = report.findings.into_iter();
        for finding in findings.filter(|finding| !strangers.contains(&finding.version)) {
            let mut steps = plan.steps.iter_mut();
            if let Some(step) = steps.find(|step| step.version == finding.version) {
                step.findings.push(finding);
            }
        }
        Ok(report.cut)
    }

    /// What the database says of itself; `None` when it has neither tables nor a history, or does not tell, which is a
    /// warning if anything is told.
    async fn catalog(
        &self,
        session: &mut dyn Session,
        recorded: &Recorded,
        told: bool,
    ) -> Option<Catalog> {
        match session.catalog().await {
            Ok(catalog) => {
                let worth = !catalog.objects.is_empty() || !recorded.applied.is_empty();
                worth.then_some(catalog)
            }
            Err(_) if !told => None,
            Err(error) => {
                let message = format!(
                    "the tables of the database cannot be read: {error}; what the migrations say of them counts"
                );
                self.warn("catalog", message);
                None
            }
        }
    }

    /// Judges what a run is about to do, and tells what was found. Returns what the audit keeps where findings that would
    /// stop the run do not, because of `mode`.
    ///
    /// # Errors
    /// [`Refusal::Lint`] with what stops it.
    pub(super) async fn heed_lint(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
        session: &mut dyn Session,
        plan: &mut Plan,
        mode: LintMode,
    ) -> Result<Vec<AuditEntry>, RunError> {
        let told = mode != LintMode::Off;
        let linted = self
            .lint_plan(directory, recorded, session, plan, told)
            .await;
        let cut = match linted {
            Err(error) if told => return Err(error),
            // What is not told cannot fail either.
            linted => linted.unwrap_or_default(),
        };
        let stopping = self.stopping(recorded, session, plan).await?;
        match mode {
            LintMode::Enforce if !stopping.is_empty() => {
                return Err(Refusal::Lint(stopping).into());
            }
            LintMode::Enforce | LintMode::Warn => self.tell_findings(plan, &cut),
            LintMode::Off => {
                plan.schema_from = None;
                for step in &mut plan.steps {
                    step.findings.clear();
                    step.work.clear();
                }
            }
        }
        Ok(overridden_entries(plan, &stopping, mode))
    }

    /// The findings that stop a run: nothing is worth breaking an application that can have started.
    async fn stopping(
        &self,
        recorded: &Recorded,
        session: &mut dyn Session,
        plan: &Plan,
    ) -> Result<Vec<Finding>, RunError> {
        let worst = plan.steps.iter().flat_map(|step| {
            let findings = step.findings.iter();
            findings.filter(move |finding| is_worst(step, finding))
        });
        let mut worst: Vec<Finding> = worst.cloned().collect();
        if worst.is_empty() {
            return Ok(worst);
        }
        // Nothing was begun: what is there all the same was made by somebody else, and may be in use.
        let untouched = recorded.applied.is_empty() && recorded.journal.is_empty();
        if !untouched && !was_ever_complete(session).await? {
            return Ok(Vec::new());
        }
        if self.identity.release.is_none() {
            let asked = session.deployments().await;
            let deployments = asked.map_err(|error| RunError::Database {
                doing: "reading the ledger",
                error,
            })?;
            // Where no release was ever told, nobody says that there are two of them at once.
            if deployments.is_empty() {
                worst.retain(|finding| finding.rewrites);
            }
        }
        Ok(worst)
    }

    fn tell_findings(&self, plan: &Plan, cut: &[Cut]) {
        for cut in cut {
            self.warn("lint", cut.sentence());
        }
        let findings = plan.steps.iter().flat_map(|step| &step.findings);
        let open = findings.filter(|finding| finding.allowed.is_none());
        for finding in open.filter(|finding| finding.severity >= Severity::Warning) {
            self.warn(
                "lint",
                format!(
                    "{}: {}: {}",
                    finding.place(),
                    finding.rule.id,
                    finding.message
                ),
            );
        }
    }
}

/// What the audit keeps of findings.
pub(super) fn audited<'a>(findings: impl Iterator<Item = &'a Finding>) -> serde_json::Value {
    let audited = findings.map(|finding| {
        serde_json::json!({
            "rule": finding.rule.id,
            "file": finding.script,
            "line": finding.start.line,
            "message": finding.message,
        })
    });
    audited.collect()
}

/// Entries for the audit about what runs although the linter would have stopped it.
fn overridden_entries(plan: &Plan, stopping: &[Finding], mode: LintMode) -> Vec<AuditEntry> {
    let of_step = |step: &Step| {
        let of_step = |finding: &&Finding| finding.version == step.version;
        let findings = || stopping.iter().filter(of_step);
        let mut rules: Vec<&str> = findings().map(|finding| finding.rule.id).collect();
        rules.dedup();
        (!rules.is_empty()).then(|| AuditEntry {
            version: Some(step.version.clone()),
            ..run_entry(
                "override.lint",
                format!(
                    "{} runs although {} would stop it",
                    step.script.file_name,
                    rules.join(", ")
                ),
                serde_json::json!({ "lint": mode, "findings": audited(findings()) }),
            )
        })
    };
    plan.steps.iter().filter_map(of_step).collect()
}

/// Whether a run has ever brought the database to the end of a directory. Before that no application can have started, and
/// the first run is merely being repeated. What was taken over or declared was there before us.
async fn was_ever_complete(session: &mut dyn Session) -> Result<bool, RunError> {
    let asked = session.was_ever_complete().await;
    asked.map_err(|error| RunError::Database {
        doing: "reading the audit",
        error,
    })
}

/// Whether a finding is worse than not deploying: the release that still runs would fail, or all of its requests for a
/// table would wait for as long as that is written anew. What an earlier attempt has done is no question any more.
fn is_worst(step: &Step, finding: &Finding) -> bool {
    let done = step
        .journal
        .as_ref()
        .map_or(0, |journal| journal.statements_done);
    let ahead = i64::try_from(finding.statement).is_ok_and(|statement| statement > done);
    finding.is_error() && ahead && (finding.kind == Kind::Breaks || finding.rewrites)
}

/// The migrations whose tables are there when a plan begins.
fn before<'a>(
    directory: &'a MigrationDirectory,
    recorded: &'a Recorded,
    plan: &'a Plan,
) -> impl Iterator<Item = &'a Migration> {
    let steps: HashSet<_> = plan.steps.iter().map(|step| &step.version).collect();
    let applied: HashSet<_> = recorded.applied.iter().map(|row| &row.version).collect();
    let first = plan
        .steps
        .iter()
        .filter_map(|step| directory.place(&step.version))
        .min();
    let first = first.unwrap_or(usize::MAX);
    let there = move |(place, migration): &(usize, &'a Migration)| {
        // What is older than a baseline is there without being recorded.
        let known = applied.contains(&migration.version) || *place < first;
        known && !steps.contains(&migration.version)
    };
    let migrations = directory.migrations.iter().enumerate();
    migrations.filter(there).map(|(_, migration)| migration)
}

/// MySQL and MariaDB are one dialect, and do not do the same for a statement.
fn another_server(info: &ServerInfo, mariadb: Option<bool>) -> DatabaseError {
    let asked = match mariadb {
        Some(true) => "MariaDB",
        _ => "MySQL",
    };
    let message = format!(
        "the server is {}, and the migrations are to be judged for {asked}",
        info.product
    );
    DatabaseError::new(ErrorKind::Configuration, message)
}

/// What the linter needs of `PostgreSQL 15.18`, `MariaDB 10.11.6`.
fn server(info: &ServerInfo) -> Server {
    let mut words = info.product.split_whitespace();
    let mariadb = match words.next() {
        Some("MariaDB") => Some(true),
        Some("MySQL") => Some(false),
        _ => None,
    };
    let numbers = words.next().unwrap_or_default();
    let digits = |character: char| !character.is_ascii_digit();
    let mut numbers = numbers
        .split(digits)
        .map_while(|number| number.parse::<u32>().ok());
    let version = numbers
        .next()
        .map(|major| (major, numbers.next().unwrap_or(0)));
    Server { version, mariadb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_products() {
        let of = |product: &str| {
            server(&ServerInfo {
                product: product.to_owned(),
                database: String::new(),
                schema: None,
                working_schema: None,
                pooled: false,
            })
        };
        let facts = |product| {
            let server = of(product);
            (server.version, server.mariadb)
        };
        assert_eq!(facts("PostgreSQL 15.18"), (Some((15, 18)), None));
        assert_eq!(facts("MariaDB 10.11.6"), (Some((10, 11)), Some(true)));
        assert_eq!(facts("MySQL 8.0.36"), (Some((8, 0)), Some(false)));
        assert_eq!(facts("PostgreSQL 18beta1"), (Some((18, 0)), None));
        assert_eq!(facts("something"), (None, None));
    }
}
