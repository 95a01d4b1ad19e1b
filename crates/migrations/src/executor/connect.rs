//! Reaching the database, patiently when asked to, and taking the lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::lock::{Heartbeat, LockWait, stopped};
use super::run::{CLEAN_UP_TIMEOUT, Run};
use super::watch::Seen;
use super::{Limits, Runner};
use crate::database::{ErrorKind, Lease, LeaseRequest, Session};
use crate::error::{RunError, StoppedAt};
use crate::event::Event;
use crate::history::AuditEntry;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const REMINDER: Duration = Duration::from_secs(10);

impl Runner {
    /// Connects; waits for a database that does not answer yet as long as [`Limits::connect_wait`] allows.
    /// What waiting cannot mend (a wrong password, a database that does not exist) ends it at once.
    pub(super) async fn connect(&self) -> Result<Box<dyn Session>, RunError> {
        let started = Instant::now();
        let mut stop = self.stop.clone();
        let mut pause = FIRST_PAUSE;
        let mut reminded: Option<Instant> = None;
        let mut last = None;
        loop {
            let result = tokio::select! {
                reason = stop.wait() => return Err(stopped(reason, 0, StoppedAt::Connecting { last })),
                result = self.database.connect(&self.identity) => result,
            };
            let error = match result {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            let left = self.limits.connect_wait.saturating_sub(started.elapsed());
            let temporary = matches!(
                error.kind,
                ErrorKind::Unreachable | ErrorKind::ConnectionLost
            );
            if !temporary || left.is_zero() {
                return Err(RunError::Database {
                    doing: "connecting",
                    error,
                });
            }
            if reminded.is_none_or(|last| last.elapsed() >= REMINDER) {
                reminded = Some(Instant::now());
                self.events.emit(&Event::DatabaseWaiting {
                    waited: started.elapsed(),
                    error: error.clone(),
                });
            }
            last = Some(Box::new(error));
            if let Err(reason) = stop.sleep(pause.min(left)).await {
                return Err(stopped(reason, 0, StoppedAt::Connecting { last }));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A wait for the lock.
    pub(super) fn lock_wait(&self, purpose: &str) -> LockWait {
        let Limits {
            lease, lock_wait, ..
        } = self.limits;
        let request = LeaseRequest {
            purpose: purpose.to_owned(),
            duration: lease,
        };
        LockWait::new(request, lock_wait, Arc::clone(&self.events))
    }

    /// Takes the lock, waiting for it.
    pub(super) async fn lock<'a>(
        &'a self,
        mut session: Box<dyn Session>,
        purpose: &str,
    ) -> Result<Run<'a>, RunError> {
        let mut wait = self.lock_wait(purpose);
        let mut stop = self.stop.clone();
        loop {
            if let Some(lease) = wait.try_once(session.as_mut()).await? {
                return self.locked(session, lease, &wait, purpose).await;
            }
            wait.pause(&mut stop).await?;
        }
    }

    /// A run that holds the lock, noted in the audit.
    pub(super) async fn locked<'a>(
        &'a self,
        session: Box<dyn Session>,
        lease: Lease,
        wait: &LockWait,
        purpose: &str,
    ) -> Result<Run<'a>, RunError> {
        let heartbeat = Some(self.heartbeat(&lease, session.as_ref()));
        let mut audit = wait.audit(&lease);
        audit.insert(0, run_entry("run.started", purpose.to_owned(), serde_json::json!({
            "target": self.database.target(), "server": session.server(), "fencing_token": lease.token,
        })));
        let mut run = Run {
            runner: self,
            dialect: self.database.dialect(),
            session,
            lease,
            heartbeat,
            stop: self.stop.clone(),
            deployment: None,
            audit,
            seen: Seen::default(),
            started_at: Timestamp::now(),
            attempt: 1,
            following: Vec::new(),
            announced: VecDeque::new(),
            unrecorded: Vec::new(),
            read_ahead: Vec::new(),
            left_invalid: None,
            finished: Vec::new(),
        };
        let entries = std::mem::take(&mut run.audit);
        match run.session.audit(&entries).await {
            Ok(()) => Ok(run),
            Err(error) => {
                let error = RunError::Database {
                    doing: "writing the audit",
                    error,
                };
                let _ = run.session.release(&run.lease).await;
                Err(error)
            }
        }
    }

    pub(super) fn heartbeat(&self, lease: &Lease, session: &dyn Session) -> Heartbeat {
        Heartbeat::start(
            Arc::clone(&self.database),
            self.identity.clone(),
            lease.clone(),
            &session.backend(),
            self.stop_sender.clone(),
            Arc::clone(&self.events),
        )
    }
}

impl Run<'_> {
    /// Ends the run: one audit entry with its result, and the lock given back. Best effort, since the result of the
    /// run stands already and a session that is gone has lost its lock anyway.
    pub(super) async fn finish<T>(
        self,
        result: Result<T, RunError>,
        done: impl Fn(&T) -> String,
    ) -> Result<T, RunError> {
        let message = match &result {
            Ok(value) => done(value),
            Err(error) => error.to_string(),
        };
        self.end(message, serde_json::json!({ "ok": result.is_ok() }))
            .await;
        result
    }

    /// Notes the end of the run and gives the lock back.
    pub(super) async fn end(mut self, message: String, detail: serde_json::Value) {
        self.audit.push(run_entry("run.finished", message, detail));
        self.flush_audit().await;
        self.heartbeat = None;
        let _ = tokio::time::timeout(CLEAN_UP_TIMEOUT, self.session.release(&self.lease)).await;
    }
}

/// An entry about the run as a whole.
pub(super) fn run_entry(
    event: &'static str,
    message: String,
    detail: serde_json::Value,
) -> AuditEntry {
    AuditEntry {
        event,
        version: None,
        statement: None,
        attempt: None,
        message,
        detail,
    }
}
