//! `migrate adopt`: takes over what another tool has recorded, and takes that back.
//!
//! Everything is decided twice: without locks, so that a person learns of all problems at once and a dry run changes
//! nothing, and again in the transaction that writes, under our lock and the other tool's. Its table is only read.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Serialize;

use rows::{audit_entry, report};

use super::Runner;
use super::attempt::AttemptError;
use super::inspect;
use super::lock::stopped;
use super::other_history::{OtherHistory, reading};
use super::run::Run;
use super::transaction::fence;
use crate::database::{Change, Record, Session};
use crate::directory::{DirectoryError, DirectorySource, Layout, MigrationDirectory};
use crate::error::{Refusal, RunError, StoppedAt};
use crate::history::foreign::{
    self, Accepted, Adoption, Files, PeerHistory, PeerLock, Place, Recorded, Row, TableName,
    is_true,
};
use crate::history::{AuditEntry, Origin, Version};
use crate::number::count;

/// Pause between two tries to get the other tool's lock.
const PAUSE: Duration = Duration::from_millis(250);
/// Rows that are sent together.
const ROWS_AT_ONCE: usize = 100;

/// What to take over, and how strictly.
#[derive(Clone, Default)]
pub struct AdoptOptions {
    /// Only the history of this tool.
    pub from: Option<&'static dyn PeerHistory>,
    /// Its table, where that has another name than usual.
    pub table: Option<TableName>,
    /// What is let pass.
    pub accepted: Accepted,
    /// Change nothing.
    pub dry_run: bool,
}

/// What was taken over.
#[derive(Debug, Serialize)]
pub struct AdoptReport {
    /// Name of the tool.
    pub tool: &'static str,
    /// What people call it.
    #[serde(skip)]
    pub title: &'static str,
    /// Its table.
    pub table: String,
    /// Layout that the directory was read as.
    pub layout: Layout,
    /// Versions that were recorded now, in order.
    pub versions: Vec<AdoptedVersion>,
    /// Entries that were recorded before.
    pub already: usize,
    /// File names of what is left for `up`, in order.
    pub pending: Vec<String>,
}

/// A version that was taken over.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptedVersion {
    /// Version.
    pub version: Version,
    /// File name, if there is a file.
    pub script: Option<String>,
    /// The row that says so, in the tool's words.
    pub row: String,
    /// When it was applied, as far as the tool knows: UTC, RFC 3339.
    pub applied_at: Option<String>,
    /// Who applied it, as far as the tool knows.
    pub applied_by: Option<String>,
    /// The tool's checksum was compared with the file, and is the same.
    pub verified: bool,
    /// A person let it pass: `changed` or `missing`.
    pub accepted: Option<&'static str>,
}

/// What decides about an adoption, at one moment.
#[derive(PartialEq)]
struct Facts {
    rows: Vec<Row>,
    applied: Vec<(Version, Origin)>,
    unfinished: Vec<Version>,
}

/// How a try in a transaction ended.
enum Tried {
    Written(AdoptReport),
    /// Somebody holds the other tool's lock.
    Held {
        holder: Option<String>,
    },
    Failed(RunError),
}

impl Runner {
    /// Takes over what another tool has recorded in this database. What is recorded already stays as it is.
    ///
    /// # Errors
    /// [`RunError::Adoption`] with everything that must be settled first; nothing is recorded then.
    pub async fn adopt(
        &self,
        source: &DirectorySource,
        options: &AdoptOptions,
    ) -> Result<AdoptReport, RunError> {
        let (source, opened) = match self.open_verified(source).await {
            Err(RunError::Directory(error)) => {
                let source = self.source_by_history(source, error, options).await?;
                let opened = self.open_verified(&source).await?;
                (source, opened)
            }
            opened => (source.clone(), opened?),
        };
        let (directory, mut session, recorded) = opened;
        let found = self.choose(session.as_mut(), options).await?;
        let (source, directory) = self.settle_layout(&source, directory, found.peer).await?;
        let files = Files {
            directory: &directory,
            options: &source.options,
        };
        let facts = Facts::new(found.rows.clone(), &recorded);
        let adoption = assess(&found, files, &facts, &options.accepted)?;
        for warning in &adoption.warnings {
            self.warn("adopt", warning.clone());
        }
        let report = report(&found, &directory, &adoption);
        if options.dry_run || adoption.items.is_empty() {
            return Ok(report);
        }
        let mut run = self.lock(session, "migrate adopt").await?;
        let result = run
            .adopt(&found, files, (facts, adoption), &options.accepted)
            .await;
        run.finish(result, |report| {
            format!(
                "migrate adopt: {} of {} taken over",
                count(report.versions.len(), "version"),
                report.title
            )
        })
        .await
    }

