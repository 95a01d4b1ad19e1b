//! Why a run has to end before it is done, told to everything that waits.

use std::borrow::Cow;
use std::time::Duration;

use tokio::sync::watch;

/// Why a run has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// A signal, by number.
    Signal(i32),
    /// The time limit of the run.
    Timeout(Duration),
    /// The runner lock is no longer ours.
    LeaseLost,
}

impl StopReason {
    /// In words.
    pub fn describe(self) -> String {
        match self {
            Self::Signal(number) => format!("{} received", signal_name(number)),
            Self::Timeout(limit) => {
                format!(
                    "the time limit of {} was reached",
                    forerun_sql::format_duration(limit)
                )
            }
            Self::LeaseLost => "the runner lock was lost".to_owned(),
        }
    }
}

/// The name of a signal that ends a run.
pub fn signal_name(number: i32) -> Cow<'static, str> {
    match number {
        1 => "SIGHUP".into(),
        2 => "SIGINT".into(),
        15 => "SIGTERM".into(),
        number => format!("signal {number}").into(),
    }
}

/// Gives the order to stop. The first reason counts.
#[derive(Debug, Clone)]
pub struct StopSender(watch::Sender<Option<StopReason>>);

/// Waits for the order to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Option<StopReason>>);

/// A pair: one side orders, the other obeys.
pub fn stop_channel() -> (StopSender, Stop) {
    let (sender, receiver) = watch::channel(None);
    (StopSender(sender), Stop(receiver))
}

impl StopSender {
    /// Orders to stop.
    pub fn stop(&self, reason: StopReason) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
    }
}

impl Stop {
    /// The order, if it was given.
    pub fn reason(&self) -> Option<StopReason> {
        *self.0.borrow()
    }

    /// Returns when the order is given.
    pub async fn wait(&mut self) -> StopReason {
        loop {
            if let Some(reason) = *self.0.borrow_and_update() {
                return reason;
            }
            if self.0.changed().await.is_err() {
                // Nobody is left who could order it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sleeps; `Err` with the reason when the order comes first.
    ///
    /// # Errors
    /// The reason to stop.
    pub async fn sleep(&mut self, duration: Duration) -> Result<(), StopReason> {
        tokio::select! {
            reason = self.wait() => Err(reason),
            () = tokio::time::sleep(duration) => Ok(()),
        }
    }
}
