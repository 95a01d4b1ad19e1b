//! The thread of a connection: SQLite's calls block, so what may take long runs there.
//!
//! A hand-off to another thread and back costs more than most bookkeeping statements. What cannot wait for anybody is
//! therefore done by the caller ([`ConnectionThread::at_once`]). To spin before going to sleep costs more than it saves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use forerun_migrations::database::{DatabaseError, ErrorKind};
use tokio::sync::oneshot;

use super::file::DatabaseFile;
use super::signals::Signals;

type Job = Box<dyn FnOnce(&Mutex<DatabaseFile>) + Send>;

/// Hands work to the thread. Dropping it interrupts what runs and closes the connection.
pub(super) struct ConnectionThread {
    /// Before `jobs`, whose end makes the thread close the file: the thread has the last share then.
    file: Arc<Mutex<DatabaseFile>>,
    jobs: mpsc::Sender<Job>,
    /// Jobs that are not done yet.
    unfinished: Arc<AtomicUsize>,
    pub signals: Arc<Signals>,
}

impl ConnectionThread {
    pub fn start(file: DatabaseFile) -> Result<Self, DatabaseError> {
        let (jobs, received) = mpsc::channel::<Job>();
        let signals = Arc::clone(&file.signals);
        let file = Arc::new(Mutex::new(file));
        let shared = Arc::clone(&file);
        let work = move || {
            for job in received {
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
        let (reply, answer) = oneshot::channel();
        let unfinished = Arc::clone(&self.unfinished);
        let job: Job = Box::new(move |file| {
            let result = work(&mut file.lock().unwrap_or_else(PoisonError::into_inner));
            unfinished.fetch_sub(1, Ordering::Release);
            let _ = reply.send(result);
        });
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(job).map_err(|_| gone())?;
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
