//! Looking without changing anything: plan and status. Reading needs only SELECT.

use std::collections::HashSet;

use serde::Serialize;

use super::Runner;
use super::gates::Strictness;
use super::lint::LintMode;
use super::past::questions;
use super::summaries::Summaries;
use super::up::UpOptions;
use crate::database::{Holder, ServerInfo, Session};
use crate::directory::{DirectoryError, DirectorySource, MigrationDirectory, Repeat, SumFile};
use crate::error::{OtherTool, Refusal, RunError};
use crate::event::Event;
use crate::history::{
    AppliedVersion, AuditRow, Direction, HistoryRow, JournalRow, Kind, Phase, Version,
};
use crate::plan::{self, Conflict, Held, Plan, Scope};

/// What the database says of itself that planning needs.
pub(super) struct Recorded {
    pub applied: Vec<AppliedVersion>,
    pub journal: Vec<JournalRow>,
    /// The bookkeeping tables exist.
    pub tables: bool,
}

/// Where a database stands.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Server.
    pub server: ServerInfo,
    /// Applied versions.
    pub applied: Vec<HistoryRow>,
    /// Migrations that are not applied.
    pub pending: Vec<PendingMigration>,
    /// Pending contract migrations that have to wait.
    pub held: Vec<Held>,
    /// Unfinished attempts.
    pub unfinished: Vec<JournalRow>,
    /// Contradictions between history and directory.
    pub conflicts: Vec<Conflict>,
    /// Versions newer than the directory.
    pub ahead: Vec<Version>,
    /// Who holds the runner lock.
    pub lock: Option<Holder>,
    /// Other tools that have migrated this database, while our history is empty.
    pub other_tools: Vec<OtherTool>,
}

/// A migration that is not applied.
#[derive(Debug, Serialize)]
pub struct PendingMigration {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Schema or data.
    pub kind: Kind,
    /// Whether it takes away what an earlier release may use.
    pub phase: Phase,
}

impl Runner {
    /// What [`Runner::up`] would do. Changes nothing, creates nothing.
    ///
    /// # Errors
    /// As `up` before it takes the lock.
    pub async fn plan(
        &self,
        directory: &DirectorySource,
        options: UpOptions,
    ) -> Result<Plan, RunError> {
        let (directory, mut session, recorded) = self.open_verified(directory).await?;
        refuse_newer_format(session.as_mut()).await?;
        self.refuse_other_history(session.as_mut(), &recorded, options.ignore_other_history)
            .await?;
        let summaries = &mut Summaries::default();
        let plan = self.make_plan(&directory, &recorded, &options, summaries, session.as_mut());
        let mut plan = plan.await?;
        // A run finds that out when it comes to the statement, and can show it.
        let questions: Vec<Conflict> = questions(&recorded.journal).collect();
        if !questions.is_empty() {
            return Err(RunError::Conflict(questions));
        }
        if options.lint != LintMode::Off {
            let linted = self.lint_plan(&directory, &recorded, session.as_mut(), &mut plan, true);
            let cut = linted.await?;
            cut.iter().for_each(|cut| self.warn("lint", cut.sentence()));
        }
        Ok(plan)
    }