    /// Forgets all versions that were taken over; returns them. With `dry_run` only says which.
    ///
    /// # Errors
    /// [`Refusal::AppliedSince`] when something was applied since then.
    pub async fn undo_adoption(&self, dry_run: bool) -> Result<Vec<Version>, RunError> {
        let mut session = self.connect().await?;
        let adopted = adopted(&inspect::read(session.as_mut()).await?)?;
        if dry_run || adopted.is_empty() {
            return Ok(adopted);
        }
        let mut run = self.lock(session, "migrate adopt --undo").await?;
        let result = run.forget_adopted().await;
        run.finish(result, |versions| {
            format!(
                "migrate adopt --undo: {} forgotten",
                count(versions.len(), "version")
            )
        })
        .await
    }

    /// The one history that is meant.
    async fn choose(
        &self,
        session: &mut dyn Session,
        options: &AdoptOptions,
    ) -> Result<OtherHistory, RunError> {
        let found = self
            .other_histories(session, options.from, options.table.as_ref())
            .await?;
        let several = found
            .iter()
            .filter(|history| !history.state.is_empty())
            .count()
            > 1;
        if several {
            let used = found.iter().filter(|history| !history.state.is_empty());
            return Err(
                Refusal::SeveralHistories(used.map(OtherHistory::described).collect()).into(),
            );
        }
        // One that says nothing is only of interest when there is no other.
        let best = found
            .into_iter()
            .max_by_key(|history| !history.state.is_empty());
        best.ok_or_else(|| {
            let looked_for = match (&options.table, options.from) {
                (Some(table), _) => vec![table.to_string()],
                (None, Some(peer)) => names(peer).collect(),
                (None, None) => foreign::all().flat_map(names).collect(),
            };
            Refusal::NoOtherHistory { looked_for }.into()
        })
    }

    /// A directory that cannot be read since it was taken for that of another tool than the one whose directive is in
    /// it: where the history is of that one, its layout is meant. Else the error stands.
    async fn source_by_history(
        &self,
        source: &DirectorySource,
        error: DirectoryError,
        options: &AdoptOptions,
    ) -> Result<DirectorySource, RunError> {
        let own = match &error {
            DirectoryError::ForeignDirective { found, .. } => Layout::named(found),
            _ => None,
        };
        let Some(own) = own.filter(|_| source.options.layout.is_none()) else {
            return Err(error.into());
        };
        let mut session = self.connect().await?;
        match self.choose(session.as_mut(), options).await {
            Ok(found) if found.peer.name() == own.name() => {}
            Ok(_) | Err(RunError::Refused(_)) => return Err(error.into()),
            Err(unreadable) => return Err(unreadable),
        }
        let mut source = source.clone();
        source.options.layout = Some(own);
        self.tell_layout(&source, own);
        Ok(source)
    }

    /// The directory as the other tool's layout, where it could be more than one.
    async fn settle_layout(
        &self,
        source: &DirectorySource,
        directory: MigrationDirectory,
        peer: &dyn PeerHistory,
    ) -> Result<(DirectorySource, MigrationDirectory), RunError> {
        let mut source = self.complete(source);
        let own = Layout::named(peer.name()).filter(|own| *own != directory.layout);
        let Some(own) = own.filter(|_| source.options.layout.is_none()) else {
            return Ok((source, directory));
        };
        if !own.may_replace(directory.layout, &source.path)? {
            return Ok((source, directory));
        }
        source.options.layout = Some(own);
        let directory = source.read()?;
        for warning in &directory.warnings {
            self.warn("directory", warning.to_string());
        }
        self.tell_layout(&source, own);
        Ok((source, directory))
    }

    fn tell_layout(&self, source: &DirectorySource, own: Layout) {
        self.warn(
            "layout",
            format!(
                "{} could be of more than one layout; the history says {own}. Say so in every run: --layout {own}, or \
                 FORERUN_LAYOUT={own}",
                source.path.display()
            ),
        );
    }
}

