//! What a running statement is told from outside: stop, you took too long, do not wait any longer.
//!
//! Shared between the thread that runs the statement, SQLite's callbacks on that thread, and whoever cancels.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use forerun_migrations::database::{Canceller, DatabaseError};
use rusqlite::InterruptHandle;

/// Stored for "no limit".
const NEVER: u64 = u64::MAX;
/// Longest sleep between two tries to get a lock: how fast a cancel or a free lock is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);

/// The state that is shared.
pub(super) struct Signals {
    /// Zero of the times below.
    base: Instant,
    /// Nanoseconds a statement may wait for a lock.
    lock_limit: AtomicU64,
    /// When the running statement has to be done.
    deadline: AtomicU64,
    cancelled: AtomicBool,
    timed_out: AtomicBool,
    /// Transactions that ended on this connection, by commit or rollback.
    transactions_ended: AtomicU64,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// Something that may be cancelled is running.
    cancellable: bool,
    interrupt: Option<InterruptHandle>,
}

/// Why a statement was stopped from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// By [`Signals::cancel`].
    Cancelled,
    /// By its deadline.
    TimedOut,
    /// It was not.
    No,
}

impl Signals {
    pub fn new() -> Self {
        Self {
            base: Instant::now(),
            lock_limit: AtomicU64::new(0),
            deadline: AtomicU64::new(NEVER),
            cancelled: AtomicBool::new(false),
            timed_out: AtomicBool::new(false),
            transactions_ended: AtomicU64::new(0),
            running: Mutex::default(),
        }
    }

    /// The handle of a connection that was opened, or none before it is closed.
    pub fn set_interrupt(&self, interrupt: Option<InterruptHandle>) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .interrupt = interrupt;
    }

    /// How long to wait for locks from now on; `None`: without end.
    pub fn set_lock_limit(&self, limit: Option<Duration>) {
        self.lock_limit
            .store(limit.map_or(NEVER, nanoseconds), Ordering::Relaxed);
    }

    /// Something that may be cancelled begins.
    pub fn start(&self, limit: Option<Duration>) {
        let deadline = limit.map_or(NEVER, |limit| {
            nanoseconds(self.base.elapsed()).saturating_add(nanoseconds(limit))
        });
        self.deadline.store(deadline, Ordering::Relaxed);
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancellable = true;
    }

    /// It has ended: a cancel from now on is too late, and hits nothing that follows.
    pub fn end(&self) -> Stopped {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancellable = false;
        self.deadline.store(NEVER, Ordering::Relaxed);
        let timed_out = self.timed_out.swap(false, Ordering::Relaxed);
        if self.cancelled.swap(false, Ordering::Relaxed) {
            Stopped::Cancelled
        } else if timed_out {
            Stopped::TimedOut
        } else {
            Stopped::No
        }
    }

    /// Stops what is running, if it may be cancelled.
    pub fn cancel(&self) {
        // The interrupt is sent under the lock: once `end` has it, no interrupt can arrive any more.
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.cancellable {
            self.cancelled.store(true, Ordering::Relaxed);
            if let Some(interrupt) = &running.interrupt {
                interrupt.interrupt();
            }
        }
    }

    /// For SQLite's progress handler: whether to interrupt.
    pub fn must_stop(&self) -> bool {
        if self.cancelled.load(Ordering::Relaxed) {
            return true;
        }
        let deadline = self.deadline.load(Ordering::Relaxed);
        let late = deadline != NEVER && nanoseconds(self.base.elapsed()) >= deadline;
        if late {
            self.timed_out.store(true, Ordering::Relaxed);
        }
        late
    }

    /// For SQLite's busy handler: sleeps a little; `false` when the lock has been waited for long enough.
    pub fn wait_for_lock(&self, since: Instant, tries: i32) -> bool {
        let limit = self.lock_limit.load(Ordering::Relaxed);
        let waited = nanoseconds(since.elapsed());
        if waited >= limit || self.must_stop() {
            return false;
        }
        let pause = Duration::from_millis(1 << tries.clamp(0, 5)).min(LONGEST_SLEEP);
        std::thread::sleep(pause.min(Duration::from_nanos(limit - waited)));
        true
    }

    /// For SQLite's commit and rollback hooks.
    pub fn transaction_ended(&self) {
        self.transactions_ended.fetch_add(1, Ordering::Relaxed);
    }

    /// How many transactions have ended.
    pub fn transactions_ended_so_far(&self) -> u64 {
        self.transactions_ended.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Canceller for Signals {
    async fn cancel(&self) -> Result<(), DatabaseError> {
        Self::cancel(self);
        Ok(())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER - 1)
}
