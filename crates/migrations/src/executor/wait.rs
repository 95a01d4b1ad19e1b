//! `migrate wait`: until the database answers, or a version is applied.

use std::time::{Duration, Instant};

use super::Runner;
use super::inspect::read;
use super::lock::stopped;
use crate::database::{ErrorKind, Session};
use crate::error::{RunError, StoppedAt};
use crate::event::Event;
use crate::history::{JournalRow, Version};

const PAUSE: Duration = Duration::from_secs(1);
const REMINDER: Duration = Duration::from_secs(10);

/// What to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// The database accepts connections.
    Connection,
    /// These versions are applied, of the numbers they or newer ones, and nothing is unfinished up to them.
    Versions(Vec<Version>),
}

impl Runner {
    /// Waits, at most `limit`. Needs only SELECT.
    ///
    /// # Errors
    /// [`RunError::NotUpToDate`] when the time is over, with what is missing. A wrong password or database name
    /// ends it at once, and so does a release that is older than the floor.
    pub async fn wait(&self, wait_for: WaitFor, limit: Duration) -> Result<String, RunError> {
        let started = Instant::now();
        let mut stop = self.stop.clone();
        let mut session: Option<Box<dyn Session>> = None;
        let mut told: Option<(String, Instant)> = None;
        loop {
            let missing = match self.look(&mut session, wait_for.clone()).await {
                Ok(Ok(reached)) => return Ok(reached),
                Ok(Err(missing)) => {
                    tell_once(&mut told, &missing, |missing| {
                        self.warn("waiting", missing.to_owned());
                    });
                    missing
                }
                Err(RunError::Database { error, .. })
                    if matches!(
                        error.kind,
                        ErrorKind::Unreachable | ErrorKind::ConnectionLost
                    ) =>
                {
                    session = None;
                    let missing = error.to_string();
                    tell_once(&mut told, &missing, |_| {
                        self.events.emit(&Event::DatabaseWaiting {
                            waited: started.elapsed(),
                            error: error.clone(),
                        });
                    });
                    missing
                }
                Err(other) => return Err(other),
            };
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(RunError::NotUpToDate { reason: missing });
            }
            if let Err(reason) = stop.sleep(PAUSE.min(left)).await {
                return Err(stopped(reason, 0, StoppedAt::WaitingForVersion { missing }));
            }
        }
    }

    /// One look: `Ok(Ok)` when it is reached, `Ok(Err)` with what is missing.
    async fn look(
        &self,
        session: &mut Option<Box<dyn Session>>,
        wait_for: WaitFor,
    ) -> Result<Result<String, String>, RunError> {
        let connected = match session {
            Some(connected) => connected,
            None => session.insert(self.database.connect(&self.identity).await.map_err(
                |error| RunError::Database {
                    doing: "connecting",
                    error,
                },
            )?),
        };
        // Who only asks for a connection need not be able to read the tables.
        if let Err(error) = self.refuse_below_floor(connected.as_mut()).await
            && (wait_for != WaitFor::Connection || matches!(error, RunError::BelowFloor { .. }))
        {
            return Err(error);
        }
        let WaitFor::Versions(wanted) = wait_for else {
            return Ok(Ok(format!(
                "{} accepts connections",
                self.database.target()
            )));
        };
        let recorded = read(connected.as_mut()).await?;
        let versions = || recorded.applied.iter().map(|row| &row.version);
        let newest = versions().filter(|version| version.is_number()).max();
        let is_applied = |wanted: &Version| {
            let reached = wanted.is_number() && newest.is_some_and(|newest| newest >= wanted);
            reached || versions().any(|version| version == wanted)
        };
        let unfinished = |row: &&JournalRow| wanted.iter().any(|wanted| row.version <= *wanted);
        if let Some(row) = recorded.journal.iter().find(unfinished) {
            return Ok(Err(format!("{} is not finished", row.script)));
        }
        let at = match newest.or_else(|| versions().max()) {
            Some(newest) => format!("the database is at {newest}"),
            None => "no migration is".to_owned(),
        };
        Ok(match wanted.iter().find(|wanted| !is_applied(wanted)) {
            Some(missing) => Err(format!("version {missing} is not applied; {at}")),
            None => Ok(match wanted.last() {
                Some(last) => format!("version {last} is applied; {at}"),
                None => "there is nothing to wait for".to_owned(),
            }),
        })
    }
}

/// Tells once per reason, and again every ten seconds.
fn tell_once(told: &mut Option<(String, Instant)>, reason: &str, tell: impl FnOnce(&str)) {
    let known = told
        .as_ref()
        .is_some_and(|(last, at)| last == reason && at.elapsed() < REMINDER);
    if !known {
        *told = Some((reason.to_owned(), Instant::now()));
        tell(reason);
    }
}
