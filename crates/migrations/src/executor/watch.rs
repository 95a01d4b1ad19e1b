//! Watching one statement while it runs: cancel it when the run must stop, name who blocks it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::lock::Heartbeat;
use super::stop::{Stop, StopReason};
use crate::database::{Blocker, Canceller, DatabaseError, ErrorKind};
use crate::event::{Event, Events};
use crate::history::Version;

/// Time for a cancelled statement to come back before its connection is given up.
const CANCEL_GRACE: Duration = Duration::from_secs(8);
/// First look for blockers of a statement without a lock timeout.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Time that a look may take on a busy server.
const LOOK_TIME: Duration = Duration::from_millis(300);
/// Longest pause between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// What is being run, for events.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub version: Version,
    pub statement: u64,
    /// Its lock timeout: blockers are looked for shortly before it fires, when they can still be seen.
    pub lock_timeout: Option<Duration>,
}

/// Blockers seen while a statement ran; the last look counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<Blocker>>>);

impl Seen {
    /// Takes them out.
    pub fn take(&self) -> Vec<Blocker> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `future` under watch. When the run must stop, the statement is cancelled on the server and its error
/// returned; a connection that does not even answer to that is reported as lost.
pub(super) async fn watch<T>(
    future: impl Future<Output = Result<T, DatabaseError>>,
    canceller: &Arc<dyn Canceller>,
    stop: &mut Stop,
    heartbeat: Option<&Heartbeat>,
    watched: Watched,
    seen: &Seen,
    events: &Arc<dyn Events>,
) -> Result<T, DatabaseError> {
    let mut future = pin!(future);
    let started = Instant::now();
    let mut stopping: Option<StopReason> = None;
    let mut deadline = started + Duration::from_secs(86_400 * 365);
    let mut cancelling = JoinSet::new();
    let returned = Arc::new(Notify::new());
    let mut look_after = watched.lock_timeout.map_or(FIRST_LOOK, first_look);
    loop {
        tokio::select! {
            biased;
            result = &mut future => {
                // A request that is on its way is seen through: it must not hit what comes next, and a PgBouncer 1.18
                // ends as a whole when the sender of one hangs up too early.
                returned.notify_one();
                let _ = timeout(CANCEL_GRACE, cancelling.join_next()).await;
                return result;
            }
            reason = stop.wait(), if stopping.is_none() => {
                stopping = Some(reason);
                events.emit(&Event::Stopping { reason: reason.describe() });
                deadline = Instant::now() + CANCEL_GRACE;
                let (canceller, returned) = (Arc::clone(canceller), Arc::clone(&returned));
                // Not awaited here: the statement may end first. A cancel that arrives between two protocol
                // messages is lost, so it is repeated until the statement returns.
                cancelling.spawn(async move {
                    for _ in 0..8 {
                        let _ = canceller.cancel().await;
                        if timeout(Duration::from_secs(1), returned.notified()).await.is_ok() {
                            break;
                        }
                    }
                });
            }
            () = sleep_until(deadline.into()), if stopping.is_some() => {
                return Err(DatabaseError::new(
                    ErrorKind::ConnectionLost,
                    "the server did not answer to the cancel request in time; the connection was closed",
                ));
            }
            () = sleep_until((started + look_after).into()), if stopping.is_none() && heartbeat.is_some() => {
                look_after = (look_after * 2).min(look_after + LONGEST_LOOK);
                if let Some(heartbeat) = heartbeat {
                    look_for_blockers(heartbeat.clone(), started, watched.clone(), seen.clone(), Arc::clone(events));
                }
            }
        }
    }
}

/// Shortly before the lock timeout fires, with time left for the answer.
fn first_look(lock_timeout: Duration) -> Duration {
    lock_timeout
        .mul_f64(0.8)
        .min(lock_timeout.saturating_sub(LOOK_TIME))
        .max(lock_timeout / 2)
}

fn look_for_blockers(
    heartbeat: Heartbeat,
    started: Instant,
    watched: Watched,
    seen: Seen,
    events: Arc<dyn Events>,
) {
    tokio::spawn(async move {
        let blockers = heartbeat.blockers().await;
        if !blockers.is_empty() {
            events.emit(&Event::Blocked {
                version: watched.version,
                statement: watched.statement,
                waited: started.elapsed(),
                blockers: blockers.clone(),
            });
            *seen.0.lock().unwrap_or_else(PoisonError::into_inner) = blockers;
        }
    });
}