    /// Where the database stands. Changes nothing.
    ///
    /// # Errors
    /// When the directory or the database cannot be read. Conflicts are part of the answer.
    pub async fn status(&self, directory: &DirectorySource) -> Result<Status, RunError> {
        let (directory, mut session) = self.open(directory).await?;
        refuse_newer_format(session.as_mut()).await?;
        let recorded = read(session.as_mut()).await?;
        let reading = |error| RunError::Database {
            doing: "reading the history",
            error,
        };
        let mut applied = session.history().await.map_err(reading)?;
        applied.sort_by(in_order);
        let lock = session.holder().await.map_err(reading)?;
        let other_tools = self.tools_before_us(session.as_mut(), &recorded).await?;
        let mut summaries = Summaries::default();
        let mut comparison = plan::compare(&directory, &recorded.applied, false);
        self.settle_changes(&mut comparison, &mut summaries)?;
        let unfinished =
            self.conflicts_of_unfinished(&directory, &recorded.journal, &mut summaries)?;
        let stuck = !unfinished.is_empty();
        comparison.conflicts.extend(unfinished);
        if !stuck {
            comparison.conflicts.extend(questions(&recorded.journal));
        }
        let mut pending = Vec::new();
        for waiting in &comparison.pending {
            // What runs every time is never done.
            if waiting.again && waiting.migration.repeat == Repeat::Always {
                continue;
            }
            pending.push(PendingMigration {
                version: waiting.migration.version.clone(),
                script: waiting.script.file_name.clone(),
                kind: summaries.of(self, waiting.script)?.kind,
                phase: summaries.of(self, waiting.script)?.phase(),
            });
        }
        let strictness = Strictness {
            strict: false,
            needs_release: false,
            overridden: false,
        };
        let judged = self
            .judge(
                &directory,
                &comparison.pending,
                &mut summaries,
                session.as_mut(),
                strictness,
            )
            .await?;
        Ok(Status {
            server: session.server().clone(),
            applied,
            pending,
            held: judged.held,
            unfinished: recorded.journal,
            conflicts: comparison.conflicts,
            ahead: comparison.ahead,
            lock,
            other_tools,
        })
    }

