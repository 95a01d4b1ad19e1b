//! The runner lock for another tool: what `forerun exec` holds while its command runs.

use super::Runner;
use super::run::Run;
use super::stop::StopReason;
use crate::error::RunError;
use crate::history::AuditEntry;

/// The lock, held and kept alive until [`Guard::finish`].
pub struct Guard<'a> {
    run: Run<'a>,
}

impl Runner {
    /// Waits for the database and the lock, and notes `command` (without secrets) in the audit.
    ///
    /// # Errors
    /// When the database or the lock cannot be had.
    pub async fn guard(&self, command: &str) -> Result<Guard<'_>, RunError> {
        let session = self.connect().await?;
        let run = self.lock(session, &format!("exec {command}")).await?;
        Ok(Guard { run })
    }
}

impl Guard<'_> {
    /// Returns when the command must be ended: a signal, the time limit, or the lock was lost.
    pub async fn wait_for_stop(&mut self) -> StopReason {
        self.run.stop.wait().await
    }

    /// Notes how the command ended, and why if it was told to, and gives the lock back.
    pub async fn finish(
        mut self,
        exit_code: Option<i32>,
        message: String,
        stopped: Option<StopReason>,
    ) {
        let reason = stopped.map(StopReason::describe);
        let message = match &reason {
            Some(reason) => format!("{reason}; {message}"),
            None => message,
        };
        self.run.audit.push(AuditEntry {
            event: "exec.finished",
            version: None,
            statement: None,
            attempt: None,
            message: message.clone(),
            detail: serde_json::json!({ "exit_code": exit_code, "stopped": reason }),
        });
        // Who sent a signal leaves it to the command what it means. A command that has outlived its time or the lock has
        // failed, whatever it says.
        let in_order = matches!(stopped, None | Some(StopReason::Signal(_)));
        let detail = serde_json::json!({ "ok": in_order && exit_code == Some(0) });
        self.run.end(message, detail).await;
    }
}
