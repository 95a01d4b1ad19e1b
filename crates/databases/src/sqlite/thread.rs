//! The thread that owns a connection: SQLite's calls block, and a connection has one user at a time.

use std::sync::{Arc, mpsc};

use forerun_migrations::database::{DatabaseError, ErrorKind};
use tokio::sync::oneshot;

use super::file::DatabaseFile;
use super::signals::Signals;

type Job = Box<dyn FnOnce(&mut DatabaseFile) + Send>;

/// Hands work to the thread. Dropping it interrupts what runs and closes the connection.
pub(super) struct ConnectionThread {
    jobs: mpsc::Sender<Job>,
    pub signals: Arc<Signals>,
}

impl ConnectionThread {
    pub fn start(mut file: DatabaseFile) -> Result<Self, DatabaseError> {
        let (jobs, received) = mpsc::channel::<Job>();
        let signals = Arc::clone(&file.signals);
        let work = move || {
            for job in received {
                job(&mut file);
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
        Ok(Self { jobs, signals })
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
        let job: Job = Box::new(move |file| {
            let _ = reply.send(work(file));
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for ConnectionThread {
    fn drop(&mut self) {
        self.signals.cancel();
    }
}
