//! Checks on the repository itself. `cargo run -p xtask -- rooms`; `cargo test -p xtask` runs the same
//! checks as tests.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command: it speaks to the terminal"
)]

mod rooms;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    match command.as_deref() {
        Some("rooms") => report(rooms::check_workspace()),
        _ => {
            eprintln!(
                "usage: cargo run -p xtask -- rooms    check that the crates depend only downwards"
            );
            ExitCode::from(2)
        }
    }
}

fn report(outcome: Result<Vec<String>, String>) -> ExitCode {
    match outcome {
        Ok(problems) if problems.is_empty() => {
            println!("rooms: every arrow goes downwards");
            ExitCode::SUCCESS
        }
        Ok(problems) => {
            for problem in problems {
                eprintln!("rooms: {problem}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("rooms: {error}");
            ExitCode::FAILURE
        }
    }
}
