//! What must hold for a migration to run. Asked right before it, outside of its transaction: what earlier migrations of
//! the same run have done counts.

use std::time::Instant;

use super::run::Run;
use super::transaction::fence;
use crate::database::Record;
use crate::directory::{Condition, Otherwise};
use crate::error::RunError;
use crate::event::Event;
use crate::history::AuditEntry;
use crate::plan::Step;

/// What becomes of a migration.
pub(super) enum Verdict {
    /// It runs.
    Run,
    /// It is left out, until the next run.
    Skip,
    /// It is recorded as applied without running.
    Record,
}

impl Run<'_> {
    /// Asks the conditions of a step in order; the first that does not hold decides.
    pub(super) async fn verdict(&mut self, step: &Step) -> Result<Verdict, RunError> {
        for condition in &step.conditions {
            let answer = self.answer(step, condition).await?;
            if answer.as_deref() == Some(condition.expected.as_str()) {
                continue;
            }
            let script = &step.script.file_name;
            let found = answer.as_deref().unwrap_or("nothing");
            let why = format!(
                "the condition in line {} expects {} and found {found}",
                condition.line, condition.expected
            );
            let (consequence, verdict) = match condition.otherwise {
                Otherwise::Fail => {
                    return Err(RunError::Condition {
                        version: step.version.clone(),
                        script: script.clone(),
                        path: step.script.path.clone(),
                        line: condition.line,
                        expected: condition.expected.clone(),
                        found: found.to_owned(),
                    });
                }
                Otherwise::Skip => ("left out", Verdict::Skip),
                Otherwise::Record => ("recorded as applied without running it", Verdict::Record),
                Otherwise::Warn => ("run all the same", Verdict::Run),
            };
            let message = format!("{script}: {why}; {consequence}");
            self.audit.push(AuditEntry {
                event: "migration.condition",
                version: Some(step.version.clone()),
                statement: None,
                attempt: None,
                message: message.clone(),
                detail: serde_json::Value::Null,
            });
            self.runner.events.emit(&Event::Warning {
                code: "condition",
                message,
            });
            if !matches!(verdict, Verdict::Run) {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Run)
    }

    async fn answer(
        &mut self,
        step: &Step,
        condition: &Condition,
    ) -> Result<Option<String>, RunError> {
        let rows = self.session.rows(&condition.sql).await;
        let rows = rows.map_err(|error| RunError::Database {
            doing: "asking a condition of a migration",
            error: error.masked(&condition.sql).with_hint(format!(
                "It is the condition in line {} of {}",
                condition.line, step.script.file_name
            )),
        })?;
        let first = rows.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next().flatten()))
    }

    /// Records a step as applied that did not run.
    pub(super) async fn record_unrun(&mut self, step: &Step) -> Result<(), RunError> {
        let changes = self.changes(step, Instant::now());
        let entries = std::mem::take(&mut self.audit);
        self.bookkeeping("recording a migration that did not run", async |run| {
            let record = Record {
                begin: None,
                changes: &changes,
                announced: &[],
                audit: &entries,
            };
            fence(run.session.record(&run.lease, record).await?)
        })
        .await
    }
}