    /// The history, or what the audit knows of one version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history(
        &self,
        version: Option<Version>,
    ) -> Result<(Vec<HistoryRow>, Vec<AuditRow>), RunError> {
        let reading = |error| RunError::Database {
            doing: "reading the history",
            error,
        };
        let mut session = self.connect().await?;
        refuse_newer_format(session.as_mut()).await?;
        let mut rows = session.history().await.map_err(reading)?;
        rows.sort_by(in_order);
        let mut trail = Vec::new();
        if let Some(version) = version {
            rows.retain(|row| row.version == version);
            trail = session.audit_trail(Some(&version)).await.map_err(reading)?;
        }
        Ok((rows, trail))
    }

    /// The same as [`Runner::open`] for what acts on the directory: it must be what its sum file says, if it has one. Also
    /// reads what is recorded.
    pub(super) async fn open_verified(
        &self,
        directory: &DirectorySource,
    ) -> Result<(MigrationDirectory, Box<dyn Session>, Recorded), RunError> {
        let asking = async {
            let mut session = self.connect().await?;
            let recorded = read(session.as_mut()).await?;
            Ok::<_, RunError>((session, recorded))
        };
        let schema = |asked: &Result<(Box<dyn Session>, Recorded), RunError>| match asked {
            Ok((session, _)) => session.server().working_schema.clone(),
            Err(_) => None,
        };
        let (verified, asked) = self.read_beside(directory, asking, schema).await?;
        if let Some(sum) = SumFile::read(&directory.path)? {
            sum.verify(&verified).map_err(RunError::Sum)?;
        }
        let (session, recorded) = asked?;
        Ok((verified, session, recorded))
    }

    /// Reads the directory while connecting.
    pub(super) async fn open(
        &self,
        directory: &DirectorySource,
    ) -> Result<(MigrationDirectory, Box<dyn Session>), RunError> {
        let schema = |asked: &Result<Box<dyn Session>, RunError>| match asked {
            Ok(session) => session.server().working_schema.clone(),
            Err(_) => None,
        };
        let (directory, session) = self.read_beside(directory, self.connect(), schema).await?;
        Ok((directory, session?))
    }

    /// With what is known of the database.
    pub(super) fn complete(&self, directory: &DirectorySource) -> DirectorySource {
        let mut source = directory.clone();
        source.options.dialect = Some(self.database.dialect());
        source.options.variables.target = self.database.names();
        source
    }

    /// Reads the directory while the database is asked. What is wrong with the directory is said first: no waiting for
    /// a server mends it. But where it cannot be read without the name of the schema, and only the server knows that, it
    /// is read again.
    async fn read_beside<T>(
        &self,
        directory: &DirectorySource,
        asking: impl Future<Output = T>,
        schema: impl Fn(&T) -> Option<String>,
    ) -> Result<(MigrationDirectory, T), RunError> {
        let mut source = self.complete(directory);
        let (first, asked) = tokio::join!(read_aside(source.clone()), asking);
        let directory = match (first, schema(&asked)) {
            (Err(DirectoryError::Layout { .. }), Some(schema)) => {
                source.options.variables.target.insert("schema", schema);
                read_aside(source).await?
            }
            (first, _) => first?,
        };
        for warning in &directory.warnings {
            self.warn("directory", warning.to_string());
        }
        Ok((directory, asked))
    }

    /// Directory × history × options → plan.
    pub(super) async fn make_plan(
        &self,
        directory: &MigrationDirectory,
        recorded: &Recorded,
        options: &UpOptions,
        summaries: &mut Summaries,
        session: &mut dyn Session,
    ) -> Result<Plan, RunError> {
        let mut comparison =
            plan::compare(directory, &recorded.applied, options.allow_out_of_order);
        self.settle_changes(&mut comparison, summaries)?;
        let unfinished = self.conflicts_of_unfinished(directory, &recorded.journal, summaries)?;
        comparison.conflicts.extend(unfinished);
        if !comparison.conflicts.is_empty() {
            return Err(RunError::Conflict(comparison.conflicts));
        }
        for version in &comparison.gone {
            if summaries.told.insert(version.to_string()) {
                let message = format!("{version} is applied and not in the directory any more");
                self.warn("gone", message);
            }
        }
        for pending in &comparison.pending {
            let summary = summaries.of(self, pending.script)?;
            directory.check_conditions(pending.migration, summary, &|version| {
                plan::is_present(directory, &recorded.applied, version)
            })?;
        }
        let strictness = Strictness::of(options);
        let judged = self
            .judge(
                directory,
                &comparison.pending,
                summaries,
                session,
                strictness,
            )
            .await?;
        let (reachable, behind) = comparison
            .pending
            .split_at(judged.stop.unwrap_or(comparison.pending.len()));
        let kind_of = |pending: &plan::Pending<'_>| {
            summaries
                .known(pending.script)
                .map_or(Kind::Schema, |summary| summary.kind)
        };
        let (chosen, mut rest) = plan::select(reachable, options.scope, kind_of)
            .map_err(|first| RunError::Refused(Refusal::SchemaFirst(first)))?;
        // A run of the schema only may end before it comes to the one that is held.
        let in_scope = options.scope != Scope::Schema || rest.is_empty();
        // And if it is held before it comes to the data, nobody misses those in it.
        let first_data = comparison
            .pending
            .iter()
            .position(|pending| options.scope == Scope::Schema && kind_of(pending) == Kind::Data);
        let not_wanted: HashSet<&str> = first_data
            .and_then(|first| comparison.pending.get(first..))
            .unwrap_or_default()
            .iter()
            .map(|pending| pending.script.file_name.as_str())
            .collect();
        rest.extend_from_slice(behind);
        let mut steps = Vec::with_capacity(chosen.len());
        for pending in chosen {
            let migration = pending.migration;
            let summary = summaries.of(self, pending.script)?.clone();
            let journal = recorded
                .journal
                .iter()
                .find(|row| row.version == migration.version)
                .cloned();
            let capabilities = self.database.capabilities();
            let step = plan::step(
                migration,
                pending.script,
                Direction::Up,
                summary,
                capabilities,
                journal,
            );
            steps.push(plan::Step {
                again: pending.again,
                unused_since: judged.unused_since.get(&migration.version).cloned(),
                ..step
            });
        }
        let left = rest
            .iter()
            .map(|pending| pending.script.file_name.clone())
            .collect();
        let mut plan = plan::plan(steps, left, recorded.applied.len(), comparison.ahead);
        if in_scope {
            let waiting = judged.held.first().map(|held| held.waiting.iter());
            let blocked = waiting.into_iter().flatten();
            let blocked = blocked.filter(|script| !not_wanted.contains(script.as_str()));
            plan.blocked = blocked.cloned().collect();
            plan.held = judged.held;
        }
        plan.overridden = judged.overridden;
        plan.out_of_order = comparison
            .out_of_order
            .iter()
            .map(|migration| migration.up.file_name.clone())
            .collect();
        Ok(plan)
    }

    /// A changed script is a conflict if its SQL changed, else a warning. Reads the file to tell.
    fn settle_changes(
        &self,
        comparison: &mut plan::Comparison<'_>,
        summaries: &mut Summaries,
    ) -> Result<(), RunError> {
        let mut comments = Vec::new();
        for (migration, row) in std::mem::take(&mut comparison.changed) {
            let found = summaries
                .of(self, plan::script_of(migration, row))
                .map(|summary| summary.sql_checksum.clone());
            // A file that cannot even be read any more has certainly changed.
            if matches!(&found, Ok(found) if *found == row.checksums.sql) {
                if summaries.told.insert(migration.up.file_name.clone()) {
                    comments.push(migration.up.file_name.as_str());
                }
            } else {
                comparison.conflicts.push(Conflict::Changed {
                    version: migration.version.clone(),
                    script: migration.up.file_name.clone(),
                    applied_from: row.script.clone(),
                    recorded: row.checksums.normalized.clone(),
                    found: migration.up.normalized.clone(),
                    unreadable: found.err().map(|error| error.to_string()),
                });
            }
        }
        if let [first, more @ ..] = comments.as_slice() {
            let which = match more.len() {
                0 => format!("{first} was"),
                1 => format!("{first} and 1 more file were"),
                more => format!("{first} and {more} more files were"),
            };
            let message = format!(
                "{which} changed after being applied, in comments or layout only; `forerun migrate repair \
                 --accept-comments` records the new text"
            );
            self.warn("comment_changed", message);
        }
        Ok(())
    }

    pub(super) fn warn(&self, code: &'static str, message: String) {
        self.events.emit(&Event::Warning { code, message });
    }
}

