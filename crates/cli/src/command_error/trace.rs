//! Errors of a trace on a scratch database.

use forerun_migrations::trace::{Left, TraceError};
use forerun_sql::Dialect;

use super::run::{self, database_details, kind_code};
use super::{Explanation, Place};
use crate::exit_code::ExitCode;
use crate::output::excerpt;

const EMPTY_AGAIN: &str = "Nothing ran anywhere else; the scratch database is empty again.";
const LEFT_OVER: &str =
    "Nothing ran anywhere else; what the migrations made is still in the scratch database.";

pub(super) fn explain(error: &TraceError, dialect: Dialect) -> Explanation {
    match error {
        TraceError::NotEmpty { .. } => {
            Explanation::new(ExitCode::Usage, "scratch_not_empty", error.to_string())
                .state("Nothing was run.")
                .advise(
                    "Give --dev-url (or FORERUN_DEV_URL) a database that holds nothing and that nobody uses: it is emptied \
                     after each trace. If this one is left over from a trace that was killed, drop it and create it again.",
                )
        }
        TraceError::IsTarget { .. } => {
            Explanation::new(ExitCode::Usage, "scratch_is_target", error.to_string())
                .state("Nothing was run.")
                .advise("Create an empty database for it, best on a server of its own, and give that to --dev-url.")
        }
        TraceError::Statement { script, path, position, sql, error, earlier } => {
            let code = error.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            let message = format!("{script} failed on the scratch database: {}{code}", error.message);
            let mut explanation = Explanation::new(ExitCode::MigrationFailed, kind_code(error.kind), message);
            explanation.place = Some(Place { file: path.clone(), line: position.line, column: position.column });
            explanation.excerpt = excerpt::of_statement(*position, sql, error.position);
            let advice = if *earlier {
                "The target has this migration already. That it does not run on an empty database means that it needs \
                 something no migration makes, such as an extension or a role: make that on the server of the scratch \
                 database, or in a migration."
            } else {
                "Correct the migration. If it needs something that no migration makes, such as a role, make that on the \
                 server of the scratch database."
            };
            database_details(explanation, error).state(EMPTY_AGAIN).advise(advice)
        }
        TraceError::Condition { path, line, .. } => {
            let mut explanation =
                Explanation::new(ExitCode::MigrationFailed, "condition_failed", error.to_string());
            explanation.place = Some(Place { file: path.clone(), line: *line, column: 1 });
            explanation
                .state(EMPTY_AGAIN)
                .advise("The migration cannot be traced: its condition is about something an empty database does not have.")
        }
        TraceError::Stopped { reason, left } => {
            let explanation = Explanation { advice: Vec::new(), ..run::explain(reason, dialect, "") };
            match left {
                Left::Untouched => explanation.state("Nothing was run.").advise("Run it again."),
                Left::Nothing => explanation.state(EMPTY_AGAIN).advise("Run it again."),
                Left::Something => explanation.state(LEFT_OVER).advise("Drop the scratch database and create it again."),
            }
        }
        TraceError::NotCleared { scratch, error } => {
            let message = format!("the scratch database {scratch} could not be emptied: {}", error.message);
            database_details(Explanation::new(ExitCode::Usage, "scratch_not_cleared", message), error)
                .state(LEFT_OVER)
                .advise("Drop the scratch database and create it again.")
        }
    }
}
