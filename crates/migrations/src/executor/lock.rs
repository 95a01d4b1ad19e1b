//! The runner lock: waiting for it, keeping it alive, giving it back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::retry::random_fraction;
use super::stop::{Stop, StopReason, StopSender};
use crate::database::{
    Acquire, Blocker, Database, DatabaseError, ErrorKind, Holder, Identity, Lease, LeaseRequest,
    Monitor, Session,
};
use crate::error::{RunError, StoppedAt};
use crate::event::{Event, Events};
use crate::history::AuditEntry;

/// Shortest and longest pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(1000);
/// A waiting runner says so at least this often.
const REMINDER: Duration = Duration::from_secs(10);
/// Longest time to ask the server who blocks us.
const BLOCKERS_TIMEOUT: Duration = Duration::from_secs(2);

/// Waiting for the lock by trying: a session that blocks inside the server would hold a snapshot, and
/// `CREATE INDEX CONCURRENTLY` of the holder would wait for it for ever.
pub(super) struct LockWait {
    request: LeaseRequest,
    limit: Duration,
    started: Instant,
    tries: i32,
    holder: Option<Holder>,
    reminded: Option<Instant>,
    events: Arc<dyn Events>,
}

impl LockWait {
    pub fn new(request: LeaseRequest, limit: Duration, events: Arc<dyn Events>) -> Self {
        Self {
            request,
            limit,
            started: Instant::now(),
            tries: 0,
            holder: None,
            reminded: None,
            events,
        }
    }

    /// One try.
    pub async fn try_once(&mut self, session: &mut dyn Session) -> Result<Option<Lease>, RunError> {
        self.tries += 1;
        let acquired =
            session
                .try_acquire(&self.request)
                .await
                .map_err(|error| RunError::Database {
                    doing: "taking the runner lock",
                    error,
                })?;
        match acquired {
            Acquire::Acquired(lease) => {
                if let Some(holder) = &lease.taken_over {
                    self.events.emit(&Event::LockTakenOver {
                        holder: holder.clone(),
                    });
                }
                self.events.emit(&Event::LockAcquired {
                    waited: self.waited(),
                    token: lease.token,
                    pooled: session.server().pooled,
                });
                Ok(Some(lease))
            }
            Acquire::Held(holder) => {
                self.remind(holder);
                Ok(None)
            }
        }
    }

    /// Sleeps until the next try, with jitter so that many waiters spread out.
    pub async fn pause(&mut self, stop: &mut Stop) -> Result<(), RunError> {
        let waited = self.waited();
        if waited >= self.limit {
            return Err(RunError::LockNotObtained {
                waited,
                holder: self.holder.take(),
            });
        }
        let ceiling = FIRST_PAUSE
            .saturating_mul(1 << self.tries.clamp(0, 10))
            .min(LONGEST_PAUSE);
        let pause = ceiling
            .mul_f64(0.5 + random_fraction() / 2.0)
            .min(self.limit.saturating_sub(waited));
        stop.sleep(pause).await.map_err(|reason| {
            let holder = self.holder.clone().map(Box::new);
            stopped(reason, 0, StoppedAt::WaitingForLock { holder })
        })
    }

    pub fn waited(&self) -> Duration {
        self.started.elapsed()
    }

    /// Entries for the audit about the wait, once the lock is ours.
    pub fn audit(&self, lease: &Lease) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        if let Some(holder) = &lease.taken_over {
            entries.push(AuditEntry {
                event: "lock.taken_over",
                version: None,
                statement: None,
                attempt: None,
                message: format!("took the runner lock over from {holder}"),
                detail: serde_json::json!({ "holder": holder }),
            });
        }
        if self.tries > 1 {
            entries.push(AuditEntry {
                event: "lock.waited",
                version: None,
                statement: None,
                attempt: None,
                message: format!("waited {:.1}s for the runner lock", self.waited().as_secs_f64()),
                detail: serde_json::json!({ "seconds": self.waited().as_secs_f64(), "holder": self.holder }),
            });
        }
        entries
    }

    fn remind(&mut self, holder: Option<Holder>) {
        let changed = holder.as_ref().map(|holder| &holder.run_id)
            != self.holder.as_ref().map(|holder| &holder.run_id);
        let due = self.reminded.is_none_or(|last| last.elapsed() >= REMINDER);
        if holder.is_some() {
            self.holder = holder;
        }
        if changed || due {
            self.reminded = Some(Instant::now());
            self.events.emit(&Event::LockWaiting {
                waited: self.waited(),
                holder: self.holder.clone(),
            });
        }
    }
}

/// Keeps the lease fresh from a second connection, and lends that connection for questions.
#[derive(Clone)]
pub(super) struct Heartbeat {
    monitor: Arc<Mutex<Option<Box<dyn Monitor>>>>,
    backend: Arc<str>,
    last_success: Arc<std::sync::Mutex<Instant>>,
    // The task is aborted when the last clone is dropped.
    _task: Arc<JoinSet<()>>,
}

