//! A run that was told to end, by a signal or its time limit: what it was at, and what the database holds now.

use forerun_migrations::error::{RunError, StateAfterFailure, StoppedAt};
use forerun_migrations::history::Direction;
use forerun_sql::Dialect;

use super::Explanation;
use super::run::finished_before;
use crate::exit_code::ExitCode;

/// `error` names what it was at. `finished` migrations were done before.
pub(super) fn explain(
    error: &RunError,
    exit_code: ExitCode,
    finished: usize,
    at: &StoppedAt,
    dialect: Dialect,
) -> Explanation {
    let interrupted = matches!(exit_code, ExitCode::Interrupted(_));
    let code = if interrupted {
        "interrupted"
    } else {
        "timed_out"
    };
    let state = match at {
        StoppedAt::Connecting { .. } | StoppedAt::WaitingForLock { .. } => {
            "Nothing was run.".to_owned()
        }
        StoppedAt::WaitingForTool { .. } => "Nothing was recorded.".to_owned(),
        StoppedAt::WaitingForVersion { .. } => "Nothing was changed: it only waits.".to_owned(),
        StoppedAt::BetweenMigrations => match finished {
            0 => "No migration was run.".to_owned(),
            _ => format!(
                "{}; nothing of the others was run.",
                finished_before(finished)
            ),
        },
        StoppedAt::Migration {
            script,
            direction,
            state,
        } => {
            let of_script = of_script(script, *direction, *state, dialect);
            match finished {
                0 => of_script,
                _ => format!("{of_script} {}.", finished_before(finished)),
            }
        }
    };
    let advice = match at {
        StoppedAt::Connecting { .. } => {
            "Check host and port and that the server runs, and try again."
        }
        StoppedAt::WaitingForLock { .. } => {
            "Wait for the other runner and try again; if it is dead, see `forerun migrate unlock`."
        }
        StoppedAt::WaitingForTool { .. } => {
            "Wait until it is done and try again. If it died, release its lock in its own way first."
        }
        StoppedAt::WaitingForVersion { .. } => "See `forerun migrate status`, or wait longer.",
        _ if interrupted => "Run it again to go on.",
        _ => {
            "Run it again to go on, with more time (--timeout or MIGRATION_TIMEOUT) if one migration needs it."
        }
    };
    Explanation::new(exit_code, code, error.to_string())
        .state(state)
        .advise(advice)
}

fn of_script(
    script: &str,
    direction: Direction,
    state: StateAfterFailure,
    dialect: Dialect,
) -> String {
    let verb = match direction {
        Direction::Up => "applied",
        Direction::Down => "reverted",
    };
    match state {
        StateAfterFailure::RolledBack => {
            let why = match dialect {
                Dialect::Mysql => "no statement of it took effect",
                Dialect::Postgres | Dialect::Sqlite => "it was rolled back",
            };
            format!("Nothing of {script} is {verb}: {why}.")
        }
        StateAfterFailure::Partial { statements_done } => {
            let next = statements_done + 1;
            let done = done_of(script, statements_done);
            format!("{done}; the next run goes on with statement {next}.")
        }
        StateAfterFailure::InDoubt { statements_done } => {
            let next = statements_done + 1;
            let done = match statements_done {
                0 => String::new(),
                done => format!("{}. ", done_of(script, done)),
            };
            format!(
                "{done}Whether statement {next} of {script} took effect is not known yet; the next run finds out, or asks."
            )
        }
        StateAfterFailure::Committed => {
            format!("{script} is {verb} and recorded: the commit had arrived.")
        }
        StateAfterFailure::Unknown => format!(
            "Whether the last statement of {script} took effect is not known yet; the next run finds out, or asks."
        ),
    }
}

/// `Statements 1 to 3 of a.sql are done and recorded`.
fn done_of(script: &str, statements: i64) -> String {
    match statements {
        1 => format!("Statement 1 of {script} is done and recorded"),
        more => format!("Statements 1 to {more} of {script} are done and recorded"),
    }
}
