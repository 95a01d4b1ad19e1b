//! The end of a run that was told to stop in the middle of a migration: what the database holds of it.

use super::lock::stopped;
use super::run::Run;
use super::statements::only_assertions;
use super::stop::StopReason;
use crate::error::{RunError, StateAfterFailure, StoppedAt};
use crate::history::JournalRow;
use crate::plan::{Mode, Step};

impl Run<'_> {
    /// The end of a run that was told to stop in a step.
    pub(super) async fn stopped(
        &mut self,
        step: &Step,
        reason: StopReason,
        attempt: i64,
        state: StateAfterFailure,
    ) -> RunError {
        if state == StateAfterFailure::Committed {
            // What waited for the audit arrived with it.
            self.audit.clear();
        }
        let script = step.script.file_name.clone();
        let message = format!("{script}: {}", reason.describe());
        let detail = serde_json::json!({ "state": state });
        self.note("migration.stopped", step, None, attempt, message, detail)
            .await;
        let at = StoppedAt::Migration {
            script,
            direction: step.direction,
            state,
        };
        stopped(reason, self.finished.len(), at)
    }
}

/// What the database holds of a migration that did not come to its end, once that was cleaned up.
pub(super) fn state_after(step: &Step, journal: &JournalRow) -> StateAfterFailure {
    match step.mode {
        Mode::Transaction => StateAfterFailure::RolledBack,
        Mode::Statements if journal.in_doubt.is_some() => StateAfterFailure::InDoubt {
            statements_done: journal.statements_done,
        },
        Mode::Statements if only_assertions(step, journal.statements_done) => {
            StateAfterFailure::RolledBack
        }
        Mode::Statements => StateAfterFailure::Partial {
            statements_done: journal.statements_done,
        },
    }
}