impl Heartbeat {
    /// Starts. When the lease cannot be prolonged any more, orders to stop.
    pub fn start(
        database: Arc<dyn Database>,
        identity: Identity,
        lease: Lease,
        backend: &str,
        stop: StopSender,
        events: Arc<dyn Events>,
    ) -> Self {
        let monitor = Arc::new(Mutex::new(None));
        let last_success = Arc::new(std::sync::Mutex::new(Instant::now()));
        let mut task = JoinSet::new();
        task.spawn(beat(
            database,
            identity,
            lease,
            Arc::clone(&monitor),
            Arc::clone(&last_success),
            stop,
            events,
        ));
        Self {
            monitor,
            backend: backend.into(),
            last_success,
            _task: Arc::new(task),
        }
    }

    /// Whether the lease may have expired since the server last confirmed it.
    pub fn is_overdue(&self, lease: &Lease) -> bool {
        let last = self
            .last_success
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        last.elapsed() >= lease.duration
    }

    /// Who blocks our session; empty when it cannot be found out.
    pub async fn blockers(&self) -> Vec<Blocker> {
        let ask = async {
            let mut monitor = self.monitor.lock().await;
            match monitor.as_mut() {
                Some(monitor) => {
                    let blockers = monitor.blockers(&self.backend).await.unwrap_or_default();
                    blockers.into_iter().map(Blocker::masked).collect()
                }
                None => Vec::new(),
            }
        };
        tokio::time::timeout(BLOCKERS_TIMEOUT, ask)
            .await
            .unwrap_or_default()
    }
}

/// Prolongs the lease every third of its duration until the task is aborted or the lease is gone.
async fn beat(
    database: Arc<dyn Database>,
    identity: Identity,
    lease: Lease,
    monitor: Arc<Mutex<Option<Box<dyn Monitor>>>>,
    last_success: Arc<std::sync::Mutex<Instant>>,
    stop: StopSender,
    events: Arc<dyn Events>,
) {
    let mut warned = false;
    if !database.capabilities().heartbeat {
        // There a heartbeat competes with the run for the one writer: short runs need none.
        tokio::time::sleep(lease.duration / 3).await;
    }
    loop {
        // A server that does not answer must not hide that the lease runs out.
        let beaten = tokio::time::timeout(
            lease.duration / 3,
            beat_once(&database, &identity, &lease, &monitor),
        );
        let beaten = beaten.await.unwrap_or_else(|_| {
            Err(DatabaseError::new(
                ErrorKind::Unreachable,
                "the server does not answer to the heartbeat",
            ))
        });
        let since = |last: &std::sync::Mutex<Instant>| {
            last.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .elapsed()
        };
        match beaten {
            Ok(true) => {
                *last_success
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
                warned = false;
            }
            Ok(false) => return stop.stop(StopReason::LeaseLost),
            Err(error) => {
                let left = lease.duration.saturating_sub(since(&last_success));
                if left.is_zero() {
                    return stop.stop(StopReason::LeaseLost);
                }
                if !warned {
                    warned = true;
                    events.emit(&Event::Warning {
                        code: "heartbeat",
                        message: format!(
                            "the lease cannot be prolonged ({error}); the run stops in {}s unless that changes",
                            left.as_secs()
                        ),
                    });
                }
            }
        }
        let pause = if warned {
            lease.duration / 10
        } else {
            lease.duration / 3
        };
        tokio::time::sleep(pause).await;
    }
}

async fn beat_once(
    database: &Arc<dyn Database>,
    identity: &Identity,
    lease: &Lease,
    monitor: &Mutex<Option<Box<dyn Monitor>>>,
) -> Result<bool, DatabaseError> {
    let mut monitor = monitor.lock().await;
    let mut connected = match monitor.take() {
        Some(connected) => connected,
        None => database.monitor(identity).await?,
    };
    let alive = match connected.heartbeat(lease).await {
        // Our own run is recording at this moment; nobody can take over a row that is locked.
        Err(error) if error.kind == ErrorKind::LockTimeout => true,
        answer => answer?,
    };
    *monitor = Some(connected);
    Ok(alive)
}

/// The error for an order to stop.
pub(super) fn stopped(reason: StopReason, finished: usize, at: StoppedAt) -> RunError {
    let at = Box::new(at);
    match reason {
        StopReason::Signal(signal) => RunError::Interrupted {
            signal,
            finished,
            at,
        },
        StopReason::Timeout(limit) => RunError::TimedOut {
            limit,
            finished,
            at,
        },
        StopReason::LeaseLost => RunError::LeaseLost { version: None },
    }
}
