//! SIGTERM, SIGINT and SIGHUP, and the time limit of a run.
//!
//! They are watched by threads of their own, so that they are obeyed also while the run is busy. The handlers are
//! installed explicitly: as PID 1 of a container a process without them cannot be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use forerun_migrations::executor::{StopReason, StopSender};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit_code::ExitCode;

/// The process that `forerun exec` runs, so that it does not outlive a run that has to end at once.
#[derive(Debug, Clone, Default)]
pub struct Child(Arc<AtomicI32>);

impl Child {
    /// A process, as the head of its own group or not. Zero is none.
    pub fn set(&self, pid: i32, own_group: bool) {
        self.0
            .store(if own_group { -pid } else { pid }, Ordering::SeqCst);
    }

    /// It has ended.
    pub fn clear(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    /// Sends a signal to it, or to its group. A process that is gone already is no error.
    pub fn send(&self, signal: Signal) {
        let stored = self.0.load(Ordering::SeqCst);
        let Some(pid) = Pid::from_raw(stored.abs()) else {
            return;
        };
        let _ = if stored < 0 {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
    }
}

/// What the first signal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Orders the run to stop. The second one ends the process.
    Stop,
    /// Ends the process: there is nothing to clean up.
    Exit,
}

/// Installs the handlers.
///
/// # Errors
/// When the operating system gives no thread or no handler.
pub fn install(stop: StopSender, child: Child, first: First) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut exit_now = first == First::Exit;
            for number in signals.forever() {
                if exit_now {
                    child.send(Signal::KILL);
                    end(number);
                }
                exit_now = true;
                stop.stop(StopReason::Signal(number));
            }
        })?;
    Ok(())
}

#[expect(
    clippy::exit,
    reason = "the second signal asks for an end without any cleaning up"
)]
fn end(signal: i32) -> ! {
    std::process::exit(i32::from(ExitCode::Interrupted(signal).number()))
}

/// Orders the run to stop when its time is over.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start_time_limit(stop: StopSender, limit: Duration) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("time limit".to_owned())
        .spawn(move || {
            std::thread::sleep(limit);
            stop.stop(StopReason::Timeout(limit));
        })?;
    Ok(())
}
