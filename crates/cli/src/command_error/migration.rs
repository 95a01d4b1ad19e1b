//! A migration that failed: where, why, what the database holds now, what to do.

use std::time::Duration;

use forerun_migrations::database::ErrorKind;
use forerun_migrations::error::{MigrationFailure, StateAfterFailure};
use forerun_migrations::history::Direction;
use forerun_sql::{Dialect, Position};

use super::run::{database_details, kind_code};
use super::{Explanation, Place};
use crate::exit_code::ExitCode;
use crate::output::excerpt;

pub(super) fn explain(failure: &MigrationFailure, dialect: Dialect) -> Explanation {
    let error = &failure.error;
    // A commit without an answer is settled by the next run, whatever the connection died of.
    let unanswered = failure.statement.is_none()
        && matches!(
            failure.state,
            StateAfterFailure::Committed
                | StateAfterFailure::Unknown
                | StateAfterFailure::InDoubt { .. }
        );
    let exit_code = if unanswered {
        ExitCode::Temporary
    } else {
        exit_code(error.kind, dialect)
    };
    let statement = failure
        .statement
        .map(|number| format!(" in statement {number}"))
        .unwrap_or_default();
    let code = error
        .code
        .as_ref()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    let message = format!(
        "{} failed{statement}: {}{code}",
        failure.script, error.message
    );
    let mut explanation = Explanation::new(exit_code, kind_code(error.kind), message);
    if let Some(start) = failure.position {
        let position = error
            .position
            .and_then(|offset| place_in(start, &failure.sql, offset))
            .unwrap_or(start);
        explanation.place = Some(Place {
            file: failure.path.clone(),
            line: position.line,
            column: position.column,
        });
        explanation.excerpt = excerpt::of_statement(start, &failure.sql, error.position);
    }
    explanation = database_details(explanation, error);
    for blocker in &failure.blockers {
        explanation = explanation.detail("blocked by", blocker.to_string());
    }
    if failure.attempts > 1 {
        let spent = failure
            .retried_for
            .map(|time| format!(" in {}", rounded(time)))
            .unwrap_or_default();
        explanation = explanation.detail("tries", format!("{}{spent}", failure.attempts));
    }
    let mut state = state(failure, dialect);
    if let Some(index) = &failure.left_invalid {
        state.push_str(&format!(
            " The build left the index {index} behind, invalid: writes keep it up, and if it is unique it still refuses rows. \
             The next run drops it; at once does `DROP INDEX CONCURRENTLY {index}`."
        ));
    }
    explanation.state(state).advise(advice(failure, exit_code))
}

/// By what the database said.
fn exit_code(kind: ErrorKind, dialect: Dialect) -> ExitCode {
    match kind {
        ErrorKind::Statement | ErrorKind::StatementTimeout | ErrorKind::Unexpected => {
            ExitCode::MigrationFailed
        }
        ErrorKind::Authentication | ErrorKind::Configuration => ExitCode::Usage,
        // Another try does not make a file writable; a server may be a standby that is about to be promoted.
        ErrorKind::ReadOnly if dialect == Dialect::Sqlite => ExitCode::Usage,
        ErrorKind::ReadOnly
        | ErrorKind::Unreachable
        | ErrorKind::ConnectionLost
        | ErrorKind::LockTimeout
        | ErrorKind::Deadlock
        | ErrorKind::Cancelled
        | ErrorKind::DiskFull => ExitCode::Temporary,
    }
}

/// The place of a byte offset in a statement that starts at `start`; `None` outside of what is known of it.
fn place_in(start: Position, sql: &str, offset: usize) -> Option<Position> {
    sql.as_bytes()
        .get(..offset)
        .map(|before| start.after(before))
}

/// What the database holds now.
fn state(failure: &MigrationFailure, dialect: Dialect) -> String {
    let verb = match failure.direction {
        Direction::Up => "applied",
        Direction::Down => "reverted",
    };
    match failure.state {
        StateAfterFailure::RolledBack => format!(
            "Nothing of {} is {verb}: {}. {}.",
            failure.script,
            if dialect == Dialect::Mysql { "no statement of it took effect" } else { "it was rolled back" },
            match failure.direction {
                Direction::Up => "Migrations before it stay as they are",
                Direction::Down => "What was reverted before it stays reverted",
            }
        ),
        StateAfterFailure::Partial { statements_done } => {
            let next = statements_done + 1;
            let done = are_done(statements_done);
            format!("{done} and recorded, since this script cannot run in one transaction; the next run goes on with statement {next}.")
        }
        StateAfterFailure::InDoubt { statements_done } => {
            let next = statements_done + 1;
            let done = match statements_done {
                0 => String::new(),
                done => format!("{} and recorded. ", are_done(done)),
            };
            format!(
                "{done}Whether statement {next} took effect is not known yet; the next run finds out, or asks."
            )
        }
        StateAfterFailure::Committed => {
            format!(
                "{} is {verb} and recorded: the commit had arrived before the connection was lost, or another runner has done it.",
                failure.script
            )
        }
        StateAfterFailure::Unknown => "Whether the last statement took effect is not known yet; the next run finds out, or asks."
            .to_owned(),
    }
}

/// `Statement 1 is done`, `Statements 1 to 3 are done`.
fn are_done(statements: i64) -> String {
    match statements {
        1 => "Statement 1 is done".to_owned(),
        more => format!("Statements 1 to {more} are done"),
    }
}

/// The last line: what to do now.
fn advice(failure: &MigrationFailure, exit_code: ExitCode) -> String {
    let command = match failure.direction {
        Direction::Up => "forerun migrate up",
        Direction::Down => "forerun migrate down",
    };
    match failure.error.kind {
        _ if failure.state == StateAfterFailure::Committed => {
            format!("Run `{command}` again for what comes after it.")
        }
        ErrorKind::LockTimeout | ErrorKind::Deadlock => format!(
            "End the sessions that hold the lock, or wait for them, and run `{command}` again; --ddl-lock-timeout and \
             --retry-budget set how long it tries."
        ),
        ErrorKind::StatementTimeout => format!(
            "Give the statement more time (`-- forerun:timeout statement=…` in the script, or --statement-timeout), and run \
             `{command}` again."
        ),
        ErrorKind::DiskFull => {
            format!("Make room on the disk of the database server and run `{command}` again.")
        }
        ErrorKind::ReadOnly => {
            format!("Connect to a database that accepts writes and run `{command}` again.")
        }
        ErrorKind::Cancelled => {
            format!("Somebody cancelled the statement on the server; run `{command}` again.")
        }
        _ if exit_code == ExitCode::Temporary => {
            format!("Run `{command}` again once the database answers.")
        }
        _ if matches!(failure.state, StateAfterFailure::InDoubt { .. }) => format!(
            "Leave that statement as it is and run `{command}` again: it finds out whether it took effect, or asks. If it \
             did not and has to be corrected, say so first: `forerun migrate repair {} --not-done`.",
            failure.version
        ),
        _ if matches!(failure.state, StateAfterFailure::Partial { .. }) => format!(
            "Correct the script from that statement on (what is done must stay as it is) and run `{command}` again."
        ),
        _ => format!("Correct the script or the data and run `{command}` again."),
    }
}

fn rounded(time: Duration) -> String {
    let unit = if time.as_secs() >= 10 { 1000 } else { 1 };
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / unit * unit;
    forerun_sql::format_duration(Duration::from_millis(milliseconds))
}