/// Numbers by their order; after them names, as they were applied.
fn in_order(left: &HistoryRow, right: &HistoryRow) -> std::cmp::Ordering {
    let by_version = || left.version.cmp(&right.version);
    if left.version.is_number() || right.version.is_number() {
        return by_version();
    }
    let by_time = left.finished_at.cmp(&right.finished_at);
    by_time.then_with(by_version)
}

/// For what only reads: whoever takes the lock is refused there.
async fn refuse_newer_format(session: &mut dyn Session) -> Result<(), RunError> {
    let checked = session.check_format().await;
    checked.map_err(|error| RunError::Database {
        doing: "reading the history",
        error,
    })
}

/// Reads what is recorded.
pub(super) async fn read(session: &mut dyn Session) -> Result<Recorded, RunError> {
    let reading = |error| RunError::Database {
        doing: "reading the history",
        error,
    };
    let asked = match session.applied().await {
        // It may miss what a newer forerun has named otherwise.
        Err(error) => {
            session.check_format().await.map_err(reading)?;
            return Err(reading(error));
        }
        Ok(asked) => asked,
    };
    let Some(mut applied) = asked else {
        return Ok(Recorded {
            applied: Vec::new(),
            journal: Vec::new(),
            tables: false,
        });
    };
    applied.sort_by(|left, right| left.version.cmp(&right.version));
    let mut journal = session.journal().await.map_err(reading)?;
    journal.sort_by(|left, right| left.version.cmp(&right.version));
    Ok(Recorded {
        applied,
        journal,
        tables: true,
    })
}

/// Reads it without standing in the way of others.
async fn read_aside(source: DirectorySource) -> Result<MigrationDirectory, DirectoryError> {
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(read) => read,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
