//! What may hurt while a migration runs: shown by `plan`, judged by nobody.

use forerun_sql::LockClass;
use serde::Serialize;

use super::Mode;
use crate::directory::ScriptSummary;

/// One remark on a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hazard {
    /// Line in the script.
    pub line: u64,
    /// Stable word.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

/// Remarks on a script.
pub(super) fn find(summary: &ScriptSummary, mode: Mode) -> Vec<Hazard> {
    let mut hazards = Vec::new();
    let mut exclusive_since: Option<(u64, String)> = None;
    for statement in &summary.statements {
        let classification = &statement.classification;
        let line = statement.position.line;
        if let (Mode::Transaction, Some((since, verb))) = (mode, &exclusive_since)
            && classification.lock == LockClass::Dml
        {
            hazards.push(Hazard {
                line,
                code: "rows_under_ddl_lock",
                message: format!(
                    "{} runs while the lock of {verb} (line {since}) is held: readers and writers of that table wait until the commit",
                    classification.verb
                ),
            });
        }
        if classification.lock == LockClass::BlockingDdl
            && !classification.verb.starts_with("CREATE TABLE")
            && exclusive_since.is_none()
        {
            exclusive_since = Some((line, classification.verb.clone()));
        }
        if classification.lock == LockClass::Other
            && mode == Mode::Transaction
            && classification.verb.is_empty()
        {
            hazards.push(Hazard {
                line,
                code: "unknown_statement",
                message: "forerun does not know this statement; it is sent as it is".to_owned(),
            });
        }
    }
    hazards
}
