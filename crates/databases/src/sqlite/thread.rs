//! The thread of a connection: SQLite's calls block, so what may take long runs there.
//!
//! A hand-off to another thread and back costs more than most bookkeeping statements. What cannot wait for anybody is
//! therefore done by the caller ([`ConnectionThread::at_once`]), and both sides look for the other a few microseconds
//! before they go to sleep.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use forerun_migrations::database::{DatabaseError, ErrorKind};
use tokio::sync::oneshot;

use super::file::DatabaseFile;
use super::signals::Signals;

/// Longest time without sleep in which one side waits for the other: about what going to sleep and waking up costs.
const SPIN: Duration = Duration::from_micros(50);

type Job = Box<dyn FnOnce(&Mutex<DatabaseFile>) + Send>;

/// Hands work to the thread. Dropping it interrupts what runs and closes the connection.
pub(super) struct ConnectionThread {
    /// Before `jobs`, whose end makes the thread close the file: the thread has the last share then.
    file: Arc<Mutex<DatabaseFile>>,
    jobs: mpsc::Sender<Job>,
    /// Jobs that are not done yet.
    unfinished: Arc<AtomicUsize>,
    /// [`SPIN`], or nothing where the other side could not run meanwhile.
    spin: Duration,
    pub signals: Arc<Signals>,
}

impl ConnectionThread {
    pub fn start(file: DatabaseFile) -> Result<Self, DatabaseError> {
        let (jobs, received) = mpsc::channel::<Job>();
        let signals = Arc::clone(&file.signals);
        let file = Arc::new(Mutex::new(file));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let spin = if processors > 1 { SPIN } else { Duration::ZERO };
        let shared = Arc::clone(&file);
        let work = move || {
            while let Some(job) = next_job(&received, spin) {
                job(&shared);
            }
        };
        std::thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(work)
            .map_err(|error| {
                DatabaseError::new(
                    ErrorKind::Unreachable,
                    format!("cannot start a thread for SQLite: {error}"),
                )
            })?;
        Ok(Self {
            file,
            jobs,
            unfinished: Arc::default(),
            spin,
            signals,
        })
    }

    /// Runs `work` on the thread and waits for its result. Work is done in the order of the calls, also that whose
    /// caller has stopped waiting.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DatabaseFile) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let gone = || {
            DatabaseError::new(
                ErrorKind::Unexpected,
                "the thread of the SQLite connection has ended",
            )
        };
        let (reply, mut answer) = oneshot::channel();
        let unfinished = Arc::clone(&self.unfinished);
        let job: Job = Box::new(move |file| {
            let result = work(&mut file.lock().unwrap_or_else(PoisonError::into_inner));
            unfinished.fetch_sub(1, Ordering::Release);
            let _ = reply.send(result);
        });
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(job).map_err(|_| gone())?;
        let sent = Instant::now();
        while sent.elapsed() < self.spin {
            match answer.try_recv() {
                Ok(result) => return result,
                Err(oneshot::error::TryRecvError::Empty) => std::hint::spin_loop(),
                Err(oneshot::error::TryRecvError::Closed) => return Err(gone()),
            }
        }
        answer.await.map_err(|_| gone())?
    }

    /// Runs `work` on the thread of the caller, unless the connection is in use. It must wait for nothing: no lock of
    /// the file, no synchronisation with the disk.
    pub fn at_once<T>(&self, work: impl FnOnce(&mut DatabaseFile) -> T) -> Option<T> {
        // A job that is left over from a caller who stopped waiting comes first.
        if self.unfinished.load(Ordering::Acquire) > 0 {
            return None;
        }
        Some(work(&mut *self.file.try_lock().ok()?))
    }
}

impl Drop for ConnectionThread {
    fn drop(&mut self) {
        self.signals.cancel();
    }
}

/// The next job; `None` when there will be none.
fn next_job(jobs: &mpsc::Receiver<Job>, spin: Duration) -> Option<Job> {
    let free = Instant::now();
    while free.elapsed() < spin {
        match jobs.try_recv() {
            Ok(job) => return Some(job),
            Err(mpsc::TryRecvError::Empty) => std::hint::spin_loop(),
            Err(mpsc::TryRecvError::Disconnected) => return None,
        }
    }
    jobs.recv().ok()
}