impl Run<'_> {
    /// Waits for the other tool's lock by trying, each time in a transaction of its own.
    async fn adopt<'d>(
        &mut self,
        found: &OtherHistory,
        files: Files<'d>,
        mut known: (Facts, Adoption<'d>),
        accepted: &Accepted,
    ) -> Result<AdoptReport, RunError> {
        let started = Instant::now();
        let limit = self.runner.limits.lock_wait;
        let mut told = false;
        loop {
            match self.try_adopt(found, files, &mut known, accepted).await? {
                Tried::Written(report) => return Ok(report),
                Tried::Failed(error) => return Err(error),
                Tried::Held { holder } => {
                    let waited = started.elapsed();
                    if waited >= limit {
                        return Err(RunError::OtherLockNotObtained {
                            title: found.peer.title(),
                            waited,
                            holder,
                        });
                    }
                    if !std::mem::replace(&mut told, true) {
                        let who = holder
                            .map(|holder| format!(" ({holder})"))
                            .unwrap_or_default();
                        let message = format!(
                            "waiting for {}, which holds its own lock{who}",
                            found.peer.title()
                        );
                        self.runner.warn("adopt", message);
                    }
                    let pause = PAUSE.min(limit.saturating_sub(waited));
                    self.stop.sleep(pause).await.map_err(|reason| {
                        let title = found.peer.title();
                        stopped(reason, 0, StoppedAt::WaitingForTool { title })
                    })?;
                }
            }
        }
    }

    async fn try_adopt<'d>(
        &mut self,
        found: &OtherHistory,
        files: Files<'d>,
        known: &mut (Facts, Adoption<'d>),
        accepted: &Accepted,
    ) -> Result<Tried, RunError> {
        let server = self.session.server();
        let database = server.database.clone();
        let place = found.place(self.dialect, &database);
        let lock = found.peer.lock(&place);
        let mut tried = Tried::Held { holder: None };
        let written = self
            .bookkeeping("taking the history over", async |run| {
                if !run.has_other_lock(&lock).await? {
                    tried = Tried::Held {
                        holder: run.other_holder(&lock).await?,
                    };
                    return Ok(());
                }
                match run
                    .write_adoption(found, place, files, known, accepted)
                    .await
                {
                    Ok(report) => {
                        tried = Tried::Written(report);
                        Ok(())
                    }
                    Err(Stopped::Attempt(error)) => Err(error),
                    Err(Stopped::Run(error)) => {
                        // Nothing is written yet.
                        tried = Tried::Failed(error);
                        Ok(())
                    }
                }
            })
            .await;
        for release in &lock.releases {
            // Else the end of the session gives it back.
            let _ = self.session.rows(release).await;
        }
        match tried {
            // Said better than by a commit that could not follow.
            Tried::Failed(error) => Err(error),
            tried => written.map(|()| tried),
        }
    }

    async fn has_other_lock(&mut self, lock: &PeerLock) -> Result<bool, AttemptError> {
        for attempt in &lock.tries {
            let rows = self.session.rows(attempt).await?;
            let first =
                |row: &Vec<Option<String>>| row.first().cloned().flatten().unwrap_or_default();
            if !rows.iter().all(|row| is_true(&first(row))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn other_holder(&mut self, lock: &PeerLock) -> Result<Option<String>, AttemptError> {
        let Some(query) = &lock.holder else {
            return Ok(None);
        };
        let rows = self.session.rows(query).await?;
        let texts = rows.first().into_iter().flatten().flatten();
        let texts: Vec<&str> = texts
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        Ok((!texts.is_empty()).then(|| texts.join(", ")))
    }

    /// In the transaction, under both locks.
    async fn write_adoption<'d>(
        &mut self,
        found: &OtherHistory,
        place: Place<'_>,
        files: Files<'d>,
        (facts, adoption): &mut (Facts, Adoption<'d>),
        accepted: &Accepted,
    ) -> Result<AdoptReport, Stopped> {
        let rows = self.session.rows(&found.peer.query(&place)).await?;
        let rows = rows.into_iter().map(Row).collect();
        let now = Facts::new(rows, &inspect::read(self.session.as_mut()).await?);
        if now != *facts {
            *adoption = assess(found, files, &now, accepted)?;
            *facts = now;
        }
        let report = report(found, files.directory, adoption);
        let changes: Vec<Change> = self
            .runner
            .history_rows(found.peer, &adoption.items)?
            .into_iter()
            .map(|row| Change::Applied(Box::new(row)))
            .collect();
        let entry = [audit_entry(found, &report)];
        self.record_all(&changes, &entry).await?;
        Ok(report)
    }

    async fn record_all(
        &mut self,
        changes: &[Change],
        audit: &[AuditEntry],
    ) -> Result<(), AttemptError> {
        for some in changes.chunks(ROWS_AT_ONCE) {
            let record = Record {
                begin: None,
                changes: some,
                announced: &[],
                audit: &[],
            };
            fence(self.session.record(&self.lease, record).await?)?;
        }
        Ok(self.session.audit(audit).await?)
    }

    async fn forget_adopted(&mut self) -> Result<Vec<Version>, RunError> {
        // Another runner may have been at work while this one waited for the lock.
        let versions = adopted(&inspect::read(self.session.as_mut()).await?)?;
        let changes: Vec<Change> = versions.iter().cloned().map(Change::Reverted).collect();
        let entry = [AuditEntry {
            event: "adopt.undone",
            version: None,
            statement: None,
            attempt: None,
            message: format!(
                "forgot {} that had been taken over",
                count(versions.len(), "version")
            ),
            detail: serde_json::json!({ "versions": versions }),
        }];
        self.bookkeeping("forgetting what was taken over", async |run| {
            run.record_all(&changes, &entry).await
        })
        .await?;
        Ok(versions)
    }
}

/// Why nothing was written.
enum Stopped {
    /// The transaction failed.
    Attempt(AttemptError),
    /// It did not come to that.
    Run(RunError),
}

impl From<AttemptError> for Stopped {
    fn from(error: AttemptError) -> Self {
        Self::Attempt(error)
    }
}

impl From<crate::database::DatabaseError> for Stopped {
    fn from(error: crate::database::DatabaseError) -> Self {
        Self::Run(reading(error))
    }
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl Facts {
    fn new(rows: Vec<Row>, recorded: &inspect::Recorded) -> Self {
        let applied = recorded.applied.iter();
        Self {
            rows,
            applied: applied
                .map(|row| (row.version.clone(), row.origin))
                .collect(),
            unfinished: recorded
                .journal
                .iter()
                .map(|row| row.version.clone())
                .collect(),
        }
    }
}

/// What is to be recorded.
///
/// # Errors
/// [`RunError::Adoption`] when there are problems.
fn assess<'d>(
    found: &OtherHistory,
    files: Files<'d>,
    facts: &Facts,
    accepted: &Accepted,
) -> Result<Adoption<'d>, RunError> {
    let state = found.peer.state(&facts.rows);
    let recorded = Recorded {
        applied: facts.applied.iter().cloned().collect::<BTreeMap<_, _>>(),
        unfinished: facts.unfinished.iter().cloned().collect::<BTreeSet<_>>(),
    };
    let adoption = foreign::map(found.peer, &state, files, &recorded, accepted)?;
    if adoption.problems.is_empty() {
        return Ok(adoption);
    }
    Err(RunError::Adoption {
        title: found.peer.title(),
        table: found.shown.clone(),
        problems: adoption.problems,
    })
}

/// Versions that were taken over, if that can be undone.
fn adopted(recorded: &inspect::Recorded) -> Result<Vec<Version>, Refusal> {
    let of = |origin: Origin| {
        let rows = recorded
            .applied
            .iter()
            .filter(move |row| row.origin == origin);
        rows.map(|row| row.version.clone())
    };
    let adopted: Vec<Version> = of(Origin::Adopted).collect();
    let since: Vec<Version> = of(Origin::Applied)
        .chain(recorded.journal.iter().map(|row| row.version.clone()))
        .collect();
    if adopted.is_empty() || since.is_empty() {
        Ok(adopted)
    } else {
        Err(Refusal::AppliedSince(since))
    }
}

fn names(peer: &dyn PeerHistory) -> impl Iterator<Item = String> + use<> {
    peer.tables().iter().map(|name| (*name).to_owned())
}
