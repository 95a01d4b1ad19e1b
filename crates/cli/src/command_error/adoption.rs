//! What stands in the way of taking over another tool's history: for each what it is and what to do.

use forerun_migrations::history::foreign::Problem;

use super::Explanation;
use crate::exit_code::ExitCode;

/// All of it.
pub(super) fn explain(title: &str, table: &str, problems: &[Problem]) -> Explanation {
    let message = match problems.len() {
        1 => format!("the history of {title} ({table}) cannot be taken over as it is"),
        count => format!(
            "the history of {title} ({table}) cannot be taken over as it is, for {count} reasons"
        ),
    };
    let mut explanation = Explanation::new(ExitCode::Conflict, "adoption", message);
    for problem in problems {
        explanation = explanation
            .detail("problem", sentence(title, problem))
            .detail("do", advice(problem));
    }
    explanation
        .state("Nothing was recorded.")
        .advise("Settle each of them as described and run `forerun migrate adopt` again.")
}

fn sentence(title: &str, problem: &Problem) -> String {
    match problem {
        Problem::Peer { message, .. } => format!("{title}: {message}"),
        Problem::Changed {
            script,
            recorded,
            found,
            ..
        } => format!(
            "{script} is not what {title} has applied: it recorded the checksum {recorded}, the file has {found}"
        ),
        Problem::Missing { version, row } => format!(
            "{title} has applied version {version} ({row}), and the directory has no file for it"
        ),
        Problem::Unfinished { version, row } => format!(
            "{title} has applied version {version} ({row}), and forerun has begun to apply it as well"
        ),
    }
}

fn advice(problem: &Problem) -> String {
    match problem {
        Problem::Peer { advice, .. } => advice.clone(),
        Problem::Changed { version, .. } => format!(
            "restore the file from version control; or, if the database is as the file says now, take it over with \
             --accept-change {version}"
        ),
        Problem::Missing { version, .. } => format!(
            "restore the file from version control; or, if it was removed on purpose, take it over with --accept-missing \
             {version}"
        ),
        Problem::Unfinished { version, .. } => format!(
            "look in the database which of them did it; then finish or undo it by hand, and run `forerun migrate repair \
             {version} --start-over` to forget forerun's part"
        ),
    }
}
